//! Which ports are blocked where.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

/// A blocked port of an interface.
pub(crate) type Key = (u32, u16);

/// The blocked ports. Changes are rare and packets many, so nodes keep a copy and look at the version once
/// a vector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocked(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    version: AtomicU64,
    ports: RwLock<BTreeMap<Key, Arc<AtomicU64>>>,
}

impl Blocked {
    /// Blocks a port, or no longer; says whether that changed anything.
    pub(crate) fn set(&self, key: Key, on: bool) -> bool {
        let mut ports = self.0.ports.write().expect("nobody panics under this lock");
        let before = ports.len();
        if on {
            ports.entry(key).or_default();
        } else {
            ports.remove(&key);
        }
        let changed = ports.len() != before;
        self.0.version.fetch_add(1, Ordering::Release);
        changed
    }

    /// The entry behind `last`, with the packets dropped for it.
    pub(crate) fn next(&self, last: Option<Key>) -> Option<(Key, u64)> {
        let ports = self.0.ports.read().expect("nobody panics under this lock");
        let from = last.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let (key, count) = ports.range((from, std::ops::Bound::Unbounded)).next()?;
        Some((*key, count.load(Ordering::Relaxed)))
    }

    /// Whether any port is blocked on an interface.
    pub(crate) fn any_on(&self, index: u32) -> bool {
        let ports = self.0.ports.read().expect("nobody panics under this lock");
        ports.range((index, 0)..=(index, u16::MAX)).next().is_some()
    }

    /// Brings a node's copy up to date, if it is not.
    pub(crate) fn refresh(&self, seen: &mut u64, copy: &mut BTreeMap<Key, Arc<AtomicU64>>) {
        let version = self.0.version.load(Ordering::Acquire);
        if *seen != version {
            copy.clone_from(&self.0.ports.read().expect("nobody panics under this lock"));
            *seen = version;
        }
    }
}
