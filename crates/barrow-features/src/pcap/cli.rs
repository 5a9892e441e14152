//! `pcap trace`.

use super::{PcapTrace, TraceOptions};
use crate::interface::Interfaces;
use barrow_engine::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};

const HELP: &str = "pcap trace [rx] [tx] [drop] [off] [max <nn>] [intfc <interface>|any] [file <name>] \
                    [status] [max-bytes-per-pkt <nnnn>] [error <node>.<reason>] [filter]";

/// Registers the command.
pub(super) fn register(
    cli: &mut CliRegistry,
    trace: &PcapTrace,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let (trace, interfaces) = (trace.clone(), interfaces.clone());
    cli.group("pcap", "Packet captures");
    cli.command("pcap trace", HELP, move |cx, args| {
        run(cx, args, &trace, &interfaces)
    })
}

fn run(
    cx: &mut CliContext<'_>,
    args: &mut Args<'_>,
    trace: &PcapTrace,
    interfaces: &Interfaces,
) -> CliResult {
    let mut options = TraceOptions::default();
    let mut status = false;
    while !args.is_empty() {
        if args.keyword("rx") {
            options.rx = true;
        } else if args.keyword("tx") {
            options.tx = true;
        } else if args.keyword("drop") {
            options.drop = true;
        } else if args.keyword("off") {
            (options.rx, options.tx, options.drop) = (false, false, false);
        } else if args.keyword("status") {
            status = true;
        } else if args.keyword("filter") {
            options.filter = true;
        } else if args.keyword("preallocate-data") || args.keyword("free-data") {
            // The memory of a trace grows with it and goes with it.
        } else if let Some(bytes) = args.option("max-bytes-per-pkt", Args::number) {
            options.max_bytes_per_packet = bytes;
        } else if let Some(most) = args.option("max", Args::number) {
            options.max_packets = most;
        } else if let Some(most) = args.option("packets-to-capture", Args::number) {
            options.max_packets = most;
        } else if let Some(name) = args.option("file", Args::word) {
            options.file = Some(name.to_owned());
        } else if let Some(name) = interface_name(args) {
            options.interface = match name {
                "any" => None,
                name => Some(
                    interfaces
                        .by_name(name)
                        .ok_or_else(|| CliError::unknown_input(name))?,
                ),
            };
        } else if let Some(name) = args.option("error", Args::word) {
            let error = trace
                .error_by_name(name)
                .ok_or_else(|| CliError::unknown_input(name))?;
            options.error = Some(error);
        } else {
            return args.finish();
        }
    }
    if status {
        show(cx, trace);
        return Ok(());
    }
    match trace.configure(options) {
        Ok(None) => Ok(()),
        Ok(Some((packets, file))) => {
            let file = file.display();
            cx.print(format_args!(
                "Write {packets} packets to {file}, and stop capture..."
            ));
            Ok(())
        }
        Err(error) => Err(CliError::new(error.to_string())),
    }
}

fn interface_name<'a>(args: &mut Args<'a>) -> Option<&'a str> {
    args.option("intfc", Args::word)
        .or_else(|| args.option("interface", Args::word))
}

fn show(cx: &mut CliContext<'_>, trace: &PcapTrace) {
    match trace.status() {
        None => cx.print("pcap dispatch capture disabled"),
        Some(status) => {
            let (what, packets, most) = (&status.what, status.packets, status.max_packets);
            cx.print(format_args!(
                "pcap {what} dispatch capture enabled: {packets} of {most} pkts..."
            ));
            cx.print(format_args!("capture to file {}", status.file.display()));
        }
    }
}
