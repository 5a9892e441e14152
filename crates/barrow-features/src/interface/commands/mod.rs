//! The commands of interfaces (`vpp:src/vnet/interface_cli.c`).
//!
//! Columns and words are VPP's; help texts are our own. Commands about addresses and tables are with
//! those, in [`crate::ip`].

mod hardware;
mod queues;
mod set;
mod show;
mod sub;

#[cfg(test)]
mod tests;

use super::{InterfaceCounters, Interfaces};
use barrow_engine::{Control, EngineBuilder, RegisterError};

/// What the commands work on.
#[derive(Clone)]
pub(super) struct Shown {
    interfaces: Interfaces,
    counters: InterfaceCounters,
    control: Control,
    /// What names of threads begin with.
    prefix: String,
}

/// Registers all commands.
pub(super) fn register(
    engine: &mut EngineBuilder,
    interfaces: &Interfaces,
    counters: &InterfaceCounters,
) -> Result<(), RegisterError> {
    let shown = Shown {
        interfaces: interfaces.clone(),
        counters: counters.clone(),
        control: engine.control().clone(),
        prefix: engine.settings().cpu.thread_prefix.clone(),
    };
    let cli = engine.cli();
    cli.group("set interface", "Change interfaces");
    show::register(cli, &shown)?;
    hardware::register(cli, &shown)?;
    set::register(cli, interfaces)?;
    queues::register(cli, interfaces)?;
    sub::register(cli, interfaces)?;
    Ok(())
}
