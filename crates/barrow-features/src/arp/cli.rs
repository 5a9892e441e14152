//! `set arp proxy`, `set interface proxy-arp`, `show arp proxy`.

use super::control::ProxyArp;
use super::proxy::ProxyRange;
use crate::fib::{AddressFamily, Fib};
use crate::interface::Interfaces;
use crate::interface::cli::take_interface;
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, DuplicateCommand};
use std::net::Ipv4Addr;

/// Registers the commands.
pub(super) fn register(
    cli: &mut CliRegistry,
    proxy: &ProxyArp,
    fib: &Fib,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let help = "set arp proxy [del] table-id <table-id> start <start-address> end <end-address>";
    let (own, tables) = (proxy.clone(), fib.clone());
    cli.command("set arp proxy", help, move |_, args| {
        set(&own, &tables, args)
    })?;
    let help = "set interface proxy-arp <interface> [enable|disable]";
    let (own, known) = (proxy.clone(), interfaces.clone());
    cli.command("set interface proxy-arp", help, move |_, args| {
        enable(&own, &known, args)
    })?;
    let own = proxy.clone();
    cli.command("show arp proxy", "show arp proxy", move |cx, args| {
        args.finish()?;
        let ranges = own.ranges();
        if !ranges.is_empty() {
            cx.print("Proxy arps enabled for:");
        }
        for ProxyRange { table, low, high } in ranges {
            cx.print(format_args!("Fib_index {table}   {low} - {high} "));
        }
        Ok(())
    })
}

fn set(proxy: &ProxyArp, fib: &Fib, args: &mut Args<'_>) -> CliResult {
    let (mut low, mut high) = (Ipv4Addr::BROADCAST, Ipv4Addr::BROADCAST);
    let (mut table_id, mut add) = (0, true);
    while !args.is_empty() {
        if let Some(id) = args.option("table-id", Args::number) {
            table_id = id;
        } else if let Some(address) = args.option("start", Args::ip4) {
            low = address;
        } else if let Some(address) = args.option("end", Args::ip4) {
            high = address;
        } else if args.keyword("del") || args.keyword("delete") {
            add = false;
        } else {
            return Err(args.unknown_input());
        }
    }
    let table = fib.find_table(AddressFamily::Ip4, table_id);
    let table = table.ok_or_else(|| CliError::new(format!("no such table: {table_id}")))?;
    let range = ProxyRange { table, low, high };
    proxy
        .set(range, add)
        .map_err(|_| CliError::new("no such range"))
}

fn enable(proxy: &ProxyArp, interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let (mut interface, mut on) = (None, false);
    while !args.is_empty() {
        if args.keyword("enable") || args.keyword("on") {
            on = true;
        } else if args.keyword("disable") || args.keyword("off") {
            on = false;
        } else if let Some(index) = take_interface(args, interfaces) {
            interface = Some(index);
        } else {
            return Err(args.unknown_input());
        }
    }
    let index = interface.ok_or_else(|| args.unknown_input())?;
    proxy
        .enable(index, on)
        .map_err(|error| CliError::new(error.to_string()))
}
