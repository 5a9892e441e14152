//! What a command sees of its session.

use super::{CliSession, Output, Terminal};
use std::{
    cell::RefMut,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// What a command that runs at once is given.
#[derive(Debug)]
pub struct CliContext<'a> {
    session: &'a CliSession,
    path: &'a str,
}

impl<'a> CliContext<'a> {
    pub(super) fn new(session: &'a CliSession, path: &'a str) -> Self {
        Self { session, path }
    }

    /// Prints a line; an empty text prints nothing.
    pub fn print(&mut self, text: impl fmt::Display) {
        self.session.output().print(text);
    }

    /// What `write!` and `writeln!` need: appends text as it is, and cannot fail.
    pub fn write_fmt(&mut self, text: fmt::Arguments<'_>) {
        self.session.output().write_fmt(text);
    }

    /// Where it prints.
    pub fn output(&self) -> &'a Output {
        self.session.output()
    }

    /// The session it runs in.
    pub fn session(&self) -> &'a CliSession {
        self.session
    }

    /// The session's terminal; none for the API and for scripts at start-up.
    pub fn terminal(&self) -> Option<RefMut<'a, Terminal>> {
        self.session.terminal()
    }

    /// The path by which it was registered.
    pub fn path(&self) -> &'a str {
        self.path
    }
}

/// What a command that takes time is given; it owns it.
#[derive(Debug, Clone)]
pub struct CliTask {
    session: CliSession,
    path: Rc<str>,
}

impl CliTask {
    pub(super) fn new(session: CliSession, path: &str) -> Self {
        Self {
            session,
            path: path.into(),
        }
    }

    /// Prints a line; an empty text prints nothing.
    pub fn print(&self, text: impl fmt::Display) {
        self.session.output().print(text);
    }

    /// Where it prints.
    pub fn output(&self) -> &Output {
        self.session.output()
    }

    /// The session it runs in.
    pub fn session(&self) -> &CliSession {
        &self.session
    }

    /// The path by which it was registered.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Ready when a key was pressed in an interactive session, or when the session is gone. Waiting for it makes the
    /// command interruptible: without it, keys are kept for the next line.
    pub fn interrupted(&self) -> Interrupted {
        Interrupted {
            session: self.session.clone(),
        }
    }
}

/// See [`CliTask::interrupted`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is polled"]
pub struct Interrupted {
    session: CliSession,
}

impl Future for Interrupted {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.session.poll_interrupt(cx.waker())
    }
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        self.session.forget_interrupt();
    }
}
