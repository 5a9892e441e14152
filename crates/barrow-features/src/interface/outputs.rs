//! How frames leave an interface, for packet nodes that do not go through an adjacency.

use super::{HwInterface, SwIfIndex};
use arc_swap::ArcSwap;
use barrow_engine::NodeId;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
struct Output {
    node: NodeId,
    mac: [u8; 6],
    /// `NAME-tx`, where the interface is the device's own and no sub-interface.
    tx: Option<NodeId>,
}

/// `NAME-output` and the own address of each interface (its parent's, for a sub-interface); cheap to
/// clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct OutputNodes(Arc<ArcSwap<Vec<Option<Output>>>>);

impl OutputNodes {
    /// The node that frames go to; `None` where there is no such interface.
    #[must_use]
    pub fn get(&self, index: SwIfIndex) -> Option<NodeId> {
        Some(self.output(index)?.node)
    }

    /// `NAME-output` and `NAME-tx` of an interface that is a device's own; `None` for others.
    #[must_use]
    pub fn device(&self, index: SwIfIndex) -> Option<(NodeId, NodeId)> {
        let output = self.output(index)?;
        Some((output.node, output.tx?))
    }

    /// The address that frames come from.
    #[must_use]
    pub fn mac(&self, index: SwIfIndex) -> Option<[u8; 6]> {
        Some(self.output(index)?.mac)
    }

    fn output(&self, index: SwIfIndex) -> Option<Output> {
        *self.0.load().get(index.slot())?
    }

    /// Publishes how frames leave an interface. Main thread only, by convention.
    pub(super) fn set(&self, index: SwIfIndex, output: Option<&HwInterface>) {
        let mut list = Vec::clone(&self.0.load());
        if list.len() <= index.slot() {
            list.resize(index.slot() + 1, None);
        }
        list[index.slot()] = output.map(|hw| Output {
            node: hw.output_node,
            mac: hw.mac.0,
            tx: (hw.sw == index).then_some(hw.tx_node),
        });
        self.0.store(Arc::new(list));
    }
}
