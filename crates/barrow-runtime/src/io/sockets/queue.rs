//! What waits to be sent, bounded.

use crate::io::machine::WhenFull;

/// Room in a socket's queue, counted in packets or bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::io) struct Room {
    limit: usize,
    used: usize,
    when_full: WhenFull,
    /// The machine was refused something and has not heard of room since.
    refused: bool,
}

/// What to do with something that is to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::io) enum Verdict {
    Queue,
    Wait,
    Refuse,
    Drop,
}

impl Room {
    pub(in crate::io) fn new(limit: usize, when_full: WhenFull) -> Self {
        Self {
            limit: limit.max(1),
            used: 0,
            when_full,
            refused: false,
        }
    }

    /// Whether there is any room. One packet may exceed the limit, so that none is too long for it.
    pub(in crate::io) fn is_full(&self) -> bool {
        self.used >= self.limit
    }

    pub(in crate::io) fn verdict(&mut self) -> Verdict {
        if !self.is_full() {
            return Verdict::Queue;
        }
        match self.when_full {
            WhenFull::Wait => Verdict::Wait,
            WhenFull::Drop => Verdict::Drop,
            WhenFull::Refuse => {
                self.refused = true;
                Verdict::Refuse
            }
        }
    }

    /// Whether the machine is owed word of room.
    pub(in crate::io) fn was_refused(&self) -> bool {
        self.refused
    }

    pub(in crate::io) fn add(&mut self, n: usize) {
        self.used += n;
    }

    /// Something was sent. True when the machine is to hear of room.
    pub(in crate::io) fn remove(&mut self, n: usize) -> bool {
        self.used = self.used.saturating_sub(n);
        self.used <= self.limit / 2 && std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_of_once_and_at_half() {
        let mut room = Room::new(4, WhenFull::Refuse);
        room.add(4);
        assert_eq!(room.verdict(), Verdict::Refuse);
        assert!(!room.remove(1));
        assert_eq!(room.verdict(), Verdict::Queue);
        assert!(room.remove(1));
        assert!(!room.remove(2), "once");
    }

    #[test]
    fn a_long_packet_fits_an_empty_queue() {
        let mut room = Room::new(10, WhenFull::Wait);
        assert_eq!(room.verdict(), Verdict::Queue);
        room.add(1000);
        assert_eq!(room.verdict(), Verdict::Wait);
    }
}
