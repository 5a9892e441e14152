//! Gives up packets that are not completed in time.

use super::Ip4Reassembly;
use crate::error_base::ErrorBase;
use crate::icmp::error::{IcmpError, set_error};
use crate::ip4::Ip4Error;
use barrow_core::channel::{Receiver, Sender, bounded};
use barrow_engine::{
    BufferExt, Control, Instant, NoErrors, NoNext, NodeId, ProcessContext, ProcessError,
    ProcessNode,
};
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How often somebody looks, while there is something to look at (VPP's interval).
const INTERVAL: Duration = Duration::from_millis(50);

/// What the threads have begun and not finished; each thread has a clone.
#[derive(Debug)]
pub(super) struct Pending {
    open: Arc<AtomicUsize>,
    bell: Sender<()>,
    own: usize,
}

impl Clone for Pending {
    fn clone(&self) -> Self {
        Self {
            open: self.open.clone(),
            bell: self.bell.clone(),
            own: 0,
        }
    }
}

impl Pending {
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (bell, rung) = bounded(1);
        let open = Arc::default();
        let pending = Self { open, bell, own: 0 };
        (pending, rung)
    }

    /// Notes how many packets this thread has begun.
    pub(super) fn set(&mut self, own: usize) {
        if own > self.own && self.open.fetch_add(own - self.own, Relaxed) == 0 {
            // A full channel has rung already.
            let _full = self.bell.try_send(());
        } else if own < self.own {
            self.open.fetch_sub(self.own - own, Relaxed);
        }
        self.own = own;
    }
}

/// The process node; it sleeps while nothing is begun.
pub(super) struct Expire {
    pub(super) control: Control,
    pub(super) node: NodeId,
    pub(super) pending: Pending,
    pub(super) rung: Receiver<()>,
}

impl ProcessNode for Expire {
    const NAME: &'static CStr = c"ip4-full-reassembly-expire-walk";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        while self.rung.recv().await.is_some() {
            while self.pending.open.load(Relaxed) > 0 {
                cx.sleep(INTERVAL).await;
                self.walk(cx.now());
            }
        }
        Ok(())
    }
}

impl Expire {
    /// Sends what is late on each thread to be dropped; who sent a packet's first fragment is told (RFC 1122
    /// section 3.3.2).
    fn walk(&self, now: Instant) {
        let node = self.node;
        let errors = ErrorBase::<Ip4Error>::of_node(&self.control, node);
        let drop = self.control.node_by_name("ip4-drop");
        let answer = self.control.node_by_name("ip4-icmp-error");
        let (Some(errors), Some(drop), Some(answer)) = (errors, drop, answer) else {
            return;
        };
        for thread in 0..self.control.thread_count() {
            self.control.on_thread(thread, move |packets| {
                let late = packets
                    .node::<Ip4Reassembly, _>(node)
                    .map(|node| node.expire(now));
                for late in late.into_iter().flatten() {
                    for (n, mut buffer) in late.fragments.into_iter().enumerate() {
                        let mut packet = buffer.packet();
                        packet.error = errors.index(Ip4Error::ReassemblyTimeout);
                        let next = if n == 0 && late.has_first {
                            set_error(&mut packet, IcmpError::REASSEMBLY_EXPIRED);
                            answer
                        } else {
                            drop
                        };
                        packets.push(next, buffer);
                    }
                }
            });
        }
    }
}
