//! Handing out the statistics segment.

use crate::log::Class;
use barrow_core::{ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_runtime::io::unix::PacketListener;
use barrow_stats::{Segment, socket::send_descriptor};
use std::{ffi::CStr, time::Duration};

/// How long accepting rests when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// What handing out the segment counts.
#[derive(Debug, Clone, Copy, ErrorCounters)]
pub(super) enum StatsErrors {
    /// A reader has it.
    #[error_counter(name = "given", description = "segments given to readers", severity = INFO)]
    Given,
    /// A reader was gone too soon, or the system refused.
    #[error_counter(name = "failed", description = "readers that got nothing")]
    Failed,
}

/// Gives each client of the statistics socket the segment's descriptor, and closes.
pub(super) struct GiveSegment {
    pub(super) listener: PacketListener,
    pub(super) segment: Segment,
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
                    let source = client.source();
                    match send_descriptor(&**source, self.segment.descriptor()) {
                        Ok(()) => cx.count(StatsErrors::Given, 1),
                        Err(_) => cx.count(StatsErrors::Failed, 1),
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
