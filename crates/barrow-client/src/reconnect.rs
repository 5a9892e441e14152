//! What to do when there is no connection.

use barrow_core::{Backoff, Instant};
use std::time::Duration;

/// How a client tries to connect, at the start and after each loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The pause after a first failure; it doubles with each further one. Pauses are spread at random between half
    /// and all of their length.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
    /// How many attempts may fail in a row before the client gives up for good. `None`: it never does.
    pub attempts: Option<u32>,
    /// How long a connection must have lived for the pauses to start again at [`first`](Self::first): a server that
    /// accepts and dies at once is not hammered.
    pub settled: Duration,
    /// How long connecting and greeting may take together.
    pub timeout: Duration,
    /// Whether a connection that was open once and got lost is made again.
    pub after_loss: bool,
}

impl Default for Reconnect {
    /// Endless: 0.2 s doubling to 10 s, settled after 5 s, 3 s an attempt.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            max: Duration::from_secs(10),
            attempts: None,
            settled: Duration::from_secs(5),
            timeout: Duration::from_secs(3),
            after_loss: true,
        }
    }
}

impl Reconnect {
    /// One attempt, and none after a loss.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: Some(1),
            after_loss: false,
            ..Self::default()
        }
    }

    /// As GoVPP's `AsyncConnect`: this many attempts, with this pause between them.
    #[must_use]
    pub fn constant(attempts: u32, pause: Duration) -> Self {
        Self {
            first: pause,
            max: pause,
            attempts: Some(attempts),
            ..Self::default()
        }
    }
}

/// [`Reconnect`] applied: how long to wait.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: Reconnect,
    backoff: Backoff,
    failed: u32,
    opened: Option<Instant>,
}

impl Attempts {
    pub(crate) fn new(policy: Reconnect) -> Self {
        Self {
            policy,
            backoff: Backoff::new(policy.first, policy.max),
            failed: 0,
            opened: None,
        }
    }

    pub(crate) fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
        self.failed = 0;
    }

    /// An attempt failed or a connection was lost: when to try again, or `None` for never.
    pub(crate) fn failed(&mut self, now: Instant, random: u32) -> Option<Instant> {
        match self.opened.take() {
            Some(_) if !self.policy.after_loss => return None,
            Some(opened) if now - opened >= self.policy.settled => {
                // The first attempt after a settled connection waits for nothing.
                self.backoff.reset();
                return Some(now);
            }
            Some(_) => {}
            None => self.failed += 1,
        }
        if self.policy.attempts.is_some_and(|max| self.failed >= max) {
            return None;
        }
        Some(now + Backoff::spread(self.backoff.advance(), random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn pauses_double_to_their_maximum_and_never_end() {
        let mut attempts = Attempts::new(Reconnect::default());
        let mut now = ms(0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let next = attempts.failed(now, u32::MAX).unwrap();
            pauses.push((next - now).as_millis());
            now = next;
        }
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }

    #[test]
    fn a_server_that_accepts_and_dies_is_not_hammered() {
        let mut attempts = Attempts::new(Reconnect::default());
        attempts.opened(ms(0));
        assert_eq!(attempts.failed(ms(1), u32::MAX), Some(ms(201)));
        attempts.opened(ms(201));
        assert_eq!(attempts.failed(ms(202), u32::MAX), Some(ms(602)));
    }

    #[test]
    fn a_settled_connection_is_made_again_at_once() {
        let mut attempts = Attempts::new(Reconnect::default());
        attempts.failed(ms(0), 0);
        attempts.opened(ms(100));
        assert_eq!(attempts.failed(ms(9000), 0), Some(ms(9000)));
        assert_eq!(attempts.failed(ms(9000), u32::MAX), Some(ms(9200)));
    }

    #[test]
    fn a_bounded_number_of_attempts_ends() {
        let policy = Reconnect::constant(2, Duration::from_millis(500));
        let mut attempts = Attempts::new(policy);
        assert_eq!(attempts.failed(ms(0), u32::MAX), Some(ms(500)));
        assert_eq!(attempts.failed(ms(500), u32::MAX), None);
        let mut once = Attempts::new(Reconnect::never());
        once.opened(ms(0));
        assert_eq!(once.failed(ms(60_000), 0), None);
    }
}
