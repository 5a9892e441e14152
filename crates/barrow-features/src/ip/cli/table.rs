//! `ip table`, `set ip flow-hash`.

use super::{Commands, IpCli, fib_error};
use crate::fib::{AddressFamily, FibIndex, FlowHashConfig, Source};
use barrow_engine::cli::{Args, CliContext, CliError, CliResult};

pub(super) const COMMANDS: Commands = &[
    (
        "ip table",
        "ip table [add|del] <table-id> [name <name>]",
        IpCli::change_table,
    ),
    (
        "set ip flow-hash",
        "set ip flow-hash table <table-id> [src] [dst] [sport] [dport] [proto] [reverse] \
         [symmetric] [flowlabel] [gtpv1teid] | router-id <id>",
        IpCli::flow_hash,
    ),
];

impl IpCli {
    /// The IPv4 table of an id.
    pub(super) fn table(&self, id: u32) -> Option<FibIndex> {
        self.fib.find_table(AddressFamily::Ip4, id)
    }

    fn change_table(&self, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let (mut id, mut is_add, mut name) = (None, true, "");
        while !args.is_empty() {
            if let Some(number) = args.number::<u32>() {
                id = Some(number);
            } else if args.keyword("del") {
                is_add = false;
            } else if args.keyword("add") {
                is_add = true;
            } else if let Some(text) = args.option("name", Args::string) {
                name = text;
            } else if !args.keyword("no-mfib") {
                return Err(args.unknown_input());
            }
        }
        match (id, is_add) {
            (Some(0), _) => Err(CliError::new("Can't change the default table")),
            (None, false) => Err(CliError::new("No table id")),
            (Some(id), false) => {
                if let Some(fib) = self.table(id) {
                    self.fib.unlock_table(fib, Source::CLI);
                }
                Ok(())
            }
            (id, true) => {
                let free = || self.fib.unused_table_id(AddressFamily::Ip4);
                let new = id
                    .or_else(free)
                    .ok_or_else(|| CliError::new("no id is free"))?;
                let added = self
                    .fib
                    .add_table(AddressFamily::Ip4, new, name, Source::CLI);
                added.map_err(fib_error)?;
                if id.is_none() {
                    cx.print(new);
                }
                Ok(())
            }
        }
    }

    fn flow_hash(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        if args.is_empty() {
            return Err(args.unknown_input());
        }
        if let Some(id) = args.option("router-id", Args::number) {
            self.forwarding.set_router_id(id);
            return args.finish();
        }
        let (mut id, mut config) = (0, FlowHashConfig::from_bits(0));
        while !args.is_empty() {
            if let Some(number) = args.option("table", Args::number) {
                id = number;
            } else if let Some(field) = args.parsed(FlowHashConfig::from_name) {
                config = config | field;
            } else {
                return Err(args.unknown_input());
            }
        }
        let table = self.table(id);
        let table = table.ok_or_else(|| CliError::new(format!("no such FIB table {id}")))?;
        self.fib.set_flow_hash(table, config).map_err(fib_error)
    }
}
