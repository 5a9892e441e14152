//! Which chain each interface starts on each arc: immutable, replaced as a whole.

use super::{ArcEntry, ArcHandle};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Interfaces that share a block, which is what a change copies.
const BLOCK: usize = 128;

type Block = Arc<[u32; BLOCK]>;

/// The entries of all arcs at one moment.
#[derive(Clone, Default, Debug)]
pub(crate) struct Snapshot {
    arcs: Vec<Arc<Vec<Option<Block>>>>,
}

impl Snapshot {
    /// Where packets of an interface start on an arc.
    #[inline]
    pub(crate) fn entry(&self, arc: ArcHandle, sw_if_index: u32) -> ArcEntry {
        let index = sw_if_index as usize;
        let entry = self
            .arcs
            .get(arc.0 as usize)
            .and_then(|blocks| blocks.get(index / BLOCK)?.as_ref())
            .map_or(0, |block| block[index % BLOCK]);
        ArcEntry(entry)
    }

    /// This snapshot with one entry changed.
    pub(super) fn with(&self, arc: ArcHandle, sw_if_index: u32, entry: ArcEntry) -> Self {
        let (arc, index) = (arc.0 as usize, sw_if_index as usize);
        let mut arcs = self.arcs.clone();
        if arcs.len() <= arc {
            arcs.resize_with(arc + 1, Arc::default);
        }
        let blocks = Arc::make_mut(&mut arcs[arc]);
        if blocks.len() <= index / BLOCK {
            blocks.resize(index / BLOCK + 1, None);
        }
        let block = blocks[index / BLOCK].get_or_insert_with(|| Arc::new([0; BLOCK]));
        Arc::make_mut(block)[index % BLOCK] = entry.0;
        Self { arcs }
    }
}

/// Where the current snapshot is found.
#[derive(Default, Debug)]
pub(crate) struct Published {
    version: AtomicU64,
    current: ArcSwap<Snapshot>,
}

impl Published {
    /// Makes `snapshot` the one that threads take up in their next turn.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Replaces `held` if there is a newer one. One load when there is not.
    #[inline]
    pub(crate) fn refresh(&self, held: &mut Arc<Snapshot>, version: &mut u64) {
        let newest = self.version.load(Ordering::Acquire);
        if newest != *version {
            *version = newest;
            *held = self.current.load_full();
        }
    }

    pub(super) fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }
}
