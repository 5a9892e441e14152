//! The one place that reads the monotonic clock for hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barrow_core::Instant;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// A node's clock: time since it was made, plus what it was moved forward by.
///
/// Clones are the same clock. It runs on `CLOCK_MONOTONIC` and never goes back; [`Clock::advance`]
/// moves it forward for all threads at once (`set clock adjust`). A host that is parked while the
/// clock is advanced has to be woken to notice: that is the caller's part.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `CLOCK_MONOTONIC` when the clock was made, in nanoseconds.
    origin: u64,
    /// Nanoseconds that the clock is ahead of the monotonic one.
    ahead: AtomicU64,
}

impl Clock {
    /// A clock that starts at [`Instant::ZERO`] now.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            origin: monotonic_nanos(),
            ahead: AtomicU64::new(0),
        }))
    }

    /// The time. Costs a call into the kernel's page of clock data, no system call.
    #[must_use]
    pub fn now(&self) -> Instant {
        let running = monotonic_nanos().saturating_sub(self.0.origin);
        Instant::from_nanos(running.saturating_add(self.ahead()))
    }

    /// Moves the clock forward for everyone who reads it.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let add = |ahead: u64| Some(ahead.saturating_add(by));
        // The closure always answers, so the update cannot fail.
        let _ = self
            .0
            .ahead
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// How far the clock was moved forward in all.
    #[must_use]
    pub fn advanced(&self) -> Duration {
        Duration::from_nanos(self.ahead())
    }

    /// The moment on `CLOCK_MONOTONIC` that this clock will show `at`, unless it is advanced
    /// before.
    pub(crate) fn to_monotonic(&self, at: Instant) -> Timespec {
        let nanos = at
            .as_nanos()
            .saturating_sub(self.ahead())
            .saturating_add(self.0.origin);
        timespec(Duration::from_nanos(nanos))
    }

    fn ahead(&self) -> u64 {
        self.0.ahead.load(Ordering::Relaxed)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A duration as the kernel takes it.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Both parts are not negative: the clock starts at boot.
    now.tv_sec
        .unsigned_abs()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_is_seen_by_every_clone_at_once() {
        let clock = Clock::new();
        let other = clock.clone();
        clock.advance(Duration::from_secs(3600));
        assert!(other.now() >= Instant::from_secs(3600));
        assert_eq!(other.advanced(), Duration::from_secs(3600));
    }

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::new();
        let mut last = clock.now();
        for _ in 0..1000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_deadline_keeps_its_moment_when_the_clock_was_advanced_before() {
        let clock = Clock::new();
        let at = clock.now() + Duration::from_secs(10);
        let before = clock.to_monotonic(at);
        clock.advance(Duration::from_secs(4));
        let after = clock.to_monotonic(at);
        assert_eq!(before.tv_sec - after.tv_sec, 4);
        assert_eq!(before.tv_nsec, after.tv_nsec);
    }

    #[test]
    fn advancing_without_end_saturates() {
        let clock = Clock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Instant::MAX);
    }
}
