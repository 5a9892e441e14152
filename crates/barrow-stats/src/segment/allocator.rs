//! Where things stand in the file: extents, their reuse, and how much memory they use.
//!
//! The file is *sparse*: its size is address space, which costs nothing; only pages that were touched are memory. So
//! two things are counted apart. **Address space** is given out in extents that never move; a vector that grows takes
//! its whole maximum at once. **Memory** is what extents have committed: all of a small extent, the part in use of a
//! large one (whole pages); it is held below a budget.
//!
//! An extent that is given back is *retired*. It becomes free for reuse when all three hold:
//!
//! 1. nobody in this process still writes to it: its guard, shared by the handles, is unshared;
//! 2. the window in which it was retired is closed, so that a reader who still looks at it has an older epoch and
//!    will throw its result away;
//! 3. the heartbeat has gone on twice since, so that such a reader has in all likelihood finished, and does not even
//!    stumble. When space runs out, 3 is waived: 1 and 2 alone keep results right.
//!
//! A reused extent is zeroed by the caller as far as it was used before; fresh ones are zero pages of the file.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::EntryError;

/// Extents of this size and more are committed by pages as they fill; smaller ones at once.
pub(super) const PAGE: u64 = 4096;

/// Keeps an extent from reuse while somebody else holds it too.
pub(super) type Guard = Arc<dyn Any + Send + Sync>;

/// A piece of the file. Neither `Copy` nor `Clone`: who has it may use or retire it.
#[derive(Debug)]
pub(super) struct Extent {
    start: u64,
    size: u64,
    /// Bytes from `start` that count as used memory, and may be other than zero.
    committed: u64,
}

impl Extent {
    /// Offset of its first byte, a multiple of 64.
    pub(super) fn start(&self) -> u64 {
        self.start
    }
}

/// The moment of a retirement, in the measures of the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) epoch: u64,
    pub(super) beat: u64,
}

#[derive(Debug)]
struct Retired {
    extent: Extent,
    age: Age,
    guard: Option<Guard>,
}

/// How an extent of at least a page is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// All of it, at once.
    Whole,
    /// As [`Allocator::commit`] says.
    Grows,
}

/// An extent, and how many of its first bytes may be other than zero.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) extent: Extent,
    pub(super) dirty: u64,
}

/// Gives out extents of one file.
#[derive(Debug)]
pub(super) struct Allocator {
    /// First byte never given out.
    next: u64,
    /// End of the space to give out.
    end: u64,
    budget: u64,
    used: u64,
    peak: u64,
    /// Free extents by size; `committed` of one here is its dirty part.
    free: BTreeMap<u64, Vec<Extent>>,
    retired: VecDeque<Retired>,
}

impl Allocator {
    /// Gives out the bytes from `start` to `end`, of which `budget` may be in use at a time.
    pub(super) fn new(start: u64, end: u64, budget: u64) -> Self {
        Self {
            next: start,
            end,
            budget,
            used: 0,
            peak: 0,
            free: BTreeMap::new(),
            retired: VecDeque::new(),
        }
    }

    /// Takes an extent of at least `bytes`.
    pub(super) fn allocate(
        &mut self,
        bytes: u64,
        fill: Fill,
        now: Age,
    ) -> Result<Fresh, EntryError> {
        let size = size_class(bytes).ok_or(EntryError::AddressSpace { needed: bytes })?;
        let committed = if fill == Fill::Whole || size < PAGE {
            size
        } else {
            0
        };
        self.admit(committed, now)?;
        let fresh = self.take(size, now)?;
        self.charge(committed);
        let extent = Extent {
            committed,
            ..fresh.extent
        };
        Ok(Fresh {
            extent,
            dirty: fresh.dirty,
        })
    }

    /// Makes sure that the first `bytes` of `extent` count as used.
    pub(super) fn commit(
        &mut self,
        extent: &mut Extent,
        bytes: u64,
        now: Age,
    ) -> Result<(), EntryError> {
        let wanted = bytes.next_multiple_of(PAGE).min(extent.size);
        if wanted > extent.committed {
            let more = wanted - extent.committed;
            self.admit(more, now)?;
            self.charge(more);
            extent.committed = wanted;
        }
        Ok(())
    }

    /// Takes an extent back, to be reused by the rules of this module.
    pub(super) fn retire(&mut self, extent: Extent, guard: Option<Guard>, age: Age) {
        self.retired.push_back(Retired { extent, age, guard });
    }

    /// Makes retired extents free whose time has come; called as the heartbeat goes on.
    pub(super) fn reclaim(&mut self, now: Age) {
        self.reclaim_if(|age| now.epoch > age.epoch && now.beat >= age.beat.saturating_add(2));
    }

    /// Bytes in use, retired extents included.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The most that was ever in use.
    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    /// Bytes that may be in use.
    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    /// Bytes of free extents that were used before: memory kept for reuse.
    pub(super) fn kept(&self) -> u64 {
        self.free
            .values()
            .flatten()
            .map(|extent| extent.committed)
            .sum()
    }

    fn admit(&mut self, bytes: u64, now: Age) -> Result<(), EntryError> {
        if bytes > self.budget - self.used {
            self.reclaim_now(now);
        }
        let free = self.budget - self.used;
        if bytes > free {
            return Err(EntryError::Memory {
                needed: bytes,
                free,
            });
        }
        Ok(())
    }

    fn charge(&mut self, bytes: u64) {
        self.used += bytes;
        self.peak = self.peak.max(self.used);
    }

    fn take(&mut self, size: u64, now: Age) -> Result<Fresh, EntryError> {
        if let Some(fresh) = self.reuse(size) {
            return Ok(fresh);
        }
        if size > self.end - self.next {
            self.reclaim_now(now);
            return self
                .reuse(size)
                .ok_or(EntryError::AddressSpace { needed: size });
        }
        let extent = Extent {
            start: self.next,
            size,
            committed: 0,
        };
        self.next += size;
        Ok(Fresh { extent, dirty: 0 })
    }

    fn reuse(&mut self, size: u64) -> Option<Fresh> {
        let extents = self.free.get_mut(&size)?;
        let extent = extents.pop()?;
        if extents.is_empty() {
            self.free.remove(&size);
        }
        Some(Fresh {
            dirty: extent.committed,
            extent,
        })
    }

    fn reclaim_now(&mut self, now: Age) {
        self.reclaim_if(|age| now.epoch > age.epoch);
    }

    fn reclaim_if(&mut self, due: impl Fn(Age) -> bool) {
        for mut retired in std::mem::take(&mut self.retired) {
            let unshared = match &mut retired.guard {
                Some(guard) => Arc::get_mut(guard).is_some(),
                None => true,
            };
            if unshared && due(retired.age) {
                self.used -= retired.extent.committed;
                self.free
                    .entry(retired.extent.size)
                    .or_default()
                    .push(retired.extent);
            } else {
                self.retired.push_back(retired);
            }
        }
    }
}

/// Rounds up to a size for which extents are kept: multiples of 64, above 256 four sizes an octave.
fn size_class(bytes: u64) -> Option<u64> {
    let size = bytes.max(64).checked_next_multiple_of(64)?;
    if size <= 256 {
        return Some(size);
    }
    size.checked_next_multiple_of(size.checked_next_power_of_two()? / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Age = Age { epoch: 1, beat: 0 };

    fn age(epoch: u64, beat: u64) -> Age {
        Age { epoch, beat }
    }

    #[test]
    fn a_retired_extent_waits_for_its_window_and_two_heartbeats() {
        let mut allocator = Allocator::new(4096, 1 << 20, 1 << 20);
        let first = allocator.allocate(100, Fill::Whole, START).unwrap().extent;
        let start = first.start();
        allocator.retire(first, None, START);
        for now in [age(1, 5), age(9, 1)] {
            allocator.reclaim(now);
            let other = allocator.allocate(100, Fill::Whole, now).unwrap().extent;
            assert_ne!(other.start(), start, "{now:?}");
        }
        allocator.reclaim(age(2, 2));
        let again = allocator.allocate(100, Fill::Whole, age(2, 2)).unwrap();
        assert_eq!((again.extent.start(), again.dirty), (start, 128));
    }

    #[test]
    fn a_held_extent_is_not_reused_even_when_memory_runs_out() {
        let mut allocator = Allocator::new(4096, 1 << 20, 64);
        let extent = allocator.allocate(64, Fill::Whole, START).unwrap().extent;
        let guard: Guard = Arc::new(());
        allocator.retire(extent, Some(Arc::clone(&guard)), START);
        let refused = allocator.allocate(64, Fill::Whole, age(9, 9));
        assert!(matches!(
            refused,
            Err(EntryError::Memory {
                needed: 64,
                free: 0
            })
        ));
        drop(guard);
        allocator.allocate(64, Fill::Whole, age(9, 9)).unwrap();
    }

    #[test]
    fn under_pressure_the_closed_window_suffices() {
        let mut allocator = Allocator::new(4096, 4096 + 64, 1 << 20);
        let extent = allocator.allocate(64, Fill::Whole, START).unwrap().extent;
        allocator.retire(extent, None, START);
        let same_window = allocator.allocate(64, Fill::Whole, START);
        assert!(matches!(
            same_window,
            Err(EntryError::AddressSpace { needed: 64 })
        ));
        allocator.allocate(64, Fill::Whole, age(2, 0)).unwrap();
    }

    #[test]
    fn growing_extents_count_the_pages_in_use() {
        let mut allocator = Allocator::new(4096, 1 << 40, 3 * PAGE);
        let mut big = allocator
            .allocate(1 << 30, Fill::Grows, START)
            .unwrap()
            .extent;
        assert_eq!(allocator.used(), 0);
        allocator.commit(&mut big, 1, START).unwrap();
        allocator.commit(&mut big, 2 * PAGE, START).unwrap();
        assert_eq!(allocator.used(), 2 * PAGE);
        let refused = allocator.commit(&mut big, 3 * PAGE + 1, START);
        assert!(matches!(refused, Err(EntryError::Memory { .. })));
        assert_eq!(allocator.used(), 2 * PAGE);
    }

    #[test]
    fn sizes_beyond_all_bounds_are_refused() {
        let mut allocator = Allocator::new(4096, 1 << 20, 1 << 20);
        for bytes in [1 << 20, 1 << 40, u64::MAX / 2, u64::MAX] {
            let refused = allocator.allocate(bytes, Fill::Grows, START);
            assert!(
                matches!(refused, Err(EntryError::AddressSpace { .. })),
                "{bytes}"
            );
        }
    }

    proptest! {
        #[test]
        fn size_classes_waste_at_most_a_quarter(bytes in 257_u64..1 << 40) {
            let size = size_class(bytes).unwrap();
            prop_assert!(size >= bytes && size.is_multiple_of(64));
            prop_assert!(size - bytes <= bytes / 4 + 64);
            prop_assert_eq!(size_class(size), Some(size));
        }

        #[test]
        fn live_extents_never_overlap(steps in prop::collection::vec((1_u64..9000, any::<bool>()), 1..200)) {
            let mut allocator = Allocator::new(4096, 1 << 20, 1 << 20);
            let mut live: Vec<Extent> = Vec::new();
            for (step, (bytes, give_back)) in steps.into_iter().enumerate() {
                let now = age(step as u64, step as u64);
                if give_back && !live.is_empty() {
                    let extent = live.swap_remove(bytes as usize % live.len());
                    allocator.retire(extent, None, now);
                } else if let Ok(fresh) = allocator.allocate(bytes, Fill::Whole, now) {
                    live.push(fresh.extent);
                }
                allocator.reclaim(now);
                let mut ranges: Vec<_> = live.iter().map(|e| (e.start, e.start + e.size)).collect();
                ranges.sort_unstable();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
                prop_assert!(ranges.last().is_none_or(|last| last.1 <= 1 << 20));
            }
        }
    }
}
