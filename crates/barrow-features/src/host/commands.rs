//! `create host-interface`, `delete host-interface`.

use super::{HostError, Hosts, NewHost};
use crate::interface::Interfaces;
use barrow_engine::cli::{Args, CliError, CliRegistry, DuplicateCommand};
use barrow_messages::ethernet_types::MacAddress;

const CREATE: &str = "create host-interface [v2] name <ifname> [num-rx-queues <n>] \
     [num-tx-queues <n>] [hw-addr <mac-addr>] [mode ip] [qdisc-bypass-disable] [cksum-gso-disable]";
const DELETE: &str = "delete host-interface name <ifname>";

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        Self::new(error.to_string())
    }
}

/// Registers the commands.
pub(super) fn register(
    cli: &mut CliRegistry,
    hosts: &Hosts,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let (table, names) = (hosts.clone(), interfaces.clone());
    cli.command("create host-interface", CREATE, move |cx, args| {
        let index = match table.create(&parse(args)?) {
            // VPP prints the name of the interface that is there already.
            Ok(index) | Err(HostError::Exists(index)) => index,
            Err(error) => return Err(error.into()),
        };
        cx.print(format_args!("{}\n", names.name(index).unwrap_or_default()));
        Ok(())
    })?;
    let table = hosts.clone();
    cli.command("delete host-interface", DELETE, move |_, args| {
        let mut link = None;
        while !args.is_empty() {
            link = Some(
                args.option("name", Args::word)
                    .ok_or_else(|| args.unknown_input())?,
            );
        }
        Ok(table.delete(link.ok_or_else(no_name)?)?)
    })
}

fn no_name() -> CliError {
    CliError::new("missing host interface name")
}

fn parse(args: &mut Args<'_>) -> Result<NewHost, CliError> {
    let mut new = NewHost::of("");
    // There is no transmit ring: its sizes are read and mean nothing.
    while !args.is_empty() {
        if let Some(name) = args.option("name", Args::word) {
            name.clone_into(&mut new.link);
        } else if let Some(size) = args.option("rx-size", Args::number) {
            new.rx_frame_size = size;
        } else if let Some(frames) = args.option("rx-per-block", Args::number) {
            new.rx_frames_per_block = frames;
        } else if let Some(queues) = args.option("num-rx-queues", Args::number) {
            new.rx_queues = queues;
        } else if let Some(queues) = args.option("num-tx-queues", Args::number) {
            new.tx_queues = queues;
        } else if let Some(mac) = args.option("hw-addr", Args::mac) {
            new.mac = Some(MacAddress(mac));
        } else if args.keyword("qdisc-bypass-disable") {
            new.qdisc_bypass = false;
        } else if args.keyword("cksum-gso-disable") {
            new.offloads = false;
        } else if args
            .option("mode", |args| args.keyword("ip").then_some(()))
            .is_some()
        {
            new.bare_ip = true;
        } else if !(args.keyword("v2") || takes_transmit_size(args)) {
            return Err(args.unknown_input());
        }
    }
    if new.link.is_empty() {
        return Err(no_name());
    }
    Ok(new)
}

fn takes_transmit_size(args: &mut Args<'_>) -> bool {
    let size = args.option("tx-size", Args::number::<u32>);
    size.or_else(|| args.option("tx-per-block", Args::number::<u32>))
        .is_some()
}
