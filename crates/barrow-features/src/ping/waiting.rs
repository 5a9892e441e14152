//! Who waits for which answers.

use arc_swap::ArcSwap;
use barrow_core::channel::{Receiver, Sender, bounded};
use barrow_engine::Instant;
use rustc_hash::FxHashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Answers that a command has not read yet, at most: as many as it may ask for at once.
const BACKLOG: usize = 256;

/// An answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Echo {
    pub(super) from: Ipv4Addr,
    pub(super) sequence: u16,
    pub(super) ttl: u8,
    /// Bytes of the packet and of its header.
    pub(super) bytes: usize,
    pub(super) at: Instant,
}

type Map = FxHashMap<u16, Sender<Echo>>;

/// The commands that run, by identifier; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<ArcSwap<Map>>);

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.load().keys()).finish()
    }
}

/// A command's place: its identifier is used again after it.
#[derive(Debug)]
pub(super) struct Place {
    waiting: Waiting,
    pub(super) identifier: u16,
    pub(super) answers: Receiver<Echo>,
}

impl Waiting {
    /// A place with the first free identifier from `wanted` on; none when 65536 commands run. Main thread
    /// only, by convention.
    pub(super) fn enter(&self, wanted: u16) -> Option<Place> {
        let mut map = Map::clone(&self.0.load());
        let identifier = (0..=u16::MAX)
            .map(|step| wanted.wrapping_add(step))
            .find(|identifier| !map.contains_key(identifier))?;
        let (sender, answers) = bounded(BACKLOG);
        map.insert(identifier, sender);
        self.0.store(Arc::new(map));
        Some(Place {
            waiting: self.clone(),
            identifier,
            answers,
        })
    }

    /// Hands an answer to whoever waits for it; says whether somebody does.
    pub(super) fn hand_over(&self, identifier: u16, echo: Echo) -> bool {
        let map = self.0.load();
        let Some(sender) = map.get(&identifier) else {
            return false;
        };
        // A command that does not keep up has lost the answer, as any network may lose it.
        let _lost = sender.try_send(echo);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut map = Map::clone(&self.waiting.0.load());
        map.remove(&self.identifier);
        self.waiting.0.store(Arc::new(map));
    }
}
