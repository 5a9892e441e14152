//! The commands that make tables, addresses, routes and path MTUs again.
//!
//! Routes of the API and of the command line become routes of the command line.

use super::cli::IpCli;
use crate::fib::{AddressFamily, FlowHashConfig, RouteInfo, RoutePath, TableInfo};
use crate::interface::SwIfIndex;
use barrow_engine::{ConfigStage as Stage, RunningConfig};
use std::net::Ipv4Addr;

/// Writes all of it.
pub(super) fn write(ip: &IpCli, config: &mut RunningConfig) {
    if ip.adjacencies.is_counting() {
        config.line(Stage::Settings, 0, "adjacency counters enable");
    }
    let router_id = ip.forwarding.router_id();
    if router_id != 0 {
        let command = format_args!("set ip flow-hash router-id {router_id}");
        config.line(Stage::Settings, 0, command);
    }
    let tables = ip.fib.tables();
    for table in tables
        .iter()
        .filter(|table| table.family == AddressFamily::Ip4)
    {
        write_table(table, config);
    }
    for index in ip.interfaces.iter_indexes() {
        write_interface(ip, index, config);
    }
    let mut cursor = 0;
    while let Some((route, next)) = ip.fib.next_wanted(cursor) {
        cursor = next;
        write_route(ip, &route, config);
    }
    let mut from = 0;
    while let Some((index, entry)) = ip.path_mtus.next(from) {
        from = index + 1;
        let (address, mtu, table) = (entry.key.address, entry.mtu, entry.key.table_id);
        let command = format_args!("set ip pmtu {address} {mtu} table {table}");
        config.line(Stage::Routes, 1, command);
    }
}

fn write_table(table: &TableInfo, config: &mut RunningConfig) {
    let id = table.id;
    if id != 0 {
        let named = table.name != format!("{}-VRF:{id}", table.family);
        let name = if named {
            format!(" name {}", RunningConfig::argument(&table.name))
        } else {
            String::new()
        };
        config.line(Stage::Tables, 0, format_args!("ip table add {id}{name}"));
    }
    if table.flow_hash != FlowHashConfig::DEFAULT {
        let fields = table.flow_hash.to_string();
        let command = format!("set ip flow-hash table {id} {fields}");
        config.line(Stage::Tables, 1, command.trim_end());
    }
}

fn write_interface(ip: &IpCli, index: SwIfIndex, config: &mut RunningConfig) {
    let Some(sw) = ip.interfaces.sw(index) else {
        return;
    };
    let name = &sw.name;
    let table = ip.addresses.table_of(index).ok();
    let table = table.and_then(|table| ip.fib.table(table));
    if let Some(table) = table.filter(|table| table.id != 0) {
        let command = format_args!("set interface ip table {name} {}", table.id);
        config.line(Stage::Bindings, 0, command);
    }
    for address in ip.addresses.of(index) {
        let command = format_args!("set interface ip address {name} {address}");
        config.line(Stage::Addresses, 0, command);
    }
    if let Some(lender) = sw.unnumbered.and_then(|lender| ip.interfaces.name(lender)) {
        let command = format_args!("set interface unnumbered {name} use {lender}");
        config.line(Stage::Borrowed, 0, command);
    }
    if ip.addresses.is_wanted(index) {
        config.line(
            Stage::Borrowed,
            0,
            format_args!("enable ip4 interface {name}"),
        );
    }
    if ip.fib.directed_broadcast(index) {
        let command = format_args!("set interface ip directed-broadcast {name} enable");
        config.line(Stage::Borrowed, 0, command);
    }
}

/// One command a route, so that its paths come at once.
fn write_route(ip: &IpCli, route: &RouteInfo, config: &mut RunningConfig) {
    let name = |index| ip.interfaces.name(SwIfIndex(index));
    let paths: String = route
        .paths
        .iter()
        .filter_map(|path| path_words(path, name))
        .collect();
    if !paths.is_empty() {
        let (prefix, table) = (route.prefix, route.table_id);
        let command = format_args!("ip route add {prefix} table {table}{paths}");
        config.line(Stage::Routes, 0, command);
    }
}

/// A path as `ip route` takes it; nothing when its interface is gone.
fn path_words(path: &RoutePath, name: impl Fn(u32) -> Option<String>) -> Option<String> {
    let mut words = String::from(" via");
    let mut word = |word: &str| {
        words.push(' ');
        words.push_str(word);
    };
    let [a, b, c, d, ..] = path.next_hop;
    let next_hop = Ipv4Addr::new(a, b, c, d);
    let is_normal = path.path_type == RoutePath::NORMAL;
    let has_interface = path.sw_if_index != u32::MAX;
    if !next_hop.is_unspecified() {
        word(&next_hop.to_string());
    }
    if path.path_type == RoutePath::INTERFACE_RX {
        word(&format!("rx-ip4 {}", name(path.sw_if_index)?));
    } else if has_interface {
        word(&name(path.sw_if_index)?);
    } else if is_normal && next_hop.is_unspecified() {
        word(&format!("ip4-lookup-in-table {}", path.table_id));
    } else if is_normal && path.table_id != 0 {
        word(&format!("next-hop-table {}", path.table_id));
    }
    match path.path_type {
        RoutePath::DROP => word("drop"),
        RoutePath::LOCAL => word("local"),
        RoutePath::ICMP_UNREACH => word("unreachable"),
        RoutePath::ICMP_PROHIBIT => word("prohibited"),
        _ => {}
    }
    let flag = |flag| path.flags & flag != 0;
    let options = [
        (flag(RoutePath::VIA_HOST), "resolve-via-host".to_owned()),
        (
            flag(RoutePath::VIA_ATTACHED),
            "resolve-via-attached".to_owned(),
        ),
        (path.weight > 1, format!("weight {}", path.weight)),
        (
            path.preference != 0,
            format!("preference {}", path.preference),
        ),
    ];
    options
        .iter()
        .filter(|(set, _)| *set)
        .for_each(|(_, option)| word(option));
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::cli::route::read_paths;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_path_is_read_as_it_was_written(
            interface in prop_oneof![Just(u32::MAX), Just(1), Just(2)],
            table_id in prop_oneof![Just(0), 1..9_u32],
            next_hop in prop_oneof![Just([0, 0, 0, 0]), any::<[u8; 4]>()],
            path_type in prop::sample::select(vec![
                RoutePath::NORMAL, RoutePath::LOCAL, RoutePath::DROP, RoutePath::ICMP_UNREACH,
                RoutePath::ICMP_PROHIBIT, RoutePath::INTERFACE_RX,
            ]),
            (flags, weight, preference) in (0..4_u32, 1..=255_u8, any::<u8>()),
        ) {
            let rx = path_type == RoutePath::INTERFACE_RX;
            let normal = path_type == RoutePath::NORMAL;
            // The table says something only of paths that are looked up.
            let table_id = if normal && interface == u32::MAX { table_id } else { 0 };
            let mut path = RoutePath {
                sw_if_index: if rx { 1 } else { interface },
                table_id,
                path_type,
                flags: if normal { flags } else { 0 },
                weight,
                preference,
                ..RoutePath::default()
            };
            path.next_hop[..4].copy_from_slice(&next_hop);
            let words = path_words(&path, |index| Some(format!("pg{index}"))).unwrap();
            let read = read_paths(&format!("1.0.0.0/8{words}")).unwrap();
            prop_assert_eq!(read, vec![path], "{}", words);
        }
    }
}
