//! How busy a worker is, measured where it goes to sleep and wakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barrow_core::Instant;

/// Times of one worker, written by it and read by anybody. Clones are the same meter.
///
/// One writer: each figure is right by itself, and figures read together are of about the same
/// moment.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Figures>);

#[derive(Debug, Default)]
struct Figures {
    /// When the worker last woke or went to sleep: twice the nanoseconds, plus one when it sleeps.
    mark: AtomicU64,
    /// Nanoseconds awake until then.
    busy: AtomicU64,
    /// Sleeps until then.
    sleeps: AtomicU64,
}

/// What a [`Meter`] says at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The moment.
    pub at: Instant,
    /// Time awake until then. Looking for work before a sleep counts as asleep.
    pub busy: Duration,
    /// How often it went to sleep.
    pub sleeps: u64,
}

impl Load {
    /// The share of the time since an earlier reading that the worker was awake, from 0 to 1.
    #[must_use]
    pub fn utilisation_since(self, earlier: Self) -> f64 {
        let passed = self.at.saturating_since(earlier.at).as_secs_f64();
        if passed == 0.0 {
            return 0.0;
        }
        let busy = self.busy.saturating_sub(earlier.busy).as_secs_f64();
        (busy / passed).clamp(0.0, 1.0)
    }
}

impl Meter {
    /// The worker goes to sleep.
    pub(super) fn sleeps(&self, now: Instant) {
        let figures = &*self.0;
        let woke = figures.mark.load(Ordering::Relaxed) >> 1;
        let awake = now.as_nanos().saturating_sub(woke);
        let busy = figures.busy.load(Ordering::Relaxed).wrapping_add(awake);
        figures.busy.store(busy, Ordering::Relaxed);
        let sleeps = figures.sleeps.load(Ordering::Relaxed).wrapping_add(1);
        figures.sleeps.store(sleeps, Ordering::Relaxed);
        figures
            .mark
            .store(now.as_nanos() << 1 | 1, Ordering::Release);
    }

    /// The worker is awake again.
    pub(super) fn wakes(&self, now: Instant) {
        self.0.mark.store(now.as_nanos() << 1, Ordering::Release);
    }

    /// The figures at `now`, which is of the worker's clock.
    #[must_use]
    pub fn read(&self, now: Instant) -> Load {
        loop {
            let mark = self.0.mark.load(Ordering::Acquire);
            let busy = Duration::from_nanos(self.0.busy.load(Ordering::Acquire));
            let sleeps = self.0.sleeps.load(Ordering::Acquire);
            if self.0.mark.load(Ordering::Relaxed) != mark {
                continue; // it slept or woke meanwhile, which takes far longer than this
            }
            let awake = match mark & 1 {
                0 => now.saturating_since(Instant::from_nanos(mark >> 1)),
                _ => Duration::ZERO,
            };
            return Load {
                at: now,
                busy: busy + awake,
                sleeps,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utilisation_is_the_share_of_time_awake() {
        let (meter, at) = (Meter::default(), Instant::from_secs);
        meter.wakes(at(1));
        let start = meter.read(at(1));
        meter.sleeps(at(3));
        meter.wakes(at(9));
        let end = meter.read(at(11));
        assert_eq!(
            end.busy,
            Duration::from_secs(4),
            "two awake, two more and still awake"
        );
        assert!((end.utilisation_since(start) - 0.4).abs() < 1e-9);
        assert_eq!((end.sleeps, end.utilisation_since(end)), (1, 0.0));
    }

    #[test]
    fn a_long_sleep_counts_although_nobody_wrote_it_down_yet() {
        let (meter, at) = (Meter::default(), Instant::from_secs);
        meter.wakes(at(0));
        meter.sleeps(at(1));
        let (early, late) = (meter.read(at(1)), meter.read(at(1_000)));
        assert_eq!(late.utilisation_since(early), 0.0);
    }
}
