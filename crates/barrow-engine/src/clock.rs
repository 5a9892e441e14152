//! The one clock that all timers, ageing and time stamps of a node follow.

use crate::node::Interrupts;
use barrow_core::Instant;
use barrow_runtime::sys::Clock;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A node's clock: seconds since the node started, plus what it was moved forward by.
///
/// In a simulation it stands still and [`adjust`](Self::adjust) is what moves it; everything else is the
/// same. Main thread only: nodes get the time from their context.
#[derive(Clone)]
pub struct NodeClock(Rc<Inner>);

struct Inner {
    source: Source,
    /// What wakes each thread, so that it looks at the clock.
    bells: RefCell<Vec<Arc<Interrupts>>>,
}

enum Source {
    Real(Clock),
    Virtual(Cell<Instant>),
}

impl NodeClock {
    /// A clock that runs.
    #[must_use]
    pub fn real(clock: Clock) -> Self {
        Self::new(Source::Real(clock))
    }

    /// A clock that stands until it is adjusted.
    #[must_use]
    pub fn simulated() -> Self {
        Self::new(Source::Virtual(Cell::new(Instant::ZERO)))
    }

    fn new(source: Source) -> Self {
        Self(Rc::new(Inner {
            source,
            bells: RefCell::default(),
        }))
    }

    pub(crate) fn add_bell(&self, bell: Arc<Interrupts>) {
        self.0.bells.borrow_mut().push(bell);
    }

    /// The time now; the time of the turn is the same or a little earlier.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0.source {
            Source::Real(clock) => clock.now(),
            Source::Virtual(now) => now.get(),
        }
    }

    /// Moves the clock forward on all threads: everything that becomes due fires in their next turn.
    pub fn adjust(&self, by: Duration) {
        match &self.0.source {
            Source::Real(clock) => clock.advance(by),
            Source::Virtual(now) => now.set(now.get() + by),
        }
        self.0.bells.borrow().iter().for_each(|bell| bell.wake());
    }

    /// The clock that threads read between turns; `None` in a simulation, where no time passes there.
    pub(crate) fn between_turns(&self) -> Option<Clock> {
        match &self.0.source {
            Source::Real(clock) => Some(clock.clone()),
            Source::Virtual(_) => None,
        }
    }

    /// The time of day, since 1970. Not moved by [`adjust`](Self::adjust).
    #[must_use]
    pub fn wall(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

impl fmt::Debug for NodeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeClock({})", self.now())
    }
}
