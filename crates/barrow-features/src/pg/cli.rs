//! The commands of the packet generator. Texts of errors are those of `vpp:src/vnet/pg/cli.c`.

use super::definition::quote;
use super::port::{Offloads, Port, PortMode, PortOptions};
use super::stream::{heading, line, read_changes};
use super::{PacketGenerator, PgError};
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, CliTask, DuplicateCommand};
use barrow_messages::ethernet_types::MacAddress;
use std::path::Path;

/// Registers the commands.
pub(super) fn register(
    cli: &mut CliRegistry,
    generator: &PacketGenerator,
) -> Result<(), DuplicateCommand> {
    cli.group("packet-generator", "Packet generator commands");
    let own = generator.clone();
    let help = "create packet-generator interface <interface name> [hw-addr <addr>] [gso-enabled \
                gso-size <size> [coalesce-enabled]] [csum-offload-enabled] [mode <ethernet | ip4 | ip6>]";
    cli.command("create packet-generator interface", help, move |_, args| {
        create(&own, args)
    })?;
    let own = generator.clone();
    let help = "delete packet-generator interface {<interface name> | sw_if_index <sw_idx>}";
    cli.command("delete packet-generator interface", help, move |_, args| {
        delete(&own, args)
    })?;
    let own = generator.clone();
    let help = "packet-generator new { name S | limit N | rate R | size A-B | maxframe N | worker N | \
                interface I | source pgN | node NODE | pcap F | data { ... } }";
    cli.command("packet-generator new", help, move |_, args| {
        own.define(args.line()).map_err(error)
    })?;
    for (path, on) in [
        ("packet-generator enable-stream", true),
        ("packet-generator disable-stream", false),
    ] {
        let own = generator.clone();
        let help = format!("{path} [<stream name>]");
        cli.command(path, &help, move |_, args| switch(&own, args, on))?;
    }
    let own = generator.clone();
    let help = "packet-generator delete <stream name>";
    cli.command("packet-generator delete", help, move |_, args| {
        let name = args.word().unwrap_or_default();
        own.remove(name).map_err(error)?;
        args.finish()
    })?;
    let own = generator.clone();
    let help = "packet-generator configure <stream name> [limit N] [rate R] [size A-B]";
    cli.command("packet-generator configure", help, move |_, args| {
        configure(&own, args)
    })?;
    let own = generator.clone();
    let help = "packet-generator capture <interface name> pcap <filename> [count <n>] [disable]";
    cli.command("packet-generator capture", help, move |_, args| {
        capture(&own, args)
    })?;
    let own = generator.clone();
    let help = "show packet-generator interface {<interface name> | sw_if_index <sw_idx>}";
    cli.command("show packet-generator interface", help, move |cx, args| {
        cx.print(describe(&own, &port(&own, args)?));
        Ok(())
    })?;
    let own = generator.clone();
    let help = "show packet-generator [verbose]";
    cli.command_async("show packet-generator", help, move |task, line| {
        show(own.clone(), task, line)
    })
}

fn error(error: PgError) -> CliError {
    CliError::new(error.to_string())
}

fn create(generator: &PacketGenerator, args: &mut Args<'_>) -> CliResult {
    let mut options = PortOptions::default();
    let mut id = None;
    while !args.is_empty() {
        if let Some(wanted) = args.parsed(port_number) {
            id = Some(wanted);
        } else if args.keyword("coalesce-enabled") {
            options.coalesce = true;
        } else if args.keyword("gso-enabled") {
            let size = args.option("gso-size", Args::number);
            options.gso_size = Some(size.ok_or("gso enabled but gso size missing")?);
        } else if args.keyword("csum-offload-enabled") {
            options.checksum_offload = true;
        } else if let Some(mac) = args.option("hw-addr", Args::mac) {
            options.mac = Some(MacAddress(mac));
        } else if let Some(mode) = args.option("mode", mode) {
            options.mode = mode;
        } else {
            return Err(args.unknown_input());
        }
    }
    let id: u32 = id.ok_or("please specify interface name")?;
    let made = generator.create_interface(id, &options);
    made.map(drop)
        .map_err(|failed| CliError::new(failed.to_string()))
}

/// The number in `pgN`, which VPP prints as a signed one: `pg-1` is the interface of streams without a source.
fn port_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("pg")?;
    let signed = || Some(number.parse::<i32>().ok()?.cast_unsigned());
    number.parse().ok().or_else(signed)
}

fn mode(args: &mut Args<'_>) -> Option<PortMode> {
    args.parsed(|word| match word {
        "ethernet" => Some(PortMode::Ethernet),
        "ip4" => Some(PortMode::Ip4),
        "ip6" => Some(PortMode::Ip6),
        _ => None,
    })
}

/// The packet generator interface that all of the arguments name.
fn port(generator: &PacketGenerator, args: &mut Args<'_>) -> Result<Port, CliError> {
    let interfaces = generator.interfaces();
    let mut index = None;
    while !args.is_empty() {
        let named = args
            .option("sw_if_index", Args::number)
            .map(crate::interface::SwIfIndex)
            .or_else(|| args.parsed(|word| interfaces.by_name(word)));
        index = Some(named.ok_or_else(|| args.unknown_input())?);
    }
    let index = index.ok_or("please specify interface name or sw_if_index")?;
    generator
        .ports()
        .by_index(index)
        .ok_or_else(|| "not a pg interface".into())
}

fn delete(generator: &PacketGenerator, args: &mut Args<'_>) -> CliResult {
    let port = port(generator, args)?;
    let deleted = generator.delete_interface(port.index);
    deleted.map_err(|_| "error on deleting pg interface".into())
}

fn switch(generator: &PacketGenerator, args: &mut Args<'_>, on: bool) -> CliResult {
    let mut names = Vec::new();
    while let Some(name) = args.peek() {
        if !generator
            .streams()
            .iter()
            .any(|stream| *stream.name == *name)
        {
            return Err(args.unknown_input());
        }
        names.extend(args.word());
    }
    let done = match (names.as_slice(), on) {
        ([], true) => generator.enable_all(),
        ([], false) => {
            generator.disable_all();
            Ok(())
        }
        (names, true) => names.iter().try_for_each(|name| generator.enable(name)),
        (names, false) => names.iter().try_for_each(|name| generator.disable(name)),
    };
    done.map_err(error)
}

fn configure(generator: &PacketGenerator, args: &mut Args<'_>) -> CliResult {
    let name = args.word().unwrap_or_default();
    if !generator
        .streams()
        .iter()
        .any(|stream| *stream.name == *name)
    {
        let got = quote(name);
        return Err(CliError::new(format!("expecting stream name; got `{got}'")));
    }
    let changes = read_changes(args)?;
    generator.configure(name, changes).map_err(error)
}

fn capture(generator: &PacketGenerator, args: &mut Args<'_>) -> CliResult {
    let (mut index, mut file, mut count, mut disable) = (None, None, None, false);
    while !args.is_empty() {
        if let Some(path) = args.option("pcap", Args::word) {
            file = Some(path);
        } else if let Some(most) = args.option("count", Args::number::<u32>) {
            count = (most != u32::MAX).then_some(u64::from(most));
        } else if args.keyword("disable") {
            disable = true;
        } else if let Some(found) = args.parsed(|word| generator.interfaces().by_name(word)) {
            index = Some(found);
        } else {
            return Err(args.unknown_input());
        }
    }
    let index = index.ok_or("Please specify interface name")?;
    if disable {
        return generator.end_capture(index).map_err(error);
    }
    generator
        .ports()
        .by_index(index)
        .ok_or_else(|| error(PgError::NotAPort))?;
    let file = file.ok_or("Please specify pcap file name")?;
    generator
        .capture(index, Path::new(file), count)
        .map_err(error)
}

/// The lines of `show packet-generator interface`.
fn describe(generator: &PacketGenerator, port: &Port) -> String {
    let interfaces = generator.interfaces();
    let name = interfaces.name(port.index).unwrap_or_default();
    let mut text = format!(
        "Interface: {name}\n  id: {}\n  mode: {}\n",
        port.id, port.mode
    );
    if port.mode == PortMode::Ethernet
        && let Some(hw) = interfaces.hw_of(port.index)
    {
        text.push_str(&format!("  hw-addr: {}\n", hw.mac));
    }
    let gso = match port.offloads {
        Offloads::Gso(size) => Some(size),
        Offloads::Checksums | Offloads::None => None,
    };
    let checksums = u8::from(port.offloads == Offloads::Checksums);
    text.push_str(&format!("  csum_offload_enabled: {checksums}\n"));
    text.push_str(&format!("  gso_enabled: {}\n", u8::from(gso.is_some())));
    if let Some(size) = gso {
        text.push_str(&format!("    gso_size: {size}\n"));
    }
    text.push_str(&format!(
        "  coalesce_enabled: {}\n",
        u8::from(port.is_coalescing())
    ));
    text
}

/// `show packet-generator`. What is shown as off was off before the wait, so that it has been seen.
async fn show(generator: PacketGenerator, task: CliTask, arguments: String) -> CliResult {
    let mut args = Args::new(&arguments);
    let verbose = args.keyword("verbose");
    args.finish()?;
    let streams = generator.streams();
    generator.settle().await;
    if streams.is_empty() {
        task.print("no streams currently defined");
        return Ok(());
    }
    let buffer_size = generator.control().pool().data_size();
    task.print(heading());
    streams
        .iter()
        .for_each(|stream| task.print(line(stream, buffer_size, verbose)));
    Ok(())
}
