//! The wheel as a shared value: time, wakers, and the budget of a turn.

use std::{
    cell::{Cell, RefCell},
    fmt,
    task::Waker,
};

use super::wheel::{Step, Wheel};
use crate::Instant;

/// Names an armed timer. A key outlives its timer harmlessly: it carries a generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimerKey {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// All timers of one thread, and its `now`.
///
/// A scheduler owns one and everything on its thread shares it (`Rc<Timers>`). Wakers are cloned,
/// woken and dropped outside every borrow, so they may use the timers themselves.
///
/// ```
/// use barrow_core::{Instant, timer::Timers};
/// use std::task::Waker;
///
/// let timers = Timers::new();
/// let key = timers.arm(Instant::from_millis(5), Waker::noop().clone());
/// assert_eq!(timers.next_deadline(), Some(Instant::from_millis(5)));
/// assert!(timers.rearm(key, Instant::from_secs(60 * 60 * 24 * 365)));
/// timers.advance(Instant::from_secs(60 * 60 * 24 * 366));
/// assert_eq!(timers.fire(64), 1);
/// assert!(!timers.cancel(key), "it has fired");
/// ```
pub struct Timers {
    now: Cell<Instant>,
    wheel: RefCell<Wheel>,
}

impl Timers {
    /// A wheel at [`Instant::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: Cell::new(Instant::ZERO),
            wheel: RefCell::new(Wheel::new()),
        }
    }

    /// The time of the current turn.
    pub fn now(&self) -> Instant {
        self.now.get()
    }

    /// Moves `now` forward; an earlier instant changes nothing (time is monotonic). What is due
    /// then fires in [`Timers::fire`]: also the way a host applies a jump of its clock.
    pub fn advance(&self, now: Instant) {
        self.now.set(now.max(self.now.get()));
    }

    /// Arms a timer: `waker` is woken once, at `deadline` or later. O(1).
    pub fn arm(&self, deadline: Instant, waker: Waker) -> TimerKey {
        self.wheel.borrow_mut().arm(deadline.as_nanos(), waker)
    }

    /// Moves an armed timer. O(1). False if it has fired or was cancelled.
    pub fn rearm(&self, key: TimerKey, deadline: Instant) -> bool {
        self.wheel.borrow_mut().rearm(key, deadline.as_nanos())
    }

    /// Makes an armed timer wake somebody else. False if it has fired or was cancelled.
    pub fn set_waker(&self, key: TimerKey, waker: &Waker) -> bool {
        match self.wheel.borrow().waker(key) {
            None => return false,
            Some(old) if old.will_wake(waker) => return true,
            Some(_) => {}
        }
        let waker = waker.clone();
        let old = self.wheel.borrow_mut().set_waker(key, waker);
        old.is_some()
    }

    /// Takes a timer out before it fires. O(1). False if it has fired or was cancelled.
    pub fn cancel(&self, key: TimerKey) -> bool {
        let waker = self.wheel.borrow_mut().cancel(key);
        waker.is_some()
    }

    /// Whether a timer has neither fired nor been cancelled.
    pub fn is_armed(&self, key: TimerKey) -> bool {
        self.wheel.borrow().is_armed(key)
    }

    /// Wakes what is due, in at most `budget` steps (a wake, or a timer moved one level down);
    /// returns the number of wakes. After a stop by the budget, [`Timers::next_deadline`] lies
    /// at or before `now`. Timers fire in the order of their 10-microsecond ticks.
    pub fn fire(&self, budget: u32) -> u32 {
        let now = self.now.get().as_nanos();
        let mut fired = 0;
        for _ in 0..budget {
            let step = self.wheel.borrow_mut().step(now);
            match step {
                Step::Fire(waker) => {
                    waker.wake();
                    fired += 1;
                }
                Step::Moved => {}
                Step::Done => break,
            }
        }
        fired
    }

    /// When the earliest armed timer is due. Exact, with one exception that keeps the cost
    /// bounded: among more than four thousand timers of about the same distance, of which the
    /// earliest was cancelled, the answer may come early (never late), and the true one follows
    /// after at most nine such answers.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.wheel
            .borrow_mut()
            .next_deadline()
            .map(Instant::from_nanos)
    }

    /// The number of armed timers.
    pub fn len(&self) -> usize {
        self.wheel.borrow().len()
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers")
            .field("now", &self.now)
            .field("armed", &self.len())
            .finish()
    }
}
