//! The life of the connection: when to connect, when to give up, when to say goodbye.

use crate::config::Config;
use crate::health::{Probe, Verdict};
use crate::reconnect::Attempts;
use barrow_core::Instant;

/// Where the connection stands.
#[derive(Debug)]
pub(super) enum Link {
    /// Wait, then connect.
    Down { retry: Instant },
    /// The driver connects.
    Connecting { until: Instant },
    /// The greeting, and the first ping, are under way.
    Opening { until: Instant },
    /// Calls can be made.
    Open(Probe),
    /// The goodbye is under way.
    SigningOff { until: Instant },
    /// It is over.
    Finished,
}

/// What time asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing before this instant.
    Nothing(Option<Instant>),
    /// The driver is to connect.
    Connect,
    /// Nothing came in time: connecting or greeting.
    GreetingTimeout,
    /// Send a ping.
    Ping,
    /// This many probes failed.
    Dead(u32),
    /// The goodbye took too long; just close.
    Close,
}

impl Link {
    pub(super) fn poll(&mut self, now: Instant) -> Due {
        match self {
            Self::Down { retry } if now < *retry => Due::Nothing(Some(*retry)),
            Self::Down { .. } => Due::Connect,
            Self::Connecting { until } | Self::Opening { until } => match now < *until {
                true => Due::Nothing(Some(*until)),
                false => Due::GreetingTimeout,
            },
            Self::Open(probe) => match probe.poll(now) {
                Verdict::Wait(until) => Due::Nothing(Some(until)),
                Verdict::Ping => Due::Ping,
                Verdict::Dead => Due::Dead(probe.failures()),
            },
            Self::SigningOff { until } if now < *until => Due::Nothing(Some(*until)),
            Self::SigningOff { .. } => Due::Close,
            Self::Finished => Due::Nothing(None),
        }
    }

    /// Probes in a row that have failed.
    pub(super) fn failures(&self) -> u32 {
        match self {
            Self::Open(probe) => probe.failures(),
            _ => 0,
        }
    }

    /// Something came from the server.
    pub(super) fn heard(&mut self, now: Instant) {
        if let Self::Open(probe) = self {
            probe.heard(now);
        }
    }

    /// The connection is lost, or could not be made: what comes next.
    pub(super) fn after_loss(attempts: &mut Attempts, now: Instant) -> Self {
        match attempts.failed(now, fastrand::u32(..)) {
            Some(retry) => Self::Down { retry },
            None => Self::Finished,
        }
    }

    pub(super) fn open(config: &Config, now: Instant) -> Self {
        Self::Open(Probe::new(config.health, now))
    }
}
