//! What a process node waits for, as its futures say it.
//!
//! Each leaf future (a sleep, a channel's end) notes itself when it is polled and pending; the node's unit
//! collects the notes of one poll. Futures of other crates may note themselves too, and one that does not is
//! listed as "other". A note is a store into a thread-local cell: for listings only, it decides nothing.

use std::{cell::Cell, fmt};

use crate::Instant;

/// What was awaited when a node was polled last. Futures that were not polled then, because a set of
/// futures knew that nobody had woken them, are not among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// A value of a channel or an inbox.
    pub event: bool,
    /// Room in a channel.
    pub room: bool,
    /// A descriptor.
    pub io: bool,
    /// The result of a job on another thread.
    pub job: bool,
    /// The earliest of its timers.
    pub until: Option<Instant>,
}

impl Waits {
    /// Nothing known.
    pub const NONE: Self = Self {
        event: false,
        room: false,
        io: false,
        job: false,
        until: None,
    };
    /// A value of a channel.
    pub const EVENT: Self = Self {
        event: true,
        ..Self::NONE
    };
    /// Room in a channel.
    pub const ROOM: Self = Self {
        room: true,
        ..Self::NONE
    };
    /// A descriptor.
    pub const IO: Self = Self {
        io: true,
        ..Self::NONE
    };
    /// The result of a job on another thread.
    pub const JOB: Self = Self {
        job: true,
        ..Self::NONE
    };

    /// A timer.
    #[must_use]
    pub const fn until(deadline: Instant) -> Self {
        Self {
            until: Some(deadline),
            ..Self::NONE
        }
    }

    /// Says that the future which is polled now waits for this; called where it answers
    /// [`Poll::Pending`](std::task::Poll::Pending).
    pub fn note(self) {
        NOTED.with(|noted| noted.set(noted.get().and(self)));
    }

    /// The words of VPP's `show runtime`.
    #[must_use]
    pub fn state(self) -> &'static str {
        let event = self.event || self.room || self.io || self.job;
        match (event, self.until) {
            (true, None) => "event wait",
            (false, Some(_)) => "clock wait",
            _ => "any wait",
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            event: self.event | other.event,
            room: self.room | other.room,
            io: self.io | other.io,
            job: self.job | other.job,
            until: [self.until, other.until].into_iter().flatten().min(),
        }
    }

    /// Takes what was noted since the last call.
    pub(crate) fn take() -> Self {
        NOTED.with(Cell::take)
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.event, "event"),
            (self.room, "room"),
            (self.io, "descriptor"),
            (self.job, "job"),
        ];
        let mut words: Vec<_> = kinds
            .iter()
            .filter(|(waited, _)| *waited)
            .map(|(_, word)| (*word).to_owned())
            .collect();
        words.extend(self.until.map(|at| format!("{:.3}", at.as_secs_f64())));
        if words.is_empty() {
            words.push("other".to_owned());
        }
        f.pad(&words.join(", "))
    }
}

thread_local! {
    static NOTED: Cell<Waits> = const { Cell::new(Waits::NONE) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_one_poll_add_up_and_are_taken_once() {
        Waits::take();
        Waits::EVENT.note();
        Waits::until(Instant::from_secs(9)).note();
        Waits::until(Instant::from_secs(4)).note();
        let waits = Waits::take();
        assert_eq!(waits.to_string(), "event, 4.000");
        assert_eq!(waits.state(), "any wait");
        assert_eq!(Waits::take().to_string(), "other");
    }

    #[test]
    fn states_are_those_of_vpp() {
        assert_eq!(Waits::JOB.state(), "event wait");
        assert_eq!(Waits::until(Instant::ZERO).state(), "clock wait");
        assert_eq!(Waits::NONE.state(), "any wait");
    }
}
