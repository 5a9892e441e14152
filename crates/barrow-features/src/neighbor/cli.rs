//! The commands about neighbours.

use super::counters::{ArpCounters, ArpTotals};
use super::table::{Neighbor, NeighborConfig, NeighborKey, Neighbors, Origin};
use super::watchers::Watchers;
use crate::interface::cli::take_interface;
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip::cli::format::{center, seconds};
use barrow_engine::NodeClock;
use barrow_engine::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};
use barrow_messages::ethernet_types::MacAddress;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Neighbours that one command adds at most.
const MOST_AT_ONCE: u32 = 1 << 20;

/// What the commands work on.
#[derive(Clone)]
pub(super) struct NeighborCli {
    pub(super) neighbors: Neighbors,
    pub(super) interfaces: Interfaces,
    pub(super) counters: ArpCounters,
    pub(super) watchers: Watchers,
    pub(super) clock: NodeClock,
}

type Command = fn(&NeighborCli, &mut CliContext<'_>, &mut Args<'_>) -> CliResult;

impl NeighborCli {
    /// Registers all commands.
    pub(super) fn register(&self, cli: &mut CliRegistry) -> Result<(), DuplicateCommand> {
        let change = "<interface> <ip-address> <mac-address> [static] [no-fib-entry] [count <count>] [delete|flush]";
        let commands: [(&str, String, Command); 10] = [
            (
                "set ip neighbor",
                format!("set ip neighbor {change}"),
                Self::change,
            ),
            (
                "ip neighbor",
                format!("ip neighbor [add|del] {change}"),
                Self::change,
            ),
            (
                "show ip neighbors",
                "show ip neighbors [interface]".into(),
                Self::show,
            ),
            (
                "show ip neighbor",
                "show ip neighbor [interface]".into(),
                Self::show,
            ),
            (
                "show ip4 neighbors",
                "show ip4 neighbors [interface]".into(),
                Self::show,
            ),
            (
                "show ip4 neighbor-sorted",
                "show ip4 neighbor-sorted".into(),
                Self::show_sorted,
            ),
            (
                "show ip neighbor-config",
                "show ip neighbor-config".into(),
                Self::show_config,
            ),
            (
                "set ip neighbor-config",
                "set ip neighbor-config ip4 [limit <limit>] [age <age>] [recycle|norecycle]".into(),
                Self::configure,
            ),
            (
                "show ip neighbor-stats",
                "show ip neighbor-stats [interface]".into(),
                Self::show_stats,
            ),
            (
                "show ip neighbor-watcher",
                "show ip neighbor-watcher".into(),
                Self::show_watchers,
            ),
        ];
        for (path, help, run) in commands {
            let own = self.clone();
            cli.command(path, &help, move |cx, args| run(&own, cx, args))?;
        }
        Ok(())
    }

    fn change(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let change = Change::read(args, &self.interfaces)?;
        if change.flush {
            return self.neighbors.flush(change.interface, true).map_err(text);
        }
        let missing = || CliError::new("specify interface, IP address and MAC");
        let interface = change.interface.ok_or_else(missing)?;
        let address = change.address.ok_or_else(missing)?;
        let first = change.mac.ok_or_else(missing)?;
        for step in 0..change.count {
            let address = Ipv4Addr::from_bits(address.to_bits().wrapping_add(step));
            let key = NeighborKey {
                interface,
                address: IpAddr::V4(address),
            };
            if change.is_add {
                let mac = add_to_mac(first, step);
                let added = self
                    .neighbors
                    .add(key, mac, change.origin, change.no_fib_entry);
                added.map_err(text)?;
            } else {
                self.neighbors.remove(key).map_err(text)?;
            }
        }
        Ok(())
    }

    fn show(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let wanted = take_interface(args, &self.interfaces);
        args.finish()?;
        let all = self.all().into_iter();
        let shown: Vec<_> = all
            .filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key.interface))
            .collect();
        if !shown.is_empty() {
            cx.print(header());
        }
        shown
            .iter()
            .for_each(|(key, entry)| cx.print(self.line(*key, entry)));
        Ok(())
    }

    /// The entries that age, oldest first.
    fn show_sorted(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        args.finish()?;
        let mut dynamic = self.all();
        dynamic.retain(|(_, entry)| entry.origin == Origin::Dynamic);
        dynamic.sort_by_key(|(_, entry)| entry.updated);
        cx.print(header());
        dynamic
            .iter()
            .for_each(|(key, entry)| cx.print(self.line(*key, entry)));
        Ok(())
    }

    fn all(&self) -> Vec<(NeighborKey, Neighbor)> {
        let mut last = None;
        let next = || {
            let (key, entry) = self.neighbors.next(last)?;
            last = Some(key);
            Some((key, entry))
        };
        std::iter::from_fn(next).collect()
    }

    fn line(&self, key: NeighborKey, entry: &Neighbor) -> String {
        let age = seconds(self.clock.now().saturating_since(entry.updated));
        let address = center(&key.address.to_string(), 40);
        let origin = match entry.origin {
            Origin::Dynamic => "D",
            Origin::Static => "S",
        };
        let flags = format!("{origin}{}", if entry.no_fib_entry { "N" } else { "" });
        let mac = center(&entry.mac.to_string(), 20);
        format!(
            "{age:>12}{address}{}{mac}{}",
            center(&flags, 6),
            self.name(key.interface)
        )
    }

    fn name(&self, index: SwIfIndex) -> String {
        self.interfaces
            .name(index)
            .unwrap_or_else(|| "DELETED".to_owned())
    }

    /// IPv6 has no neighbours here: its line shows what VPP starts with.
    fn show_config(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        args.finish()?;
        for (family, config) in [
            ("ip4", self.neighbors.config()),
            ("ip6", NeighborConfig::default()),
        ] {
            let NeighborConfig {
                max_number,
                max_age,
                recycle,
            } = config;
            let (age, recycle) = (max_age.as_secs(), u8::from(recycle));
            cx.print(format_args!("{family}:"));
            cx.print(format_args!(
                "  limit:{max_number}, age:{age}, recycle:{recycle}"
            ));
        }
        Ok(())
    }

    fn configure(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        if !args.keyword("ip4") {
            return Err(args.unknown_input());
        }
        let mut config = self.neighbors.config();
        while !args.is_empty() {
            if let Some(limit) = args.option("limit", Args::number) {
                config.max_number = limit;
            } else if let Some(age) = args.option("age", Args::number::<u32>) {
                config.max_age = Duration::from_secs(age.into());
            } else if args.keyword("recycle") {
                config.recycle = true;
            } else if args.keyword("norecycle") {
                config.recycle = false;
            } else {
                return Err(args.unknown_input());
            }
        }
        self.neighbors.configure(config);
        Ok(())
    }

    fn show_stats(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let wanted = take_interface(args, &self.interfaces);
        args.finish()?;
        let all: Vec<_> = self.interfaces.iter_indexes().collect();
        for index in all
            .into_iter()
            .filter(|index| wanted.is_none_or(|wanted| wanted == *index))
        {
            cx.print(format_args!("  {}", self.name(index)));
            let totals = |received| self.counters.totals(index, received);
            cx.print(format_args!(
                "    arp:{}",
                stats(totals(true), totals(false))
            ));
            let none = ArpTotals::default();
            cx.print(format_args!("    nd: {}", stats(none, none)));
        }
        Ok(())
    }

    fn show_watchers(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        args.finish()?;
        for watch in self.watchers.list() {
            let name = self.name(SwIfIndex(watch.sw_if_index.0));
            cx.print(format_args!("Key: [{name}, {}]", watch.ip));
            cx.print(format_args!(
                "  [pid:{}, client:{}]",
                watch.pid,
                watch.client.get()
            ));
        }
        Ok(())
    }
}

fn text(error: super::NeighborError) -> CliError {
    CliError::new(error.to_string())
}

fn header() -> String {
    let columns = [
        ("Age", 12),
        ("IP", 40),
        ("Flags", 6),
        ("Ethernet", 20),
        ("Interface", 24),
    ];
    columns
        .into_iter()
        .map(|(name, width)| center(name, width))
        .collect()
}

fn stats(rx: ArpTotals, tx: ArpTotals) -> String {
    let side = |totals: ArpTotals| {
        let ArpTotals {
            replies,
            requests,
            gratuitous,
        } = totals;
        format!("[reply:{replies} request:{requests} gratuitous:{gratuitous} ]")
    };
    format!(" rx:{} tx:{}", side(rx), side(tx))
}

/// The address `step` behind another one.
fn add_to_mac(mac: MacAddress, step: u32) -> MacAddress {
    let [a, b, c, d, e, f] = mac.0;
    let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]).wrapping_add(step.into());
    let [_, _, a, b, c, d, e, f] = number.to_be_bytes();
    MacAddress([a, b, c, d, e, f])
}

/// What a command asks for.
struct Change {
    is_add: bool,
    flush: bool,
    interface: Option<SwIfIndex>,
    address: Option<Ipv4Addr>,
    mac: Option<MacAddress>,
    origin: Origin,
    no_fib_entry: bool,
    count: u32,
}

impl Change {
    fn read(args: &mut Args<'_>, interfaces: &Interfaces) -> Result<Self, CliError> {
        let mut change = Self {
            is_add: true,
            flush: false,
            interface: None,
            address: None,
            mac: None,
            origin: Origin::Dynamic,
            no_fib_entry: false,
            count: 1,
        };
        while !args.is_empty() {
            if args.keyword("add") {
                change.is_add = true;
            } else if args.keyword("del") || args.keyword("delete") {
                change.is_add = false;
            } else if args.keyword("flush") {
                change.flush = true;
            } else if args.keyword("static") {
                change.origin = Origin::Static;
            } else if args.keyword("no-fib-entry") {
                change.no_fib_entry = true;
            } else if let Some(count) = args.option("count", Args::number) {
                change.count = count;
            } else if let Some(address) = args.ip4() {
                change.address = Some(address);
            } else if let Some(mac) = args.mac() {
                change.mac = Some(MacAddress(mac));
            } else if let Some(interface) = take_interface(args, interfaces) {
                change.interface = Some(interface);
            } else {
                return Err(args.unknown_input());
            }
        }
        if change.count > MOST_AT_ONCE {
            return Err(CliError::new(format!("at most {MOST_AT_ONCE} at once")));
        }
        Ok(change)
    }
}
