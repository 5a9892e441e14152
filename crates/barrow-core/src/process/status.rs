//! What `show node` and `show runtime` read.

use std::{cell::Cell, ffi::CStr, fmt, rc::Rc};

use super::{Exit, shared::Shared};
use crate::{CounterDescription, Waits};

/// What a process node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// Not started yet, or about to be started again at once.
    Ready,
    /// In a poll; seen only from inside.
    Running,
    /// Waits for an event or a timer.
    Waiting,
    /// Failed, and waits for its restart.
    Restarting,
    /// Returned `Ok`; it never runs again.
    Finished,
    /// Failed for good.
    Failed,
    /// Taken out by its host before it ended.
    Removed,
}

impl fmt::Display for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Restarting => "restarting",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Removed => "removed",
        })
    }
}

/// A process node seen from outside; stays readable after its end. Cheap to clone.
#[derive(Clone)]
pub struct ProcessStatus {
    name: &'static CStr,
    shared: Rc<Shared>,
}

impl ProcessStatus {
    pub(super) fn new(name: &'static CStr, shared: Rc<Shared>) -> Self {
        Self { name, shared }
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &'static CStr {
        self.name
    }

    /// What it does now.
    #[must_use]
    pub fn state(&self) -> ProcessState {
        self.shared.state.get()
    }

    /// What it awaited when it was polled last.
    #[must_use]
    pub fn waits(&self) -> Waits {
        self.shared.waits.get()
    }

    /// How often it was called: once a wake (VPP: calls).
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.shared.polls.get()
    }

    /// How often it then waited (VPP: suspends).
    #[must_use]
    pub fn suspends(&self) -> u64 {
        self.shared.suspends.get()
    }

    /// How often it was started: 1 and the restarts.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.shared.starts.get()
    }

    /// How its latest run ended; `None` while the first one goes on.
    #[must_use]
    pub fn last_exit(&self) -> Option<Exit> {
        self.shared.exit.borrow().clone()
    }

    /// The value of one error counter; 0 for a slot it does not have.
    #[must_use]
    pub fn counter(&self, slot: usize) -> u64 {
        self.shared.counters.get(slot).map_or(0, Cell::get)
    }

    /// Every error counter with its value, in the order of slots.
    pub fn counters(&self) -> impl Iterator<Item = (&'static CounterDescription, u64)> {
        self.shared
            .descriptions
            .iter()
            .zip(self.shared.counters.iter().map(Cell::get))
    }

    /// Zeroes polls and suspends.
    pub fn clear_runtime(&self) {
        self.shared.polls.set(0);
        self.shared.suspends.set(0);
    }

    /// Zeroes the error counters.
    pub fn clear_counters(&self) {
        self.shared
            .counters
            .iter()
            .for_each(|counter| counter.set(0));
    }
}

impl fmt::Debug for ProcessStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessStatus")
            .field("name", &self.name)
            .field("state", &self.state())
            .field("polls", &self.polls())
            .field("last_exit", &self.shared.exit.borrow())
            .finish_non_exhaustive()
    }
}
