//! How frames leave an interface, for packet nodes that do not go through an adjacency.

use super::SwIfIndex;
use arc_swap::ArcSwap;
use barrow_engine::NodeId;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
struct Output {
    node: NodeId,
    mac: [u8; 6],
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

    /// The address that frames come from.
    #[must_use]
    pub fn mac(&self, index: SwIfIndex) -> Option<[u8; 6]> {
        Some(self.output(index)?.mac)
    }

    fn output(&self, index: SwIfIndex) -> Option<Output> {
        *self.0.load().get(index.slot())?
    }

    /// Publishes how frames leave an interface. Main thread only, by convention.
    pub(super) fn set(&self, index: SwIfIndex, output: Option<(NodeId, [u8; 6])>) {
        let mut list = Vec::clone(&self.0.load());
        if list.len() <= index.slot() {
            list.resize(index.slot() + 1, None);
        }
        list[index.slot()] = output.map(|(node, mac)| Output { node, mac });
        self.0.store(Arc::new(list));
    }
}
