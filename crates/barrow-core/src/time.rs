//! Time as an input: integers made by the host's clock, literals in tests.

use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

/// A point of the host's monotonic time, in nanoseconds since the host started.
///
/// Only a host makes instants out of a clock; everything else gets `now` handed in, so that every
/// state machine can be run on virtual time. All arithmetic saturates: [`Instant::MAX`] is 584
/// years away and means "never" in practice.
///
/// ```
/// use barrow_core::Instant;
/// use std::time::Duration;
///
/// let start = Instant::from_nanos(1_000);
/// let later = start + Duration::from_micros(2);
/// assert_eq!(later.as_nanos(), 3_000);
/// assert_eq!(later - start, Duration::from_nanos(2_000));
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The moment the host started.
    pub const ZERO: Self = Self(0);
    /// The end of representable time.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the host started.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `micros` microseconds after the host started.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// The instant `millis` milliseconds after the host started.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The instant `secs` seconds after the host started.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the host started.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the host started, as clients see them.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }

    /// This instant moved by `delay`, at most [`Instant::MAX`].
    #[must_use]
    pub fn saturating_add(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(nanos(delay)))
    }

    /// This instant moved back by `delay`, at least [`Instant::ZERO`].
    #[must_use]
    pub fn saturating_sub(self, delay: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(delay)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Whole nanoseconds of `delay`, capped at what an [`Instant`] can hold.
fn nanos(delay: Duration) -> u64 {
    u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, delay: Duration) -> Self {
        self.saturating_add(delay)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, delay: Duration) {
        *self = self.saturating_add(delay);
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, delay: Duration) -> Self {
        self.saturating_sub(delay)
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// A cycle counter that a host lends for statistics (`show runtime` prints clocks).
///
/// It never decides anything: schedulers and regions behave the same with every clock.
pub trait Clock {
    /// The counter now, in the host's unit (usually TSC ticks); wraps are tolerated.
    fn clocks(&self) -> u64;

    /// Clocks a second; 0 if the host does not know, and then nothing is judged by time.
    fn frequency(&self) -> u64 {
        0
    }
}

/// The clock of a host that does not measure: always 0, and free.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    fn clocks(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Instant::MAX + Duration::MAX, Instant::MAX);
        assert_eq!(Instant::ZERO - Duration::MAX, Instant::ZERO);
        assert_eq!(Instant::from_secs(u64::MAX), Instant::MAX);
    }

    #[test]
    fn prints_seconds_with_all_nanoseconds() {
        assert_eq!(Instant::from_micros(1_500_000).to_string(), "1.500000000s");
    }
}
