//! Counting under another node's name.

use barrow_engine::{Control, ErrorCounters, NodeId};
use std::marker::PhantomData;

/// The error counters of another node, for nodes that VPP counts under that one's name: a packet that
/// `ip4-rewrite` finds expired counts as `ip4-input`'s.
#[derive(Debug)]
pub struct ErrorBase<E> {
    first: u16,
    counters: PhantomData<fn(E)>,
}

impl<E> Clone for ErrorBase<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrorBase<E> {}

impl<E: ErrorCounters> ErrorBase<E> {
    /// The counters of the node of this name; `None` if there is no such node yet, or its counters are
    /// not these.
    #[must_use]
    pub fn of(control: &Control, node: &str) -> Option<Self> {
        Self::of_node(control, control.node_by_name(node)?)
    }

    /// The counters of a node, as [`of`](Self::of).
    #[must_use]
    pub fn of_node(control: &Control, node: NodeId) -> Option<Self> {
        let info = control.node(node)?;
        // By name: a constant may have several addresses.
        let same = info.counters.len() == E::COUNTERS.len()
            && info
                .counters
                .iter()
                .zip(E::COUNTERS)
                .all(|(a, b)| a.name == b.name);
        same.then_some(Self {
            first: info.first_counter,
            counters: PhantomData,
        })
    }

    /// The number of one of the counters, to be put into a packet's `error`.
    #[inline]
    #[must_use]
    pub fn index(&self, error: E) -> u16 {
        self.first + error.slot() as u16
    }
}
