//! Ticking at a fixed period.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use super::{Sleep, Timers};
use crate::Instant;
use futures_core::Stream;

/// What an [`Interval`] does about ticks that nobody took in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Missed {
    /// Drop them and stay in phase with the first tick.
    #[default]
    Skip,
    /// Deliver them one after another, at once.
    Burst,
    /// Count the next period from the late tick.
    Delay,
}

/// A stream of ticks: the first one period after its making, then one a period.
///
/// ```
/// use barrow_core::{Instant, testing::Simulation, timer::{Interval, Missed}};
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let mut simulation = Simulation::new();
/// let (timers, beats) = (simulation.scheduler().timers(), Rc::new(Cell::new(0)));
/// let count = beats.clone();
/// simulation.scheduler().spawn_task(async move {
///     let mut interval = Interval::new(timers, Duration::from_secs(1)).missed(Missed::Burst);
///     loop {
///         let due = interval.tick().await;
///         count.set(count.get() + 1);
///         assert_eq!(due, Instant::from_secs(count.get()));
///     }
/// });
/// simulation.advance(Duration::from_millis(3_500));
/// assert_eq!(beats.get(), 3);
/// simulation.jump(Duration::from_secs(10)); // the node's clock is moved forward
/// assert_eq!(beats.get(), 13);
/// ```
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
    missed: Missed,
    timers: Rc<Timers>,
}

impl Interval {
    /// Ticks every `period` from now on. A period of zero is taken as one nanosecond.
    #[must_use]
    pub fn new(timers: Rc<Timers>, period: Duration) -> Self {
        let period = period.max(Duration::from_nanos(1));
        let first = timers.now() + period;
        Self {
            sleep: Sleep::new(timers.clone(), first),
            period,
            missed: Missed::default(),
            timers,
        }
    }

    /// The same with another policy for missed ticks.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// The time between two ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Waits for the next tick; returns the instant it was due. Losing the future loses no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// [`Interval::tick`] for hand-written futures.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        match Pin::new(&mut self.sleep).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let due = self.sleep.deadline();
                self.sleep.reset(self.following(due, self.timers.now()));
                Poll::Ready(due)
            }
        }
    }

    fn following(&self, due: Instant, now: Instant) -> Instant {
        match self.missed {
            Missed::Burst => due + self.period,
            Missed::Delay => now + self.period,
            Missed::Skip => {
                let period = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
                let late = now.saturating_since(due).as_nanos() as u64;
                let periods = (late / period).saturating_add(1);
                due + Duration::from_nanos(period.saturating_mul(periods))
            }
        }
    }
}

/// The ticks as a stream without end.
impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}
