//! What listings and counters read.

use std::{fmt, panic::Location, time::Duration};

use super::UnitId;
use crate::{Exit, Work};

/// Counters of one unit since it was added or cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitStats {
    /// Calls of `work`.
    pub calls: u64,
    /// Wakes that made it ready (several before one call count once).
    pub wakes: u64,
    /// Calls that ended [`Work::Blocked`].
    pub blocked: u64,
    /// Calls that used up the quantum, [`Work::More`].
    pub exhausted: u64,
    /// Calls that panicked.
    pub panics: u64,
    /// Clocks in `work`, in the unit of the host's [`Clock`](crate::Clock); 0 without one.
    pub clocks: u64,
    /// Clocks of its longest call.
    pub max_clocks: u64,
}

/// What a unit is doing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// Waits for a wake or its deadline.
    Waiting,
    /// Waits for an output to take something.
    Blocked,
    /// In the ready queue.
    Ready,
    /// Its `work` runs; seen only from inside.
    Running,
}

/// One row of a listing.
#[derive(Clone, Debug)]
pub struct UnitInfo {
    /// Its id.
    pub id: UnitId,
    /// Its name when it was added.
    pub name: std::rc::Rc<str>,
    /// Where in the source it was added.
    pub registered: &'static Location<'static>,
    /// What it does now.
    pub state: UnitState,
    /// How its latest call ended; `None` before the first.
    pub last: Option<Work>,
    /// Its counters.
    pub stats: UnitStats,
}

/// Counters of a scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedulerStats {
    /// Calls of [`Scheduler::turn`](super::Scheduler::turn).
    pub turns: u64,
    /// Turns that ended in [`Next::Park`](super::Next::Park).
    pub parks: u64,
    /// Calls of units.
    pub calls: u64,
    /// Timers that fired.
    pub timers: u64,
    /// Units added.
    pub added: u64,
    /// Units that ended by themselves.
    pub done: u64,
    /// Units that failed, panics included.
    pub failed: u64,
    /// Wakes for units that are gone: counted and dropped.
    pub stale_wakes: u64,
}

/// A failure of a unit, for the host's log; the unit may have been started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: std::rc::Rc<str>,
    /// What happened; never [`Exit::Finished`].
    pub exit: Exit,
}

/// A call that took longer than the host allows: everything else on the thread waited for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCall {
    /// The unit's id.
    pub id: UnitId,
    /// Its name.
    pub name: std::rc::Rc<str>,
    /// Where in the source it was added.
    pub registered: &'static Location<'static>,
    /// How long the call took.
    pub took: Duration,
    /// What the host allows.
    pub limit: Duration,
}

impl fmt::Display for SlowCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (registered at {}:{}) kept its thread for {:.3} ms, {:.3} ms are allowed",
            self.name,
            self.registered.file(),
            self.registered.line(),
            self.took.as_secs_f64() * 1e3,
            self.limit.as_secs_f64() * 1e3,
        )
    }
}
