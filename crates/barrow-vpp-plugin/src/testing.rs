//! A host with the habits of VPP's process nodes and of the crate `vpp-plugin` 0.3.0, on virtual time.
//!
//! * A wake, from whatever thread, is queued, and reaches the process up to 10 ms later; each one is counted, as
//!   it would stop all workers for a moment.
//! * Its clock counts whole milliseconds, rounded down, and so do its timers: they may end 1 ms early.
//! * A timer of more than two seconds is lost. A timer wakes nobody: the process is polled when the earliest one
//!   is due, and has to look.
//! * Nothing is dropped at its end, unless the test drops it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use barrow_core::Instant;

use crate::Host;

/// How late a wake is.
const LATE: Duration = Duration::from_millis(10);
/// Timers beyond this are lost.
const LOST: Duration = Duration::from_secs(2);

/// VPP's side: its clock and timers. A handle.
#[derive(Clone, Default)]
pub struct VppDouble(Rc<State>);

#[derive(Default)]
struct State {
    now: Cell<Instant>,
    /// Deadlines in milliseconds, by timer.
    timers: RefCell<Vec<(u64, u64)>>,
    next_timer: Cell<u64>,
    lost: Cell<u64>,
}

/// Wakes that arrived, as calls to VPP's main thread.
#[derive(Debug, Default)]
struct Calls {
    made: AtomicU64,
    answered: AtomicU64,
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.made.fetch_add(1, Ordering::SeqCst);
    }
}

/// A process node of the double: a future, and when it is polled.
pub struct VppProcess {
    host: VppDouble,
    future: Pin<Box<dyn Future<Output = ()>>>,
    calls: Arc<Calls>,
    polls: u64,
}

/// A timer of the double.
pub struct DoubleSleep {
    host: VppDouble,
    timer: u64,
    at: u64,
}

const fn millis(at: Instant) -> u64 {
    at.as_nanos() / 1_000_000
}

impl VppDouble {
    /// A host at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves its clock without running anything: the phase at which timers are armed.
    pub fn shift(&self, by: Duration) {
        self.0.now.set(self.0.now.get() + by);
    }

    /// The true time.
    #[must_use]
    pub fn time(&self) -> Instant {
        self.0.now.get()
    }

    /// Timers that were too long, and lost.
    #[must_use]
    pub fn lost_timers(&self) -> u64 {
        self.0.lost.get()
    }

    /// A process that runs `future`.
    #[must_use]
    pub fn start(&self, future: impl Future<Output = ()> + 'static) -> VppProcess {
        let mut process = VppProcess {
            host: self.clone(),
            future: Box::pin(future),
            calls: Arc::default(),
            polls: 0,
        };
        process.poll();
        process
    }

    /// When the process is polled because of a timer: the earliest of those that are not lost.
    fn due(&self) -> Option<Instant> {
        let timers = self.0.timers.borrow();
        let earliest = timers.iter().map(|(_, at)| *at).min()?;
        Some(Instant::from_millis(earliest))
    }
}

impl Host for VppDouble {
    type Sleep = DoubleSleep;

    fn now(&self) -> Instant {
        self.0.now.get()
    }

    fn sleep(&self, delay: Duration) -> DoubleSleep {
        let state = &self.0;
        let timer = state.next_timer.replace(state.next_timer.get() + 1);
        let at = millis(state.now.get() + delay);
        if delay > LOST {
            state.lost.set(state.lost.get() + 1);
        } else {
            state.timers.borrow_mut().push((timer, at));
        }
        DoubleSleep {
            host: self.clone(),
            timer,
            at,
        }
    }
}

impl Future for DoubleSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let state = &self.host.0;
        let known = state
            .timers
            .borrow()
            .iter()
            .any(|(timer, _)| *timer == self.timer);
        if known && millis(state.now.get()) >= self.at {
            return Poll::Ready(());
        }
        Poll::Pending // and the waker is not kept
    }
}

impl Drop for DoubleSleep {
    fn drop(&mut self) {
        let mut timers = self.host.0.timers.borrow_mut();
        timers.retain(|(timer, _)| *timer != self.timer);
    }
}

impl VppProcess {
    /// Calls to the main thread so far: wakes.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.made.load(Ordering::SeqCst)
    }

    /// Polls so far.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.polls
    }

    fn poll(&mut self) {
        self.polls += 1;
        let made = self.calls.made.load(Ordering::SeqCst);
        self.calls.answered.store(made, Ordering::SeqCst);
        let waker = Waker::from(self.calls.clone());
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending(), "a root never ends");
    }

    /// Whether a wake waits for the main loop.
    fn is_called(&self) -> bool {
        self.calls() > self.calls.answered.load(Ordering::SeqCst)
    }

    /// Lets time pass as VPP does: polls after wakes, late, and when timers are due.
    pub fn advance(&mut self, by: Duration) {
        let end = self.host.time() + by;
        loop {
            let now = self.host.time();
            let called = self.is_called().then(|| now + LATE);
            let due = self.host.due().map(|at| at.max(now));
            let next = called.into_iter().chain(due).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.host.0.now.set(next);
            let before = (self.host.due(), self.polls);
            self.poll();
            // A timer that stays due although the process was polled: as VPP, which spins at its tick.
            if self.host.due() == before.0 && self.host.due().is_some_and(|at| at <= next) {
                self.host.shift(Duration::from_micros(10));
            }
        }
        self.host.0.now.set(end);
    }
}

impl fmt::Debug for VppDouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VppDouble")
            .field("now", &self.time())
            .field("timers", &self.0.timers.borrow().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DoubleSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoubleSleep")
            .field("at_ms", &self.at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VppProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VppProcess")
            .field("polls", &self.polls)
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}
