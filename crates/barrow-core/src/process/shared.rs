//! What a node's contexts and statuses share.

use std::{
    cell::{Cell, RefCell},
    task::Waker,
};

use super::{Exit, ProcessState};
use crate::{CounterDescription, Spawner, Waits};

pub(super) struct Shared {
    pub(super) spawner: Spawner,
    pub(super) descriptions: &'static [CounterDescription],
    pub(super) counters: Box<[Cell<u64>]>,
    pub(super) state: Cell<ProcessState>,
    /// As of the latest poll.
    pub(super) waits: Cell<Waits>,
    pub(super) polls: Cell<u64>,
    pub(super) suspends: Cell<u64>,
    pub(super) starts: Cell<u64>,
    pub(super) exit: RefCell<Option<Exit>>,
    pub(super) stop: Stop,
}

impl Shared {
    pub(super) fn new(spawner: Spawner, descriptions: &'static [CounterDescription]) -> Self {
        Self {
            spawner,
            descriptions,
            counters: descriptions.iter().map(|_| Cell::new(0)).collect(),
            state: Cell::new(ProcessState::Ready),
            waits: Cell::new(Waits::NONE),
            polls: Cell::new(0),
            suspends: Cell::new(0),
            starts: Cell::new(0),
            exit: RefCell::new(None),
            stop: Stop::default(),
        }
    }

    pub(super) fn count(&self, slot: usize, by: u64) {
        let counter = &self.counters[slot];
        counter.set(counter.get().wrapping_add(by));
    }
}

/// The host's wish that the node ends, and who waits for it.
#[derive(Default)]
pub(super) struct Stop {
    asked: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Stop {
    pub(super) fn ask(&self) {
        self.asked.set(true);
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    pub(super) fn register(&self, waker: &Waker) {
        if self
            .waiting
            .borrow()
            .iter()
            .any(|known| known.will_wake(waker))
        {
            return;
        }
        let waker = waker.clone();
        self.waiting.borrow_mut().push(waker);
    }
}
