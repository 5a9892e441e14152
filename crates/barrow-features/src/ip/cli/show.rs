//! What the commands show of tables, routes, adjacencies and path MTUs.

use super::{Commands, IpCli};
use crate::adj::AdjIndex;
use crate::fib::{Prefix, ShowFib, ShowPart};
use crate::interface::cli::take_interface;
use crate::ip::PathMtuKey;
use barrow_engine::cli::{Args, CliContext, CliError, CliResult};
use std::fmt;

pub(super) const COMMANDS: Commands = &[
    (
        "show ip fib",
        "show ip fib [summary] [table <table-id>] [index <fib-id>] [<ip4-addr>[/<mask>]] [mtrie] \
         [detail] [memory]",
        IpCli::show_ip_fib,
    ),
    ("show ip table", "show ip table", IpCli::show_ip_table),
    (
        "show fib entry",
        "show fib entry [<index>]",
        IpCli::show_fib_entry,
    ),
    (
        "show fib paths",
        "show fib paths [<index>]",
        IpCli::show_fib_paths,
    ),
    (
        "show fib path-lists",
        "show fib path-lists [<index>]",
        IpCli::show_fib_path_lists,
    ),
    (
        "show fib source",
        "show fib source [prio]",
        IpCli::show_fib_source,
    ),
    (
        "show adj",
        "show adj [<adj_index>] [interface] [summary]",
        IpCli::show_adj,
    ),
    (
        "adjacency counters",
        "adjacency counters [enable|disable]",
        IpCli::adjacency_counters,
    ),
    ("show ip pmtu", "show ip pmtu [<index>]", IpCli::show_pmtu),
    (
        "set ip pmtu",
        "set ip pmtu <address> <bytes> [table <table-id>]",
        IpCli::set_pmtu,
    ),
];

/// A session takes all text, so writing to it does not fail.
fn written(result: fmt::Result) -> CliResult {
    result.map_err(|error| CliError::new(error.to_string()))
}

/// An index at the end of a command, if there is one.
fn index(args: &mut Args<'_>) -> Result<Option<u32>, CliError> {
    let index = args.number();
    args.finish()?;
    Ok(index)
}

impl IpCli {
    fn show_ip_fib(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        written(self.fib.show_ip_fib(&what_to_show(args)?, &mut cx.output()))
    }

    fn show_ip_table(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let id: Option<u32> = args.number();
        args.finish()?;
        match id {
            None => written(self.fib.show_ip_table(&mut cx.output())),
            Some(id) => {
                let table = self.table(id).and_then(|table| self.fib.table(table));
                let none = || CliError::new(format!("Couldn't find table with table_id {id}"));
                let table = table.ok_or_else(none)?;
                cx.print(format_args!(
                    "[{}] table_id:{id} {}",
                    table.index, table.name
                ));
                Ok(())
            }
        }
    }

    fn show_fib_entry(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        written(self.fib.show_entry(index(args)?, &mut cx.output()))
    }

    fn show_fib_paths(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        written(self.fib.show_paths(index(args)?, &mut cx.output()))
    }

    fn show_fib_path_lists(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        written(self.fib.show_path_lists(index(args)?, &mut cx.output()))
    }

    fn show_fib_source(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let by_priority = args.abbreviation("priority", 4);
        args.finish()?;
        written(self.fib.show_sources(by_priority, &mut cx.output()))
    }

    fn show_adj(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let (mut one, mut interface, mut summary) = (None, None, false);
        while !args.is_empty() {
            if let Some(index) = args.number() {
                one = Some(AdjIndex(index));
            } else if args.keyword("summary") || args.keyword("sum") {
                summary = true;
            } else if let Some(index) = take_interface(args, &self.interfaces) {
                interface = Some(index);
            } else {
                return Err(args.unknown_input());
            }
        }
        let text = match one {
            _ if summary => self.adjacencies.show_summary(),
            Some(index) => self.adjacencies.show_one(index, &self.fib.paths_of(index)),
            None => self.adjacencies.show(interface),
        };
        cx.output().write(&text);
        Ok(())
    }

    fn adjacency_counters(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let on = match args.one_of(&["enable", "disable"]) {
            Some(word) => word == "enable",
            None => return Err(CliError::new("specify 'enable' or 'disable'")),
        };
        args.finish()?;
        self.adjacencies.set_counting(on);
        Ok(())
    }

    /// Sets a path MTU; 0 takes it back. VPP has this in its API only.
    fn set_pmtu(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let address = args.ip4().ok_or_else(|| args.unknown_input())?;
        let mtu = args.number().ok_or_else(|| args.unknown_input())?;
        let table_id = args.option("table", Args::number).unwrap_or(0);
        args.finish()?;
        let key = PathMtuKey { table_id, address };
        let set = self.path_mtus.set(key, mtu);
        set.map_err(|error| CliError::new(error.to_string()))
    }

    fn show_pmtu(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        if let Some(index) = index(args)? {
            match self.path_mtus.get(index) {
                Some(entry) => cx.print(self.path_mtus.describe(index, &entry)),
                None => cx.print(format_args!("entry {index} invalid")),
            }
            return Ok(());
        }
        let mut from = 0;
        while let Some((index, entry)) = self.path_mtus.next(from) {
            cx.print(self.path_mtus.describe(index, &entry));
            from = index.saturating_add(1);
        }
        Ok(())
    }
}

/// Reads the arguments of `show ip fib`.
fn what_to_show(args: &mut Args<'_>) -> Result<ShowFib, CliError> {
    let mut what = ShowFib::default();
    let (mut brief, mut detail, mut mtrie, mut memory) = (false, false, false, false);
    let mut wanted = None;
    while !args.is_empty() {
        if args.keyword("brief") || args.keyword("summary") || args.keyword("sum") {
            brief = true;
        } else if args.keyword("detail") || args.keyword("det") {
            detail = true;
        } else if args.keyword("mtrie") {
            mtrie = true;
        } else if args.keyword("memory") || args.keyword("mem") {
            memory = true;
        } else if let Some((address, len)) = args.prefix4() {
            let prefix = u8::try_from(len)
                .ok()
                .and_then(|len| Prefix::new(address.into(), len).ok());
            let invalid = || CliError::new(format!("Invalid prefix len: {len}"));
            wanted = Some(prefix.ok_or_else(invalid)?);
        } else if let Some(address) = args.ip4() {
            wanted = Some(Prefix::host(address.into()));
        } else if let Some(id) = args.option("table", Args::number) {
            what.table_id = Some(id);
        } else if let Some(index) = args.option("index", Args::number) {
            what.index = Some(index);
        } else {
            return Err(args.unknown_input());
        }
    }
    what.part = match wanted {
        _ if memory => ShowPart::Memory,
        _ if mtrie => ShowPart::Mtrie { brief },
        _ if brief => ShowPart::Summary,
        Some(prefix) => ShowPart::Match { prefix, detail },
        None => ShowPart::Routes,
    };
    Ok(what)
}
