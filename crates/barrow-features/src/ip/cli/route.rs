//! `ip route`.
//!
//! ```text
//! ip route add 20.0.0.0/8 via 10.0.1.2 pg1
//! ip route add table 7 1.0.0.0/24 count 1000 via 10.0.1.2 pg1 weight 2 via 10.0.2.2 pg2
//! ip route add 2.0.0.0/8 via 3.3.3.3 next-hop-table 7 resolve-via-host
//! ip route del 20.0.0.0/8
//! ```
//!
//! Adding joins the paths that the route has, deleting with paths takes these only, deleting without takes
//! the route (`vnet_ip_route_cmd` in `vpp:src/vnet/ip/lookup.c`).

use super::format::scientific;
use super::{Commands, IpCli, fib_error};
use crate::fib::{RouteChange, RoutePath, Source};
use crate::interface::SwIfIndex;
use crate::interface::cli::take_interface;
use barrow_engine::cli::{Args, CliContext, CliError, CliResult};
use std::net::{IpAddr, Ipv4Addr};

pub(super) const COMMANDS: Commands = &[(
    "ip route",
    "ip route [add|del] [count <n>] <dst-ip-addr>/<width> [table <table-id>] via [next-hop-address] \
     [next-hop-interface] [next-hop-table <value>] [weight <value>] [preference <value>] \
     [resolve-via-host] [resolve-via-attached] [drop|local|unreachable|prohibited] \
     [lookup in table <value>] [rx-ip4 <interface>]",
    IpCli::route,
)];

/// Routes that one command changes at most: more than there can be.
const MOST_AT_ONCE: f64 = (1 << 24) as f64;

/// What a command asks for.
#[derive(Clone, PartialEq, Debug)]
struct Request {
    is_add: bool,
    table_id: u32,
    count: u32,
    prefixes: Vec<(IpAddr, u32)>,
    paths: Vec<RoutePath>,
}

impl IpCli {
    fn route(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let request = read(args, |args| take_interface(args, &self.interfaces))?;
        if request.prefixes.is_empty() {
            return Err(CliError::new(
                "expected ip4/ip6 destination address/length.",
            ));
        }
        if request.is_add && request.paths.is_empty() {
            return Err(CliError::new("expected paths."));
        }
        if self.table(request.table_id).is_none() {
            let id = request.table_id;
            return Err(CliError::new(format!("Nonexistent table id {id}")));
        }
        for (address, len) in &request.prefixes {
            self.change_routes(cx, &request, *address, *len)?;
        }
        Ok(())
    }

    /// Changes `count` routes, one prefix after the other.
    fn change_routes(
        &self,
        cx: &mut CliContext<'_>,
        request: &Request,
        address: IpAddr,
        len: u32,
    ) -> CliResult {
        let IpAddr::V4(first) = address else {
            return Err(CliError::new("address family not supported"));
        };
        let is_whole = !request.is_add && request.paths.is_empty();
        let count = if is_whole { 1 } else { request.count };
        let begin = self.clock.now();
        for step in 0..count {
            let Some(valid) = u8::try_from(len).ok().filter(|len| *len <= 32) else {
                cx.print(format_args!("Invalid prefix len: {len}"));
                continue;
            };
            let stride = 1u32.checked_shl(32 - u32::from(valid)).unwrap_or(0);
            let address = first.to_bits().wrapping_add(stride.wrapping_mul(step));
            let change = RouteChange {
                table_id: request.table_id,
                address: Ipv4Addr::from_bits(address).into(),
                len: valid,
                source: Source::CLI,
                is_add: request.is_add,
                is_multipath: !is_whole,
                paths: &request.paths,
            };
            self.fib.route_add_del(&change).map_err(fib_error)?;
        }
        if count > 1 {
            let took = self.clock.now().saturating_since(begin).as_secs_f64();
            let rate = scientific(f64::from(count) / took);
            cx.print(format_args!("{rate} routes/sec"));
        }
        Ok(())
    }
}

/// Reads the arguments; `interface` takes an interface.
fn read(
    args: &mut Args<'_>,
    interface: impl Fn(&mut Args<'_>) -> Option<SwIfIndex>,
) -> Result<Request, CliError> {
    let mut request = Request {
        is_add: true,
        table_id: 0,
        count: 1,
        prefixes: Vec::new(),
        paths: Vec::new(),
    };
    while !args.is_empty() {
        if args.keyword("add") {
            request.is_add = true;
        } else if args.keyword("del") {
            request.is_add = false;
        } else if let Some(id) = args.option("table", Args::number) {
            request.table_id = id;
        } else if let Some(count) = args.option("count", Args::float) {
            if !(0.0..=MOST_AT_ONCE).contains(&count) {
                return Err(CliError::new(format!(
                    "at most {MOST_AT_ONCE} routes at once"
                )));
            }
            request.count = count as u32;
        } else if let Some(prefix) = args.prefix() {
            request.prefixes.push(prefix);
        } else if let Some(path) = read_path(args, &interface) {
            request.paths.push(path);
        } else {
            let rest = args.unknown_input();
            let rest = rest.text().trim_start_matches("unknown input ");
            return Err(CliError::new(format!("parse error: {rest}")));
        }
    }
    Ok(request)
}

/// Takes `via` and the path behind it, or nothing.
fn read_path(
    args: &mut Args<'_>,
    interface: impl Fn(&mut Args<'_>) -> Option<SwIfIndex>,
) -> Option<RoutePath> {
    args.attempt(|args| {
        if !args.keyword("via") {
            return None;
        }
        let mut path = RoutePath::default();
        let mut any = false;
        while read_path_part(args, &mut path, &interface) {
            any = true;
        }
        any.then_some(path)
    })
}

/// Takes the next part of a path; says whether there was one.
fn read_path_part(
    args: &mut Args<'_>,
    path: &mut RoutePath,
    interface: impl Fn(&mut Args<'_>) -> Option<SwIfIndex>,
) -> bool {
    if let Some(address) = args.ip() {
        set_next_hop(path, address);
    } else if let Some(weight) = args.option("weight", Args::number) {
        path.weight = weight;
    } else if let Some(preference) = args.option("preference", Args::number) {
        path.preference = preference;
    } else if let Some(id) = args.option("next-hop-table", Args::number) {
        path.table_id = id;
    } else if let Some(id) = lookup_table(args) {
        path.table_id = id;
        path.sw_if_index = u32::MAX;
    } else if args.keyword("resolve-via-host") {
        path.flags |= RoutePath::VIA_HOST;
    } else if args.keyword("resolve-via-attached") {
        path.flags |= RoutePath::VIA_ATTACHED;
    } else if let Some(index) = args.option("rx-ip4", &interface) {
        path.path_type = RoutePath::INTERFACE_RX;
        path.sw_if_index = index.0;
    } else if let Some(kind) = special(args) {
        path.path_type = kind;
    } else if let Some(index) = interface(args) {
        path.sw_if_index = index.0;
    } else {
        return false;
    }
    true
}

/// `lookup in table N` or `ip4-lookup-in-table N`.
fn lookup_table(args: &mut Args<'_>) -> Option<u32> {
    args.option("ip4-lookup-in-table", Args::number)
        .or_else(|| {
            args.attempt(|args| {
                let found = ["lookup", "in", "table"]
                    .iter()
                    .all(|word| args.keyword(word));
                found.then(|| args.number()).flatten()
            })
        })
}

/// The word of a path that leads nowhere else.
fn special(args: &mut Args<'_>) -> Option<u32> {
    const WORDS: [(&str, u32); 6] = [
        ("drop", RoutePath::DROP),
        ("local", RoutePath::LOCAL),
        ("unreachable", RoutePath::ICMP_UNREACH),
        ("null-send-unreach", RoutePath::ICMP_UNREACH),
        ("prohibited", RoutePath::ICMP_PROHIBIT),
        ("null-send-prohibit", RoutePath::ICMP_PROHIBIT),
    ];
    args.parsed(|word| {
        let found = WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, kind)| *kind)
    })
}

fn set_next_hop(path: &mut RoutePath, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            path.proto = 0;
            path.next_hop = [0; 16];
            path.next_hop[..4].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            path.proto = 1;
            path.next_hop = address.octets();
        }
    }
}

/// For tests: reads a line without a node.
#[cfg(test)]
fn read_line(line: &str) -> Result<Request, CliError> {
    read(&mut Args::new(line), |args| {
        args.parsed(|word| Some(SwIfIndex(word.strip_prefix("pg")?.parse().ok()?)))
    })
}

/// For tests: the paths of a line, whose interfaces are `pgN`.
#[cfg(test)]
pub(in crate::ip) fn read_paths(line: &str) -> Result<Vec<RoutePath>, CliError> {
    read_line(line).map(|request| request.paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn next_hop(address: [u8; 4]) -> RoutePath {
        let mut path = RoutePath::default();
        set_next_hop(&mut path, IpAddr::from(address));
        path
    }

    #[test]
    fn a_route_has_a_prefix_and_paths_in_any_order() {
        let request = read_line(
            "add table 7 1.0.0.0/24 count 1e3 via 10.0.1.2 pg1 weight 2 via 10.0.2.2 pg2",
        );
        let request = request.unwrap();
        assert_eq!(
            (request.is_add, request.table_id, request.count),
            (true, 7, 1000)
        );
        assert_eq!(request.prefixes, [("1.0.0.0".parse().unwrap(), 24)]);
        let first = RoutePath {
            sw_if_index: 1,
            weight: 2,
            ..next_hop([10, 0, 1, 2])
        };
        let second = RoutePath {
            sw_if_index: 2,
            ..next_hop([10, 0, 2, 2])
        };
        assert_eq!(request.paths, [first, second]);
        assert_eq!(
            read_line("1.0.0.0/24 via 10.0.1.2 pg1 table 7")
                .unwrap()
                .table_id,
            7
        );
    }

    #[test]
    fn paths_are_told_by_their_words() {
        let path = |line: &str| read_line(&format!("1.0.0.0/8 via {line}")).unwrap().paths[0];
        assert_eq!(path("drop").path_type, RoutePath::DROP);
        assert_eq!(path("local").path_type, RoutePath::LOCAL);
        assert_eq!(path("null-send-unreach").path_type, RoutePath::ICMP_UNREACH);
        assert_eq!(path("prohibited").path_type, RoutePath::ICMP_PROHIBIT);
        assert_eq!(
            path("pg3"),
            RoutePath {
                sw_if_index: 3,
                ..RoutePath::default()
            }
        );
        assert_eq!(
            path("lookup in table 9"),
            RoutePath {
                table_id: 9,
                ..RoutePath::default()
            }
        );
        let through = path("3.3.3.3 next-hop-table 9 resolve-via-host preference 4");
        let flags = RoutePath::VIA_HOST;
        let expected = RoutePath {
            table_id: 9,
            flags,
            preference: 4,
            ..next_hop([3, 3, 3, 3])
        };
        assert_eq!(through, expected);
    }

    #[test]
    fn what_means_nothing_is_named() {
        for (line, rest) in [
            ("1.0.0.0/8 via nonsense", "parse error: `via nonsense'"),
            (
                "1.0.0.0/8 via 1.1.1.1 weight 999",
                "parse error: `weight 999'",
            ),
            ("bogus", "parse error: `bogus'"),
        ] {
            assert_eq!(read_line(line).unwrap_err().text(), rest, "{line}");
        }
        assert!(read_line("1.0.0.0/8 count 1e99 via drop").is_err());
        assert!(read_line("1.0.0.0/8 count -1 via drop").is_err());
    }

    proptest! {
        #[test]
        fn no_route_text_makes_it_panic(
            words in prop::collection::vec(
                prop_oneof![
                    "\\PC{0,8}",
                    prop::sample::select(vec![
                        "add", "del", "via", "table", "count", "1.0.0.0/8", "1.1.1.1/99", "::/0",
                        "10.0.0.1", "::1", "pg1", "weight", "300", "1", "-1", "1e400", "lookup", "in",
                        "drop", "local", "next-hop-table", "rx-ip4", "preference", "0xffffffff",
                    ])
                    .prop_map(str::to_owned),
                ],
                0..12,
            )
        ) {
            let _any = read_line(&words.join(" "));
        }
    }
}
