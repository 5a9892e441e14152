//! An array that grows in chunks and never moves, so that readers on other threads need no lock.
//!
//! ```text
//! spine  [ chunk 0 | chunk 1 | ...  (a pointer each, set once) ]
//!             |         `-> [ item N | item N+1 | ... ]
//!             `-> [ item 0 | item 1 | ... | item N-1 ]
//! ```
//!
//! Only the main thread makes chunks; every thread reads. What the items hold is published by whoever
//! hands out an index: the index travels through an atomic with release/acquire order, and the chunk was
//! made before that.

use std::sync::OnceLock;

/// A growing array of up to a fixed number of `T`, in chunks of `N` (a power of two).
#[derive(Debug)]
pub struct Chunked<T, const N: usize> {
    spine: Box<[OnceLock<Box<[T; N]>>]>,
}

impl<T: Default, const N: usize> Chunked<T, N> {
    /// An empty array that may grow to at least `capacity` items. Costs 16 bytes for every `N` of them.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        const { assert!(N.is_power_of_two()) };
        Self {
            spine: (0..(capacity as usize).div_ceil(N))
                .map(|_| OnceLock::new())
                .collect(),
        }
    }

    /// Makes sure that `index` has an item. `false` beyond the capacity.
    pub fn ensure(&self, index: u32) -> bool {
        let Some(chunk) = self.spine.get(index as usize / N) else {
            return false;
        };
        chunk.get_or_init(|| {
            let items: Vec<T> = (0..N).map(|_| T::default()).collect();
            items
                .into_boxed_slice()
                .try_into()
                .ok()
                .expect("a chunk has N items")
        });
        true
    }
}

impl<T, const N: usize> Chunked<T, N> {
    /// The item at `index`, if its chunk exists.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&T> {
        let index = index as usize;
        self.spine.get(index / N)?.get()?.get(index % N)
    }

    /// How many items fit at most.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        u32::try_from(self.spine.len() * N).unwrap_or(u32::MAX)
    }

    /// Heap memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let chunks = self
            .spine
            .iter()
            .filter(|chunk| chunk.get().is_some())
            .count();
        size_of_val(&*self.spine) + chunks * size_of::<[T; N]>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn items_exist_from_ensure_on_and_never_move() {
        let array: Chunked<AtomicU32, 4> = Chunked::new(10);
        assert_eq!(array.capacity(), 12);
        assert!(array.get(0).is_none());
        assert!(array.ensure(5));
        let item: *const AtomicU32 = array.get(5).unwrap();
        array.get(5).unwrap().store(7, Ordering::Relaxed);
        assert!(array.ensure(0) && array.ensure(11));
        assert!(std::ptr::eq(item, array.get(5).unwrap()));
        assert_eq!(array.get(5).unwrap().load(Ordering::Relaxed), 7);
    }

    #[test]
    fn beyond_the_capacity_there_is_nothing() {
        let array: Chunked<AtomicU32, 4> = Chunked::new(4);
        assert!(!array.ensure(4));
        assert!(array.get(4).is_none());
        assert!(array.get(u32::MAX).is_none());
    }
}
