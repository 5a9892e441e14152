//! How many packets are due.

use barrow_engine::Instant;
use std::time::Duration;

/// Counts packets that fall due at a rate. It does not catch up: what a stream could not send when it was
/// due is not sent later (`vpp:src/vnet/pg/input.c`).
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Packets a second; 0 when there is no limit.
    rate: f64,
    credit: f64,
    last: Option<Instant>,
}

/// Shortest time between two looks at a stream with a rate; what needs to be looked at more often is
/// looked at in every turn.
const SHORTEST: Duration = Duration::from_micros(50);
/// Longest of a stream that has packets due more often.
const LONGEST: Duration = Duration::from_millis(1);

impl Pace {
    pub(super) const fn new(rate: f64) -> Self {
        Self {
            rate,
            credit: 0.0,
            last: None,
        }
    }

    /// How many of at most `most` packets are due.
    #[inline]
    pub(super) fn due(&mut self, now: Instant, most: u64) -> u64 {
        if self.rate == 0.0 {
            most
        } else {
            self.due_at_rate(now).min(most)
        }
    }

    fn due_at_rate(&mut self, now: Instant) -> u64 {
        let last = self.last.replace(now).unwrap_or(now);
        self.credit += (now - last).as_secs_f64() * self.rate;
        // A hair more, so that a period of 1/rate brings one packet however it was rounded.
        let due = (self.credit + 1e-6).floor();
        self.credit -= due;
        due as u64
    }

    /// Whether it is looked at in every turn.
    pub(super) fn is_polled(&self, maxframe: usize) -> bool {
        period(self.rate, maxframe).is_none()
    }
}

/// How often a stream is looked at; `None` for in every turn.
pub(super) fn period(rate: f64, maxframe: usize) -> Option<Duration> {
    if rate <= 0.0 {
        return None;
    }
    let one = 1.0 / rate;
    let half_a_frame = maxframe as f64 / 2.0 * one;
    // A rate below one packet in 31 years is one packet in 31 years.
    let wanted = half_a_frame.min(LONGEST.as_secs_f64()).max(one).min(1e9);
    Some(Duration::from_secs_f64(wanted)).filter(|period| *period >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Instant {
        Instant::ZERO + Duration::from_nanos(nanos)
    }

    #[test]
    fn without_a_rate_as_many_are_due_as_are_asked_for() {
        let mut pace = Pace::new(0.0);
        assert_eq!(pace.due(at(5), 256), 256);
        assert_eq!(pace.due(at(5), 3), 3);
        assert!(pace.is_polled(256));
    }

    #[test]
    fn what_was_missed_is_not_caught_up_with() {
        let mut pace = Pace::new(1000.0);
        assert_eq!(pace.due(at(0), 256), 0);
        assert_eq!(pace.due(at(1_000_000), 256), 1);
        assert_eq!(pace.due(at(11_001_000_000), 256), 256);
        assert_eq!(pace.due(at(11_002_000_000), 256), 1);
    }

    proptest! {
        #[test]
        fn a_stream_looked_at_in_its_period_keeps_its_rate(rate in 0.5f64..50_000.0) {
            let period = period(rate, 256).unwrap();
            let mut pace = Pace::new(rate);
            let looks = (4.0 / period.as_secs_f64()) as u64;
            let nanos = period.as_nanos() as u64;
            let sent: u64 = (0..=looks).map(|i| pace.due(at(i * nanos), 256)).sum();
            let wanted = looks as f64 * period.as_secs_f64() * rate;
            prop_assert!((sent as f64 - wanted).abs() <= 1.01, "{sent} of {wanted}");
        }

        #[test]
        fn every_rate_has_a_period_or_is_looked_at_always(rate in proptest::num::f64::POSITIVE, maxframe in 1usize..=256) {
            let known = period(rate, maxframe);
            prop_assert!(known.is_none_or(|period| period >= SHORTEST));
        }
    }
}
