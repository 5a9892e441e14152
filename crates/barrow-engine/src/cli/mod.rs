//! The command line: its language, its commands and its sessions.
//!
//! * The language: [`CliRegistry`] holds commands by path (`show interface`), [`Args`] is what a command reads the rest
//!   of its line with, [`execute`] runs a request of one or more commands. Any word of a path may be abbreviated while it
//!   stays unique; what a command leaves unread is the next command.
//! * The session: [`Session`] is the state machine between a terminal (or `vppctl`) and `execute`, without socket or
//!   clock. It speaks the telnet subset, edits lines, keeps history and pages.
//! * The commands that belong to neither packet kernel nor feature: [`register_shell`], [`register_clock`] and others.
//!
//! The same registry serves the CLI socket, the API's `cli_inband`, scripts and start-up.

mod args;
mod clock;
mod context;
mod error;
mod execute;
mod files;
mod help;
mod identity;
mod macros;
mod output;
mod process;
mod registry;
mod script;
mod server;
mod session;
mod shell;
mod terminal;
mod threads;

#[cfg(test)]
mod tests;

pub use args::Args;
pub use clock::register_clock;
pub use context::{CliContext, CliTask, Interrupted};
pub use error::{CliError, CliResult};
pub use execute::{execute, run_request, run_script};
pub use files::{FileInfo, register_files};
pub use identity::{Identity, register_identity};
pub use macros::{Macros, TooManyMacros};
pub use output::Output;
pub use process::{PluginInfo, register_process};
pub use registry::{CliHandle, CliRegistry, DuplicateCommand};
pub use script::script_lines;
pub use server::{AcceptErrors, AcceptSessions, CliListener, CliServer, RequestLog, SessionUnit};
pub use session::{
    CliSession, CliSessions, History, Session, SessionInput, SessionKind, SessionOutput,
    SessionSettings, Terminal, TerminalMode,
};
pub use shell::{ShellHost, Sleep, read_script, register_shell, sleep_on};
pub use threads::{ThreadInfo, register_threads};
