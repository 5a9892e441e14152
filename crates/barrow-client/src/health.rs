//! Whether the server still lives: a rule, without clock and without connection.

use barrow_core::Instant;
use std::time::Duration;

/// When a connection counts as dead although its socket is open.
///
/// Only a silent connection is probed: any message from the server within the last [`interval`](Self::interval)
/// counts as life, so that a busy server is never given up because a probe waits in its queue.
///
/// ```
/// use barrow_client::Health;
///
/// let origin = Health::govppmux();
/// assert_eq!((origin.interval.as_secs(), origin.reply_timeout.as_millis(), origin.threshold), (1, 100, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How long the server may be silent before it is probed with a `control_ping`, and between probes.
    pub interval: Duration,
    /// How long a probe may stay unanswered.
    pub reply_timeout: Duration,
    /// How many probes in a row may fail: the connection is given up when this many have, 1 being the first. At
    /// least 1.
    pub threshold: u32,
}

impl Default for Health {
    /// 1 s, 1 s, 3 failures.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            reply_timeout: Duration::from_secs(1),
            threshold: 3,
        }
    }
}

impl Health {
    /// The values of GoVPP: 1 s, 250 ms, and the third failure in a row acts.
    #[must_use]
    pub const fn govpp() -> Self {
        Self {
            interval: Duration::from_secs(1),
            reply_timeout: Duration::from_millis(250),
            threshold: 3,
        }
    }

    /// The values of govppmux 1.0.8: 1 s, 100 ms, and the first failure acts.
    #[must_use]
    pub const fn govppmux() -> Self {
        Self {
            interval: Duration::from_secs(1),
            reply_timeout: Duration::from_millis(100),
            threshold: 1,
        }
    }
}

/// What a [`Probe`] wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing before this instant, unless something comes from the server.
    Wait(Instant),
    /// Send a ping; its answer counts as everything else does.
    Ping,
    /// Give the connection up.
    Dead,
}

/// [`Health`] applied to one connection.
#[derive(Debug)]
pub(crate) struct Probe {
    health: Health,
    heard: Instant,
    /// When the latest ping was sent, unless something has come since.
    asked: Option<Instant>,
    failures: u32,
}

impl Probe {
    pub(crate) fn new(health: Health, now: Instant) -> Self {
        Self {
            health,
            heard: now,
            asked: None,
            failures: 0,
        }
    }

    /// Something came from the server.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
        self.failures = 0;
    }

    /// Probes in a row that have failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// What to do now.
    pub(crate) fn poll(&mut self, now: Instant) -> Verdict {
        if let Some(asked) = self.asked {
            let over = asked + self.health.reply_timeout;
            if now < over {
                return Verdict::Wait(over);
            }
            self.asked = None;
            self.failures += 1;
            if self.failures >= self.health.threshold.max(1) {
                return Verdict::Dead;
            }
            // The pause before the next probe counts from the one that failed.
            self.heard = asked;
        }
        let due = self.heard + self.health.interval;
        if now < due {
            return Verdict::Wait(due);
        }
        self.asked = Some(now);
        Verdict::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn a_silent_server_is_given_up_at_the_third_failure() {
        let mut probe = Probe::new(Health::govpp(), ms(0));
        assert_eq!(probe.poll(ms(0)), Verdict::Wait(ms(1000)));
        assert_eq!(probe.poll(ms(1000)), Verdict::Ping);
        assert_eq!(probe.poll(ms(1000)), Verdict::Wait(ms(1250)));
        assert_eq!(probe.poll(ms(1250)), Verdict::Wait(ms(2000)));
        assert_eq!(probe.poll(ms(2000)), Verdict::Ping);
        assert_eq!(probe.poll(ms(2250)), Verdict::Wait(ms(3000)));
        assert_eq!(probe.failures(), 2);
        assert_eq!(probe.poll(ms(3000)), Verdict::Ping);
        assert_eq!(probe.poll(ms(3250)), Verdict::Dead);
    }

    #[test]
    fn a_threshold_of_one_acts_on_the_first_failure() {
        for threshold in [0, 1] {
            let mut probe = Probe::new(
                Health {
                    threshold,
                    ..Health::govppmux()
                },
                ms(0),
            );
            assert_eq!(probe.poll(ms(1000)), Verdict::Ping);
            assert_eq!(probe.poll(ms(1100)), Verdict::Dead);
        }
    }

    #[test]
    fn anything_the_server_sends_counts_as_life() {
        let mut probe = Probe::new(Health::default(), ms(0));
        assert_eq!(probe.poll(ms(1000)), Verdict::Ping);
        probe.heard(ms(1900));
        assert_eq!(probe.poll(ms(2000)), Verdict::Wait(ms(2900)));
        assert_eq!(probe.failures(), 0);
    }
}
