//! Accepting sessions.

use super::CliServer;
use crate::{Access, AccessRules, cli::SessionKind};
use barrow_core::{ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_runtime::io::{ByteStream, tcp, unix, unix::Credentials};
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

    /// Who is at the other end, where that is known.
    fn peer(stream: &Self::Stream) -> Option<Credentials>;
}

impl CliListener for unix::Listener {
    type Stream = unix::Stream;

    async fn accept(&self) -> io::Result<unix::Stream> {
        Self::accept(self).await
    }

    fn peer(stream: &unix::Stream) -> Option<Credentials> {
        stream.peer_credentials().ok()
    }
}

impl CliListener for tcp::Listener {
    type Stream = tcp::Stream;

    async fn accept(&self) -> io::Result<tcp::Stream> {
        Self::accept(self).await
    }

    fn peer(_: &tcp::Stream) -> Option<Credentials> {
        None
    }
}

/// What accepting sessions counts: the connections that came to nothing, so that a healthy node has no errors to show.
#[derive(Debug, Clone, Copy, ErrorCounters)]
pub enum AcceptErrors {
    /// There are too many.
    #[error_counter(name = "refused", description = "connections refused: too many")]
    Refused,
    /// The peer is not among those who may.
    #[error_counter(
        name = "not-allowed",
        description = "connections refused: not in the lists"
    )]
    NotAllowed,
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
    /// Who is served; where peers are not known, everybody.
    pub access: AccessRules,
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
                    let peer = L::peer(&stream);
                    let access = peer.map_or(Some(Access::Full), |peer| self.access.of(peer));
                    let Some(access) = access else {
                        cx.count(AcceptErrors::NotAllowed, 1);
                        self.server
                            .log
                            .warning(format_args!("a session is refused: {peer:?}"));
                        continue;
                    };
                    let descriptor = stream.source().as_raw_fd();
                    let kind = SessionKind::Socket;
                    let unit = self.server.session(kind, stream, descriptor, cx.now());
                    unit.handle().set_read_only(access == Access::ReadOnly);
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
