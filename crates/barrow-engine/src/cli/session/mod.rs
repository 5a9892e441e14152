//! CLI sessions.
//!
//! [`Session`] is a protocol machine between a byte stream and the dispatcher. Bytes and command output go in, bytes and
//! requests come out; it has no socket, no clock and runs no command:
//!
//! ```text
//!           bytes                       Execute(request)
//!  socket ────────▶  telnet ─▶ editor ─────────────────▶  execute()
//!         ◀────────  screen ◀─ pager  ◀─────────────────
//!           Transmit                    Text, Finished
//! ```
//!
//! [`CliSession`] is what the machine and the commands it has run share: the terminal's properties, the macros, the
//! output, and the wish to quit.
//!
//! The protocol and every byte of its answers are VPP's, as described for its `vlib/unix/cli.c`; deviations:
//! telnet sequences are taken out of line-mode input too, a request that arrives in pieces is put together, type-ahead
//! and requests are bounded, and no key is lost behind a control code.

mod banner;
mod editor;
mod handle;
mod history;
mod input;
mod keys;
mod machine;
mod pager;
mod screen;
mod telnet;

#[cfg(test)]
mod tests;

pub use handle::{CliSession, CliSessions, SessionKind, SessionSettings, Terminal, TerminalMode};
pub use history::History;
pub use machine::{Session, SessionInput, SessionOutput};
