//! Waiting longer after each failure.

use std::time::Duration;

/// Delays that double from `first` to `max`: restarts, reconnects, retries.
///
/// A value without randomness, so that simulations repeat; a crowd that must not move in step
/// spreads itself with [`Backoff::spread`].
///
/// ```
/// use barrow_core::Backoff;
/// use std::time::Duration;
///
/// let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(35));
/// let delays: Vec<_> = (0..4).map(|_| backoff.advance().as_millis()).collect();
/// assert_eq!(delays, [10, 20, 35, 35]);
/// backoff.reset();
/// assert_eq!(backoff.advance().as_millis(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Delays from `first` to `max` (at least `first`).
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        let max = if max.as_nanos() < first.as_nanos() {
            first
        } else {
            max
        };
        Self {
            first,
            max,
            next: first,
        }
    }

    /// The delay to wait now; the one after it is twice as long.
    pub fn advance(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.max);
        delay
    }

    /// Starts again at the first delay: after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The longest delay.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// A delay between half of `delay` and all of it, chosen by the caller's `random` number.
    #[must_use]
    pub fn spread(delay: Duration, random: u32) -> Duration {
        let half = delay / 2;
        half + Duration::from_secs_f64(half.as_secs_f64() * f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_delay_stays_between_half_and_all() {
        let delay = Duration::from_secs(8);
        assert_eq!(Backoff::spread(delay, 0), delay / 2);
        assert_eq!(Backoff::spread(delay, u32::MAX), delay);
    }

    #[test]
    fn a_zero_delay_stays_zero() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(backoff.advance(), Duration::ZERO);
        assert_eq!(backoff.advance(), Duration::ZERO);
    }
}
