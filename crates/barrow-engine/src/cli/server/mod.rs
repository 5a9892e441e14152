//! Sessions on sockets: the process node that accepts them, and the unit that drives each.

mod accept;
mod requests;
mod unit;

#[cfg(test)]
mod tests;

pub use accept::{AcceptErrors, AcceptSessions, CliListener};
pub use requests::RequestLog;
pub use unit::SessionUnit;

use super::{CliRegistry, CliSession, CliSessions, Macros, SessionKind, SessionSettings};
use crate::log::Class;
use barrow_core::Instant;
use barrow_runtime::io::ByteStream;
use std::{fmt, rc::Rc};

/// What all sessions of a socket work with.
#[derive(Clone)]
pub struct CliServer {
    /// The commands.
    pub registry: Rc<CliRegistry>,
    /// What sessions have in common.
    pub settings: Rc<SessionSettings>,
    /// The macros they fall back to.
    pub macros: Rc<Macros>,
    /// Where they are listed.
    pub sessions: CliSessions,
    /// Where their trouble is logged.
    pub log: Class,
    /// Where their requests are written down.
    pub requests: Option<RequestLog>,
}

impl CliServer {
    /// The unit of a session on `stream`, whose descriptor has the number `descriptor`.
    pub fn session<S: ByteStream>(
        &self,
        kind: SessionKind,
        stream: S,
        descriptor: i32,
        now: Instant,
    ) -> SessionUnit<S> {
        let (settings, macros) = (self.settings.clone(), self.macros.clone());
        let handle = CliSession::terminal_session(kind, descriptor, settings, macros);
        self.sessions.add(&handle);
        SessionUnit::new(self.clone(), handle, stream, now)
    }

    /// The unit of the session on the node's own console: at a terminal of this type, or plain without one.
    pub fn console<S: ByteStream>(
        &self,
        terminal: Option<&str>,
        stream: S,
        now: Instant,
    ) -> SessionUnit<S> {
        let (settings, macros) = (self.settings.clone(), self.macros.clone());
        let handle = CliSession::terminal_session(SessionKind::Console, 0, settings, macros);
        if let Some(mut own) = handle.terminal() {
            match terminal {
                Some(name) if !self.settings.line_mode => own.set_type(name.as_bytes()),
                _ => own.make_non_interactive(),
            }
        }
        self.sessions.add(&handle);
        SessionUnit::new(self.clone(), handle, stream, now)
    }
}

impl fmt::Debug for CliServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliServer")
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
