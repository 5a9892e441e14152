//! The commands about tables, routes and addresses.

mod address;
pub(crate) mod format;
pub(super) mod route;
mod show;
mod table;
#[cfg(test)]
mod tests;

use super::{Addresses, PathMtus};
use crate::adj::AdjTable;
use crate::fib::{Fib, FibError};
use crate::interface::Interfaces;
use crate::ip4::Forwarding;
use barrow_engine::NodeClock;
use barrow_engine::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};

/// What the commands work on.
#[derive(Clone, Debug)]
pub(super) struct IpCli {
    pub(super) interfaces: Interfaces,
    pub(super) fib: Fib,
    pub(super) adjacencies: AdjTable,
    pub(super) addresses: Addresses,
    pub(super) path_mtus: PathMtus,
    pub(super) forwarding: Forwarding,
    pub(super) clock: NodeClock,
}

type Command = fn(&IpCli, &mut CliContext<'_>, &mut Args<'_>) -> CliResult;

impl IpCli {
    /// Registers all commands.
    pub(super) fn register(&self, cli: &mut CliRegistry) -> Result<(), DuplicateCommand> {
        cli.group("ip", "Internet protocol (IP) commands");
        cli.group("show ip", "Internet protocol (IP) show commands");
        for (path, help, run) in [
            address::COMMANDS,
            route::COMMANDS,
            table::COMMANDS,
            show::COMMANDS,
        ]
        .concat()
        {
            let own = self.clone();
            cli.command(path, help, move |cx, args| run(&own, cx, args))?;
        }
        Ok(())
    }
}

/// A table of commands: path, help, what it does.
type Commands = &'static [(&'static str, &'static str, Command)];

fn fib_error(error: FibError) -> CliError {
    CliError::new(error.to_string())
}
