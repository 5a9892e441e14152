//! Waiting for a point of time.

use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use super::{TimerKey, Timers};
use crate::{Instant, Waits};

/// A future that ends at its deadline; never early, and only ever woken through the waker that
/// polled it last, so it works inside `select!`, `FuturesUnordered` and every other combinator.
///
/// ```
/// use barrow_core::{Instant, testing::Simulation};
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let mut simulation = Simulation::new();
/// let (spawner, woke) = (simulation.scheduler().spawner(), Rc::new(Cell::new(Instant::ZERO)));
/// let (timers, at) = (spawner.timers(), woke.clone());
/// spawner.spawn_task(async move {
///     barrow_core::timer::Sleep::new(timers.clone(), Instant::from_secs(4)).await;
///     at.set(timers.now());
/// });
/// simulation.advance(Duration::from_secs(10));
/// assert_eq!(woke.get(), Instant::from_secs(4));
/// ```
#[derive(Debug)]
#[must_use = "a sleep does nothing unless awaited"]
pub struct Sleep {
    timers: Rc<Timers>,
    deadline: Instant,
    key: Option<TimerKey>,
}

impl Sleep {
    /// A sleep until `deadline`; the timer is armed by the first poll.
    pub fn new(timers: Rc<Timers>, deadline: Instant) -> Self {
        Self {
            timers,
            deadline,
            key: None,
        }
    }

    /// When it ends.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the deadline has come.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.timers.now() >= self.deadline
    }

    /// Moves the deadline, also after it has passed; the task that waits is woken at the new one.
    pub fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if let Some(key) = self.key
            && !self.timers.rearm(key, deadline)
        {
            self.key = None;
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_elapsed() {
            if let Some(key) = self.key.take() {
                self.timers.cancel(key);
            }
            return Poll::Ready(());
        }
        match self.key {
            Some(key) if self.timers.set_waker(key, cx.waker()) => {}
            _ => self.key = Some(self.timers.arm(self.deadline, cx.waker().clone())),
        }
        Waits::until(self.deadline).note();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.timers.cancel(key);
        }
    }
}

/// A time limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit was reached")
    }
}

impl Error for Elapsed {}

/// Awaits `future` for at most `limit`.
///
/// # Errors
/// [`Elapsed`] when the limit came first; the future is dropped then.
pub async fn timeout<F: Future>(
    timers: Rc<Timers>,
    limit: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let deadline = timers.now() + limit;
    timeout_at(timers, deadline, future).await
}

/// Awaits `future` until `deadline` at most.
///
/// # Errors
/// [`Elapsed`] when the deadline came first; the future is dropped then.
pub async fn timeout_at<F: Future>(
    timers: Rc<Timers>,
    deadline: Instant,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut sleep = pin!(Sleep::new(timers, deadline));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}
