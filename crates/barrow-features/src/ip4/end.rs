//! `ip4-drop`, `ip4-punt` and `ip4-not-enabled`: where IPv4 packets end that go nowhere else.
//!
//! The first two start arcs of their names, so that a feature can look at what is given up; packets then
//! go to `error-drop` or `error-punt`. `ip4-not-enabled` is the feature of `ip4-unicast` that drops
//! packets on an interface without an address.

use super::Ip4Error;
use super::local::trace_of;
use barrow_engine::{ArcHandle, NextNodes, NodeId, PacketContext, PacketNode, Vector};
use std::fmt;

/// Where dropped packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum DropNext {
    /// To be counted and freed.
    #[next_node = "error-drop"]
    Drop,
}

/// Where punted packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum PuntNext {
    /// To whoever registered.
    #[next_node = "error-punt"]
    Punt,
}

/// `ip4-drop`; one a thread.
pub struct Ip4Drop {
    arc: ArcHandle,
    nexts: Vec<NodeId>,
}

/// `ip4-punt`; one a thread.
pub struct Ip4Punt {
    arc: ArcHandle,
    nexts: Vec<NodeId>,
}

/// `ip4-not-enabled`; one a thread.
#[derive(Debug, Default)]
pub struct Ip4NotEnabled;

impl fmt::Debug for Ip4Drop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Drop").finish_non_exhaustive()
    }
}

impl fmt::Debug for Ip4Punt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Punt").finish_non_exhaustive()
    }
}

impl Ip4Drop {
    /// Makes the instance of one thread; `arc` is `ip4-drop`.
    #[must_use]
    pub fn new(arc: ArcHandle) -> Self {
        Self {
            arc,
            nexts: Vec::with_capacity(256),
        }
    }
}

impl Ip4Punt {
    /// Makes the instance of one thread; `arc` is `ip4-punt`.
    #[must_use]
    pub fn new(arc: ArcHandle) -> Self {
        Self {
            arc,
            nexts: Vec::with_capacity(256),
        }
    }
}

/// Starts an arc by receive interface, or sends all to `default`; what nobody gave a reason gets `unsaid`.
fn start<N: PacketNode>(
    cx: &mut PacketContext<'_, N>,
    mut vector: Vector<'_>,
    arc: ArcHandle,
    default: NodeId,
    unsaid: u16,
    nexts: &mut Vec<NodeId>,
) {
    cx.trace_each(&mut vector, trace_of);
    nexts.clear();
    for mut packet in vector.packets() {
        if packet.error == 0 {
            packet.error = unsaid;
        }
        let interface = packet.rx_sw_if_index;
        nexts.push(cx.arc_start(arc, interface, &mut packet, default));
    }
    cx.enqueue(vector, nexts);
}

impl PacketNode for Ip4Drop {
    type NextNodes = DropNext;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let next = cx.next(DropNext::Drop);
        let unsaid = cx.error_index(Ip4Error::Drop);
        start(cx, vector, self.arc, next, unsaid, &mut self.nexts);
    }
}

impl PacketNode for Ip4Punt {
    type NextNodes = PuntNext;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let next = cx.next(PuntNext::Punt);
        let unsaid = cx.error_index(Ip4Error::Punt);
        start(cx, vector, self.arc, next, unsaid, &mut self.nexts);
    }
}

impl PacketNode for Ip4NotEnabled {
    type NextNodes = DropNext;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, trace_of);
        for mut packet in vector.packets() {
            cx.error(&mut packet, Ip4Error::Drop);
        }
        let drop = cx.next(DropNext::Drop);
        cx.enqueue_all(vector, drop);
    }
}
