//! The use of a heap, as `/mem/NAME` with its links.

use super::{EntryError, Segment, Shape, SimpleCounters};

/// How a heap is used, in bytes unless said otherwise: the columns of `/mem/NAME`, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapUse {
    /// Size of the heap.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// Not in use.
    pub free: u64,
    /// In use by single large mappings.
    pub mapped: u64,
    /// The most that was ever in use.
    pub peak: u64,
    /// Kept for reuse.
    pub reclaimed: u64,
    /// What could be given back to the system.
    pub releasable: u64,
}

/// A heap's entry: `/mem/NAME` and the links `used`, `total` and `free` below it.
#[derive(Clone, Debug)]
pub struct HeapCounters(SimpleCounters);

impl HeapCounters {
    /// Publishes `usage`.
    pub fn set(&self, usage: &HeapUse) {
        let HeapUse {
            total,
            used,
            free,
            mapped,
            peak,
            reclaimed,
            releasable,
        } = *usage;
        let columns = [total, used, free, mapped, peak, reclaimed, releasable];
        for (index, value) in (0..).zip(columns) {
            self.0.set(0, index, value);
        }
    }
}

impl Segment {
    /// Makes the entries of a heap: `/mem/NAME`, `/mem/NAME/used`, `/total` and `/free`.
    ///
    /// # Errors
    /// As [`simple`](Self::simple) and [`symlink`](Self::symlink). Nothing is made then.
    pub fn heap(&self, name: &str) -> Result<HeapCounters, EntryError> {
        let _window = self.window();
        let columns = self.simple(&format!("/mem/{name}"), Shape::rows(1).limit(7))?;
        let linked = columns.ensure(6).and_then(|()| {
            for (link, column) in [("used", 1), ("total", 0), ("free", 2)] {
                self.symlink(&format!("/mem/{name}/{link}"), columns.key(), column)?;
            }
            Ok(())
        });
        if let Err(error) = linked {
            self.remove(columns.key())
                .expect("made above, and not one of the fixed entries");
            return Err(error);
        }
        Ok(HeapCounters(columns))
    }

    /// How the segment's own memory is used, for `/mem/stat segment`. `total` is the configured size.
    #[must_use]
    pub fn memory(&self) -> HeapUse {
        let state = self.core.state.borrow();
        let allocator = &state.allocator;
        HeapUse {
            total: allocator.budget(),
            used: allocator.used(),
            free: allocator.budget() - allocator.used(),
            mapped: 0,
            peak: allocator.peak(),
            reclaimed: allocator.kept(),
            releasable: 0,
        }
    }
}
