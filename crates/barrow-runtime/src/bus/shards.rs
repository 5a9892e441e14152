//! A map that many threads read without a lock and some change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

const SHARDS: usize = 64;

/// Maps from numbers, in parts that are replaced as a whole: a change copies one part.
pub(super) struct Shards<V> {
    parts: Box<[Part<V>]>,
}

struct Part<V> {
    map: ArcSwap<BTreeMap<u64, V>>,
    /// Held while the map is copied and replaced; readers do not take it.
    changing: Mutex<()>,
}

impl<V: Clone> Shards<V> {
    pub(super) fn new() -> Self {
        let part = || Part {
            map: ArcSwap::default(),
            changing: Mutex::new(()),
        };
        Self {
            parts: std::iter::repeat_with(part).take(SHARDS).collect(),
        }
    }

    /// The value at a key.
    pub(super) fn get(&self, key: u64) -> Option<V> {
        self.part(key).map.load().get(&key).cloned()
    }

    /// Replaces the value at a key by what `change` makes of it; `None` removes it.
    pub(super) fn change(&self, key: u64, change: impl FnOnce(Option<V>) -> Option<V>) {
        let part = self.part(key);
        // The map is replaced as a whole, so one who panicked has left nothing half done.
        let changing = part.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut map = BTreeMap::clone(&part.map.load());
        let old = map.remove(&key);
        if let Some(new) = change(old) {
            map.insert(key, new);
        }
        let before = part.map.swap(Arc::new(map));
        drop(changing);
        drop(before); // destructors run outside the lock
    }

    /// Every value, part by part.
    pub(super) fn values(&self) -> Vec<V> {
        let of_part = |part: &Part<V>| part.map.load().values().cloned().collect::<Vec<_>>();
        self.parts.iter().flat_map(of_part).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.map.load().len()).sum()
    }

    fn part(&self, key: u64) -> &Part<V> {
        // Fibonacci hashing: neighbouring numbers go to different parts.
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        &self.parts[hash as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_many_threads_are_all_there() {
        let shards = Shards::new();
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let shards = &shards;
                scope.spawn(move || {
                    for n in 0..500 {
                        shards.change(n % 100, |sum: Option<u64>| Some(sum.unwrap_or(0) + 1));
                        shards.change(1_000 + thread * 500 + n, |_| Some(1));
                    }
                });
            }
        });
        assert_eq!(shards.get(7), Some(20));
        assert_eq!(
            (shards.len(), shards.values().iter().sum::<u64>()),
            (2_100, 4_000)
        );
        shards.change(7, |_| None);
        assert_eq!((shards.get(7), shards.len()), (None, 2_099));
    }
}
