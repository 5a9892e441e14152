//! Accepting sessions.

use super::CliServer;
use crate::cli::SessionKind;
use barrow_core::{ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_runtime::io::{ByteStream, tcp, unix};
use std::{ffi::CStr, future::Future, io, os::fd::AsRawFd, time::Duration};

/// How long accepting rests when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// What a listening socket of the CLI can be.
pub trait CliListener: 'static {
    /// What it accepts.
    type Stream: ByteStream + 'static;

    /// Waits for a connection.
    ///
    /// # Errors
    /// When the process has no descriptors left, mostly.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>>;
}

impl CliListener for unix::Listener {
    type Stream = unix::Stream;

    async fn accept(&self) -> io::Result<unix::Stream> {
        Self::accept(self).await
    }
}

impl CliListener for tcp::Listener {
    type Stream = tcp::Stream;

    async fn accept(&self) -> io::Result<tcp::Stream> {
        Self::accept(self).await
    }
}

/// What accepting sessions counts.
#[derive(Debug, Clone, Copy, ErrorCounters)]
pub enum AcceptErrors {
    /// A session began.
    #[error_counter(name = "accepted", description = "connections accepted", severity = INFO)]
    Accepted,
    /// There are too many.
    #[error_counter(name = "refused", description = "connections refused: too many")]
    Refused,
    /// The system refused.
    #[error_counter(
        name = "failed",
        description = "connections that could not be accepted"
    )]
    Failed,
}

/// Accepts sessions of the CLI socket.
#[derive(Debug)]
pub struct AcceptSessions<L> {
    /// Where they come from.
    pub listener: L,
    /// What they work with.
    pub server: CliServer,
}

impl<L: CliListener> ProcessNode for AcceptSessions<L> {
    const NAME: &'static CStr = c"unix-cli-listener";
    type NextNodes = NoNext;
    type Errors = AcceptErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        loop {
            match self.listener.accept().await {
                Ok(stream) => {
                    if self.server.sessions.list().len() >= self.server.settings.max_sessions {
                        cx.count(AcceptErrors::Refused, 1);
                        continue;
                    }
                    cx.count(AcceptErrors::Accepted, 1);
                    let descriptor = stream.source().as_raw_fd();
                    let kind = SessionKind::Socket;
                    let unit = self.server.session(kind, stream, descriptor, cx.now());
                    cx.spawner().spawn(Box::new(unit));
                }
                Err(error) => {
                    cx.count(AcceptErrors::Failed, 1);
                    self.server
                        .log
                        .error(format_args!("no session can be accepted: {error}"));
                    cx.sleep(REST).await;
                }
            }
        }
    }
}
