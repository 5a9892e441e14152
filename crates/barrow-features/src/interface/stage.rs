//! What `NAME-output` does to a plain packet, as the last stage of a fused group.
//!
//! Plain: nothing left to the device (checksums, segmentation), by a device that is up, not counted by kind
//! of destination, with no feature on `interface-output`.

use super::{Combined, InterfaceRows, InterfaceWords, OutputNodes, SwIfIndex};
use barrow_engine::{ArcHandle, FusedContext, NodeId};

/// How a plain packet leaves by a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    interface: SwIfIndex,
    output: NodeId,
    /// The node behind the group.
    pub(crate) tx: NodeId,
}

/// The devices of a node, as a fused group leaves by them.
#[derive(Clone, Debug)]
pub(crate) struct Departures {
    words: InterfaceWords,
    outputs: OutputNodes,
    /// `interface-output`.
    arc: ArcHandle,
}

impl Departures {
    pub(crate) fn new(words: InterfaceWords, outputs: OutputNodes, arc: ArcHandle) -> Self {
        Self {
            words,
            outputs,
            arc,
        }
    }

    /// How packets leave that an adjacency sends to the node of index `output`; `None` where they are not
    /// plain.
    pub(crate) fn by(
        &self,
        cx: &mut FusedContext<'_>,
        interface: SwIfIndex,
        output: u16,
    ) -> Option<Departure> {
        let (node, tx) = self.outputs.device(interface)?;
        let word = self.words.get(interface);
        let plain = node.index() == u32::from(output)
            && word.is_up()
            && !word.has_detailed_stats()
            && cx.can_skip(node)
            && cx.arc_is_idle(cx.arc_entry(self.arc, interface.0), tx);
        plain.then_some(Departure {
            interface,
            output: node,
            tx,
        })
    }
}

impl Departure {
    /// Counts what has left.
    pub(crate) fn count(
        &self,
        cx: &mut FusedContext<'_>,
        rows: &InterfaceRows,
        packets: u32,
        bytes: u64,
    ) {
        rows.count_bytes(Combined::Tx, self.interface.0, u64::from(packets), bytes);
        cx.passed(self.output, self.tx, packets as usize);
    }
}
