//! Routes, paths and load balances as text.

use super::entry::EntryIndex;
use super::path_list::{ListIndex, Path, PathList};
use super::record::Record;
use super::state::State;
use super::table::Table;
use super::{Dpo, DpoKind, FibIndex, LbIndex, PathKind};
use crate::adj::{AdjIndex, AdjKind};
use crate::interface::SwIfIndex;
use crate::ip4::mtrie::{Found, Ip4Mtrie, Visit};
use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::net::Ipv4Addr;

/// How much to print of a route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Brief,
    Sources,
    Everything,
}

/// The most lines of one route's destinations: recursion over many paths multiplies them.
const MAX_LINES: u32 = 10_000;

pub(super) type Out<'a> = &'a mut dyn Write;

impl State {
    pub(super) fn show_header(&self, fib: FibIndex, table: &Table, out: Out<'_>) -> fmt::Result {
        let flags = if table.resync { "resync" } else { "none" };
        write!(
            out,
            "{}, fib_index:{fib}, flow hash:[{}] epoch:{} flags:{flags} locks:[",
            table.name, table.flow_hash, table.epoch
        )?;
        for (source, locks) in table.locks() {
            write!(out, "{source}:{locks}, ")?;
        }
        writeln!(out, "]")
    }

    pub(super) fn show_routes(&self, fib: FibIndex, out: Out<'_>) -> fmt::Result {
        let mut entries = self.entries.of_table(fib);
        // longer ones of an address first, but the default route before all
        entries.sort_unstable_by_key(|&entry| {
            let (address, len) = self.entries.get(entry).ip4();
            (address, len != 0, 32 - len)
        });
        entries
            .into_iter()
            .try_for_each(|entry| self.show_entry(entry, Level::Brief, out))
    }

    pub(super) fn trie_bytes(&self, mtrie: &Ip4Mtrie) -> usize {
        let mut plies = 0;
        mtrie.walk(&self.plies, &mut |visit| {
            plies += usize::from(matches!(visit.found, Found::Ply { .. }));
        });
        Ip4Mtrie::ROOT_BYTES + plies * 1024
    }

    pub(super) fn show_mtrie(&self, mtrie: &Ip4Mtrie, brief: bool, out: Out<'_>) -> fmt::Result {
        let memory = memory_size(self.trie_bytes(mtrie));
        writeln!(
            out,
            "16-8-8: {} plies, memory usage {memory}",
            self.plies.len()
        )?;
        if brief {
            return Ok(());
        }
        writeln!(out, "root-ply")?;
        let mut result = Ok(());
        mtrie.walk(&self.plies, &mut |Visit {
                                          address,
                                          len,
                                          depth,
                                          found,
                                      }| {
            if result.is_err() {
                return;
            }
            let indent = usize::from(depth) - 12;
            let address = Ipv4Addr::from_bits(address);
            let pad = "";
            result = match found {
                Found::LoadBalance(lb) => {
                    writeln!(out, "{pad:indent$}{address}/{len} lb-index {lb}")
                }
                Found::Ply { index, own } => {
                    let deeper = indent + 4;
                    writeln!(out, "{pad:indent$}{address}/{len} next ply {index}").and_then(|()| {
                        writeln!(
                            out,
                            "{pad:deeper$}ply index {index}, {own} non-empty leaves"
                        )
                    })
                }
            };
        });
        result
    }

    pub(super) fn show_entry(&self, entry: EntryIndex, level: Level, out: Out<'_>) -> fmt::Result {
        let record = self.entries.get(entry);
        write!(out, "{}", record.prefix())?;
        if level == Level::Brief {
            writeln!(out)?;
        } else {
            let records = self.entries.records(entry);
            let children = self.children.get(&entry).map_or(0, BTreeSet::len);
            let locks = 1 + records.len() + children;
            write!(out, " fib:{} index:{} locks:{locks}", record.fib(), entry.0)?;
            for record in &records {
                self.show_record(entry, record, out)?;
            }
            write!(out, "\n forwarding: ")?;
        }
        if !record.is_installed() {
            return writeln!(out, "  UNRESOLVED");
        }
        writeln!(out, "  unicast-ip4-chain")?;
        write!(out, "  [@0]: ")?;
        self.show_load_balance(entry.lb(), 2, &mut { MAX_LINES }, out)?;
        writeln!(out)?;
        if level == Level::Everything {
            writeln!(out, " Delegates:")?;
            if let Some(covered) = self.covered.get(&entry) {
                let covered: String = covered
                    .iter()
                    .map(|entry| format!("{{entry:{}}}", entry.0))
                    .collect();
                writeln!(out, "  covered:[{covered}]")?;
            }
            let lists = self.children.get(&entry).into_iter().flatten();
            let paths = lists.flat_map(|&list| &self.lists.get(list).paths);
            let paths = paths.filter(|path| path.via == Some(entry));
            let children: String = paths
                .map(|path| format!("{{path:{}}}", path.number))
                .collect();
            writeln!(out, " Children:{children}")?;
        }
        Ok(())
    }

    fn show_record(&self, entry: EntryIndex, record: &Record, out: Out<'_>) -> fmt::Result {
        let Record {
            source,
            flags,
            list,
            refs,
            stale,
            ..
        } = record;
        write!(out, "\n  {source} refs:{refs}")?;
        if !flags.is_empty() {
            write!(out, " entry-flags:{flags}")?;
        }
        let active = self.entries.get(entry).source == *source && list.is_some();
        write!(out, " src-flags:added,")?;
        if active {
            write!(out, "contributing,active,")?;
        }
        if *stale {
            write!(out, "stale,")?;
        }
        if record.follows_cover() {
            let cover = self.entries.book(entry).and_then(|book| book.cover);
            write!(
                out,
                " cover:{}",
                cover.map_or(-1, |cover| i64::from(cover.0))
            )?;
        }
        writeln!(out)?;
        match list.and_then(|list| Some((list, self.lists.find(list)?))) {
            Some((index, list)) => self.show_list(index, list, 4, out),
            None => Ok(()),
        }
    }

    pub(super) fn show_list(
        &self,
        index: ListIndex,
        list: &PathList,
        indent: usize,
        out: Out<'_>,
    ) -> fmt::Result {
        let locks = list.locks + list.users;
        write!(out, "{:indent$}path-list:[{}] locks:{locks}", "", index.0)?;
        if !list.flags.is_empty() {
            write!(out, " flags:{}", list.flags)?;
        }
        let interfaces = self.interfaces_of(index);
        write!(
            out,
            " uPRF-list:{} len:{} itfs:[",
            index.0,
            interfaces.len()
        )?;
        for interface in interfaces {
            write!(out, "{interface}, ")?;
        }
        writeln!(out, "]")?;
        list.paths
            .iter()
            .try_for_each(|path| self.show_path(index, path, indent + 2, out))
    }

    /// The interfaces that packets of a list leave by: those that packets from there may come from.
    fn interfaces_of(&self, list: ListIndex) -> BTreeSet<SwIfIndex> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![list];
        while let Some(list) = todo.pop() {
            if !seen.insert(list) {
                continue;
            }
            for path in self.lists.find(list).map_or(&[][..], |it| &it.paths) {
                if let PathKind::AttachedNextHop { interface, .. }
                | PathKind::Attached { interface, .. } = path.spec.kind
                {
                    found.insert(interface);
                }
                todo.extend(path.via.map(|via| self.entries.get(via).list));
            }
        }
        found
    }

    pub(super) fn show_path(
        &self,
        list: ListIndex,
        path: &Path,
        indent: usize,
        out: Out<'_>,
    ) -> fmt::Result {
        let spec = &path.spec;
        let (kind, configured) = match spec.kind {
            PathKind::AttachedNextHop { .. } => ("attached-nexthop", ""),
            PathKind::Attached { .. } => ("attached", "glean,"),
            PathKind::Recursive {
                via_host: true,
                via_attached: true,
                ..
            } => ("recursive", "resolve-host,resolve-attached,"),
            PathKind::Recursive { via_host: true, .. } => ("recursive", "resolve-host,"),
            PathKind::Recursive {
                via_attached: true, ..
            } => ("recursive", "resolve-attached,"),
            PathKind::Recursive { .. } => ("recursive", ""),
            PathKind::Drop => ("special", "drop,"),
            PathKind::Unreachable => ("special", "icmp-unreach,"),
            PathKind::Prohibited => ("special", "icmp-prohibit,"),
            PathKind::Lookup { .. } => ("deag", ""),
            PathKind::InterfaceRx { .. } => ("intf-rx", "interface-rx,"),
            PathKind::Receive { .. } => ("receive", "local,"),
        };
        let (number, index) = (path.number, list.0);
        let (weight, preference) = (spec.weight, spec.preference);
        write!(
            out,
            "{:indent$}path:[{number}] pl-index:{index} ip4 weight={weight} pref={preference} {kind}: ",
            ""
        )?;
        if path.looped || path.resolved || path.dead {
            let flag = |on, name| if on { name } else { "" };
            write!(
                out,
                " oper-flags:{}{}{}",
                flag(path.looped, "recursive-loop,"),
                flag(path.resolved, "resolved,"),
                flag(path.dead, "drop,")
            )?;
        }
        if !configured.is_empty() {
            write!(out, " cfg-flags:{configured}")?;
        }
        let deeper = indent + 2;
        write!(out, "\n{:deeper$}", "")?;
        self.show_target(path, indent, out)?;
        writeln!(out)
    }

    /// Where a path leads, as it was configured.
    fn show_target(&self, path: &Path, indent: usize, out: Out<'_>) -> fmt::Result {
        let name = |interface| self.links.name(interface);
        match path.spec.kind {
            PathKind::AttachedNextHop {
                next_hop,
                interface,
            } if path.dead => {
                write!(out, "{next_hop} if_index:{interface}")
            }
            PathKind::AttachedNextHop {
                next_hop,
                interface,
            } => {
                let peer = self.links.is_point_to_point(interface);
                let peer = if peer { " (p2p)" } else { "" };
                write!(out, "{next_hop} {}{peer}", name(interface))?;
                match path.adjacency {
                    Some(adjacency) => {
                        let text = self.adjacencies.describe(adjacency);
                        write!(out, "\n{:indent$}[@0]: {text}", "")
                    }
                    None => write!(out, "\n{:indent$}  unresolved", ""),
                }
            }
            PathKind::Attached { interface, .. } if path.dead => {
                write!(out, "if_index:{interface}")
            }
            PathKind::Attached { interface, .. } => write!(out, " {}", name(interface)),
            PathKind::Recursive { next_hop, fib, .. } => {
                let via = path.via.map_or(0, |via| via.0);
                write!(out, "via {next_hop} in fib:{fib} via-fib:{via} ")?;
                match path.via.filter(|_| path.resolved) {
                    Some(via) => write!(out, "via-dpo:[dpo-load-balance:{}]", via.lb()),
                    None => write!(out, "via-dpo:[dpo-drop:0]"),
                }
            }
            PathKind::Lookup { fib } => write!(out, " fib-index:{fib}"),
            PathKind::Drop => self.show_plain(Dpo::DROP, path, out),
            PathKind::Unreachable => self.show_plain(Dpo::new(DpoKind::Unreachable, 0), path, out),
            PathKind::Prohibited => self.show_plain(Dpo::new(DpoKind::Prohibited, 0), path, out),
            PathKind::InterfaceRx { interface } => {
                self.show_plain(Dpo::new(DpoKind::InterfaceRx, interface.0), path, out)
            }
            PathKind::Receive { interface, .. } => {
                self.show_plain(Dpo::receive(interface), path, out)
            }
        }
    }

    fn show_plain(&self, dpo: Dpo, path: &Path, out: Out<'_>) -> fmt::Result {
        write!(out, "[@0]: {}", self.plain(dpo, Some(path)))
    }

    /// A destination without anything behind it. A receive prints the address of its path.
    fn plain(&self, dpo: Dpo, path: Option<&Path>) -> String {
        match dpo.kind() {
            DpoKind::Drop => "dpo-drop ip4".into(),
            DpoKind::Punt => "dpo-punt".into(),
            DpoKind::Receive => match path.map(|path| path.spec.kind) {
                Some(PathKind::Receive { interface, address }) if !interface.is_none() => {
                    format!("dpo-receive: {address} on {}", self.links.name(interface))
                }
                _ => "dpo-receive".into(),
            },
            DpoKind::Adjacency => self.adjacencies.describe(AdjIndex(dpo.index())),
            DpoKind::Unreachable => "ip4-null action:send-unreachable".into(),
            DpoKind::Prohibited => "ip4-null action:send-prohibited".into(),
            DpoKind::Lookup => {
                let name = self
                    .tables
                    .get(FibIndex(dpo.index()))
                    .map(|table| table.name.clone());
                let name = name.unwrap_or_else(|_| "DELETED".into());
                format!("dst-address,unicast lookup in {name}")
            }
            DpoKind::InterfaceRx => {
                format!("{}-rx-dpo: ip4", self.links.name(SwIfIndex(dpo.index())))
            }
            DpoKind::LoadBalance => format!("dpo-load-balance: [index:{}]", dpo.index()),
        }
    }

    /// The number that VPP prints before a destination: the next node of ip4-lookup.
    fn next_number(&self, dpo: Dpo) -> u32 {
        match dpo.kind() {
            DpoKind::Drop => 0,
            DpoKind::Punt => 1,
            DpoKind::Adjacency => match self.adjacencies.reader().kind(AdjIndex(dpo.index())) {
                AdjKind::Drop => 0,
                AdjKind::Incomplete => 3,
                AdjKind::Glean => 4,
                AdjKind::Rewrite => 5,
                AdjKind::Broadcast => 7,
            },
            DpoKind::Receive => 11,
            DpoKind::LoadBalance => 12,
            DpoKind::Unreachable | DpoKind::Prohibited => 13,
            DpoKind::Lookup => 15,
            DpoKind::InterfaceRx => 16,
        }
    }

    /// A load balance and, indented, what it leads to; `lines` are left.
    fn show_load_balance(
        &self,
        lb: LbIndex,
        indent: usize,
        lines: &mut u32,
        out: Out<'_>,
    ) -> fmt::Result {
        let Some(entry) = EntryIndex::of(lb).filter(|&entry| self.entries.is_used(entry)) else {
            return write!(out, "dpo-load-balance: [DELETED:{lb}]");
        };
        let list = self.entries.get(entry).list;
        let choice = self.load_balances.reader().load(lb);
        let buckets = self.load_balances.reader().buckets(choice);
        let (to, via) = (
            self.to_counters.totals(lb.0),
            self.via_counters.totals(lb.0),
        );
        write!(
            out,
            "dpo-load-balance: [proto:ip4 index:{lb} buckets:{buckets} uRPF:{} to:[{}:{}]",
            list.0, to.packets, to.bytes
        )?;
        if via.packets != 0 {
            write!(out, " via:[{}:{}]", via.packets, via.bytes)?;
        }
        write!(out, "]")?;
        let path = self.lists.find(list).and_then(|list| list.paths.first());
        for (bucket, dpo) in self.load_balances.reader().destinations(choice).enumerate() {
            let deeper = indent + 2;
            if *lines == 0 {
                return write!(out, "\n{:deeper$}...", "");
            }
            *lines -= 1;
            write!(
                out,
                "\n{:deeper$}[{bucket}] [@{}]: ",
                "",
                self.next_number(dpo)
            )?;
            if dpo.kind() == DpoKind::LoadBalance {
                self.show_load_balance(LbIndex(dpo.index()), indent + 6, lines, out)?;
            } else {
                write!(out, "{}", self.plain(dpo, path))?;
            }
        }
        Ok(())
    }
}

/// `334.44k`
fn memory_size(bytes: usize) -> String {
    let (unit, suffix) = match bytes {
        0..0x400 => return bytes.to_string(),
        0x400..0x10_0000 => (0x400, "k"),
        0x10_0000..0x4000_0000 => (0x10_0000, "m"),
        _ => (0x4000_0000, "g"),
    };
    if bytes.is_multiple_of(unit) {
        format!("{}{suffix}", bytes / unit)
    } else {
        format!("{:.2}{suffix}", bytes as f64 / unit as f64)
    }
}
