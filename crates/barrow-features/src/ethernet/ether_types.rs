//! Which node takes which EtherType.
//!
//! Features register theirs while the node is built; the list is published to packet nodes like any
//! table, so that a feature may also come later.

use super::header::EtherType;
use arc_swap::ArcSwap;
use barrow_engine::NodeId;
use std::sync::Arc;

/// The nodes behind `ethernet-input`; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct EtherTypes(Arc<ArcSwap<Vec<(EtherType, NodeId)>>>);

impl EtherTypes {
    /// Sends packets of a type to a node, from the network header on.
    pub fn register(&self, ether_type: EtherType, node: NodeId) {
        let mut list = Vec::clone(&self.0.load());
        list.retain(|(known, _)| *known != ether_type);
        list.push((ether_type, node));
        list.sort_unstable();
        self.0.store(Arc::new(list));
    }

    /// The list now; nodes keep it for a vector.
    #[inline]
    #[must_use]
    pub fn load(&self) -> arc_swap::Guard<Arc<Vec<(EtherType, NodeId)>>> {
        self.0.load()
    }
}

/// The node of a type in a list of [`EtherTypes::load`].
#[inline]
#[must_use]
pub fn find(list: &[(EtherType, NodeId)], ether_type: EtherType) -> Option<NodeId> {
    let at = list
        .binary_search_by_key(&ether_type, |(known, _)| *known)
        .ok()?;
    Some(list[at].1)
}
