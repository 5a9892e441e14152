//! The commands that show and clear what the kernel counts.
//!
//! Columns and words follow FD.io VPP 26.06 (`vpp:src/vlib/node_cli.c`, `error.c`, `buffer.c`), whose
//! users' scripts read them.

mod buffers;
mod errors;
mod graph;
mod memory;
mod node;
mod processes;
mod runtime;
mod statistics;

#[cfg(test)]
mod tests;

use crate::cli::{Args, CliError, CliRegistry, DuplicateCommand};
use crate::control::Control;
use crate::node::NodeInfo;

/// Registers all of them. `thread_prefix` begins the names of threads.
pub(crate) fn register(
    cli: &mut CliRegistry,
    control: &Control,
    thread_prefix: &str,
) -> Result<(), DuplicateCommand> {
    runtime::register(cli, control, thread_prefix)?;
    errors::register(cli, control, thread_prefix)?;
    node::register(cli, control)?;
    processes::register(cli, control)?;
    graph::register(cli, control)?;
    buffers::register(cli, control)?;
    memory::register(cli, control)?;
    statistics::register(cli, control)
}

/// The name of a thread.
fn thread_name(prefix: &str, thread: usize) -> String {
    match thread {
        0 => format!("{prefix}_main"),
        worker => format!("{prefix}_wk_{}", worker - 1),
    }
}

/// A node by its name, or by `index N`.
fn node_argument(control: &Control, args: &mut Args<'_>) -> Result<NodeInfo, CliError> {
    let by_index = |args: &mut Args<'_>| {
        let index = args.option("index", Args::number)?;
        control.node(crate::NodeId::from_index(index)?)
    };
    let by_name = |args: &mut Args<'_>| control.node(control.node_by_name(args.word()?)?);
    let node = args.attempt(by_index).or_else(|| args.attempt(by_name));
    node.ok_or_else(|| args.unknown_input())
}
