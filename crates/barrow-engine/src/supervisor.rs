//! Brings packet nodes back that panicked.
//!
//! A node that panics fails alone: its thread puts a tombstone in its place, drops and counts its packets,
//! and reports. Here the report is logged, and a second later the node gets a fresh instance on that
//! thread; so a packet that makes a node panic costs that second, not the node.

use crate::control::Control;
use crate::node::NodeId;
use barrow_core::channel::Receiver;
use barrow_core::{NoErrors, NoNext, ProcessContext, ProcessError, ProcessNode};
use std::ffi::CStr;
use std::time::Duration;

/// How long a failed node stays away.
const REST: Duration = Duration::from_secs(1);

/// Reports that may wait; more failures at once are counted and not revived.
pub(crate) const MOST_REPORTS: usize = 256;

/// What a thread reports.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) thread: usize,
    pub(crate) node: NodeId,
    pub(crate) message: String,
}

/// The process node.
pub(crate) struct Supervisor {
    pub(crate) control: Control,
    pub(crate) reports: Receiver<Failed>,
}

impl ProcessNode for Supervisor {
    const NAME: &'static CStr = c"node-supervisor";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let log = self.control.log().class("engine");
        while let Some(failed) = self.reports.recv().await {
            let mut batch = vec![failed];
            cx.sleep(REST).await;
            while let Ok(failed) = self.reports.try_recv() {
                batch.push(failed);
            }
            for Failed {
                thread,
                node,
                message,
            } in batch
            {
                let name = self.control.node_name(node);
                log.error(format_args!(
                    "node {name} panicked on thread {thread} and is made anew: {message}"
                ));
                self.control.revive(thread, node);
            }
        }
        Ok(())
    }
}
