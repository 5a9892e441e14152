//! Accepting connections.

use super::ApiServer;
use crate::{Access, AccessRules, cli::AcceptErrors};
use barrow_core::{NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_runtime::io::{ByteStream, unix};
use std::{ffi::CStr, os::fd::AsRawFd, time::Duration};

/// How long accepting rests when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// Accepts connections of the API socket.
#[derive(Debug)]
pub struct AcceptClients {
    /// Where they come from.
    pub listener: unix::Listener,
    /// What they work with.
    pub server: ApiServer,
    /// Who is served.
    pub access: AccessRules,
}

impl ProcessNode for AcceptClients {
    const NAME: &'static CStr = c"api-socket-listener";
    type NextNodes = NoNext;
    type Errors = AcceptErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        loop {
            match self.listener.accept().await {
                Ok(stream) => {
                    let peer = stream.peer_credentials().ok();
                    let Some(access) = peer.and_then(|peer| self.access.of(peer)) else {
                        cx.count(AcceptErrors::NotAllowed, 1);
                        self.server
                            .log
                            .warning(format_args!("a client is refused: {peer:?}"));
                        continue;
                    };
                    let descriptor = stream.source().as_raw_fd();
                    let unit = self.server.connection(stream, descriptor);
                    if let Some(unit) = &unit {
                        unit.client().set_read_only(access == Access::ReadOnly);
                    }
                    match unit {
                        Some(unit) => {
                            cx.spawner().spawn(Box::new(unit));
                        }
                        None => cx.count(AcceptErrors::Refused, 1),
                    }
                }
                Err(error) => {
                    cx.count(AcceptErrors::Failed, 1);
                    self.server
                        .log
                        .error(format_args!("no client can be accepted: {error}"));
                    cx.sleep(REST).await;
                }
            }
        }
    }
}
