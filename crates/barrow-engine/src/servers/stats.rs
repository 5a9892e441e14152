//! Handing out the statistics segment.

use crate::{AccessRules, log::Class};
use barrow_core::{ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_runtime::io::unix::PacketListener;
use barrow_stats::{Segment, socket::send_descriptor};
use std::{ffi::CStr, time::Duration};

/// How long accepting rests when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// What handing out the segment counts.
#[derive(Debug, Clone, Copy, ErrorCounters)]
pub(super) enum StatsErrors {
    /// A reader is not among those who may.
    #[error_counter(
        name = "not-allowed",
        description = "readers refused: not in the lists"
    )]
    NotAllowed,
    /// A reader was gone too soon, or the system refused.
    #[error_counter(name = "failed", description = "readers that got nothing")]
    Failed,
}

/// Gives each client of the statistics socket the segment's descriptor, and closes.
pub(super) struct GiveSegment {
    pub(super) listener: PacketListener,
    pub(super) segment: Segment,
    pub(super) access: AccessRules,
    pub(super) log: Class,
}

impl ProcessNode for GiveSegment {
    const NAME: &'static CStr = c"stats-segment-listener";
    type NextNodes = NoNext;
    type Errors = StatsErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        loop {
            match self.listener.accept().await {
                Ok(client) => {
                    let peer = client.peer_credentials().ok();
                    if peer.and_then(|peer| self.access.of(peer)).is_none() {
                        cx.count(StatsErrors::NotAllowed, 1);
                        self.log
                            .warning(format_args!("a reader is refused: {peer:?}"));
                        continue;
                    }
                    let source = client.source();
                    if send_descriptor(&**source, self.segment.descriptor()).is_err() {
                        cx.count(StatsErrors::Failed, 1);
                    }
                }
                Err(error) => {
                    cx.count(StatsErrors::Failed, 1);
                    self.log
                        .error(format_args!("no reader can be accepted: {error}"));
                    cx.sleep(REST).await;
                }
            }
        }
    }
}
