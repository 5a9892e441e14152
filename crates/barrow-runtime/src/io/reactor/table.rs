//! Which source is ready for what, and who waits for it.

use std::task::Waker;

use rustix::event::epoll::{EventData, EventFlags};
use slab::Slab;

/// The two things that a descriptor becomes ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Reading, accepting.
    Read,
    /// Writing, connecting.
    Write,
}

/// Identity of a source in the kernel's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::io) struct Token {
    index: u32,
    generation: u32,
}

impl Token {
    pub(in crate::io) const BELL: Self = Self {
        index: u32::MAX,
        generation: 0,
    };
    pub(super) const TIMER: Self = Self {
        index: u32::MAX,
        generation: 1,
    };
    /// Requests of a ring were completed.
    pub(in crate::io) const RING: Self = Self {
        index: u32::MAX,
        generation: 2,
    };

    /// Place in a table of sources.
    pub(super) fn index(self) -> usize {
        self.index as usize
    }
}

impl From<Token> for EventData {
    fn from(token: Token) -> Self {
        Self::new_u64(u64::from(token.generation) << 32 | u64::from(token.index))
    }
}

impl From<EventData> for Token {
    fn from(data: EventData) -> Self {
        let data = data.u64();
        Self {
            index: data as u32,
            generation: (data >> 32) as u32,
        }
    }
}

/// Who is woken by an edge.
#[derive(Debug, Default)]
enum Waiting {
    #[default]
    Nobody,
    Once(Waker),
    Always(Waker),
}

#[derive(Debug)]
struct Side {
    ready: bool,
    /// The peer closed this direction: it stays ready. An error does not, since the next operation
    /// takes it away.
    closed: bool,
    waiting: Waiting,
}

impl Side {
    /// Ready until shown otherwise: the first operation finds out.
    fn new() -> Self {
        Self {
            ready: true,
            closed: false,
            waiting: Waiting::Nobody,
        }
    }

    fn edge(&mut self, closed: bool) -> Option<Waker> {
        self.ready = true;
        self.closed |= closed;
        match &self.waiting {
            Waiting::Nobody => None,
            Waiting::Always(waker) => Some(waker.clone()),
            Waiting::Once(_) => match std::mem::take(&mut self.waiting) {
                Waiting::Once(waker) => Some(waker),
                _ => None,
            },
        }
    }
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    sides: [Side; 2],
    /// The kernel reports when writing becomes possible.
    reports_write: bool,
    watched: Watched,
}

/// A descriptor that a reactor watches, and what the kernel has reported of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its number.
    pub descriptor: i32,
    /// Times that there was something to read.
    pub reads: u64,
    /// Times that there was room to write.
    pub writes: u64,
    /// Times that it had failed.
    pub errors: u64,
}

/// All sources of a reactor.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Slab<Slot>,
    generation: u32,
}

impl Table {
    pub(super) fn insert(&mut self, descriptor: i32) -> Token {
        self.generation = self.generation.wrapping_add(1);
        let slot = Slot {
            generation: self.generation,
            sides: [Side::new(), Side::new()],
            reports_write: false,
            watched: Watched {
                descriptor,
                reads: 0,
                writes: 0,
                errors: 0,
            },
        };
        let index = u32::try_from(self.slots.insert(slot)).expect("fewer descriptors than 2^32");
        Token {
            index,
            generation: self.generation,
        }
    }

    pub(super) fn remove(&mut self, token: Token) {
        if self.slot(token).is_some() {
            self.slots.remove(token.index as usize);
        }
    }

    pub(super) fn watched(&self) -> Vec<Watched> {
        self.slots.iter().map(|(_, slot)| slot.watched).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_ready(&mut self, token: Token, direction: Direction) -> bool {
        self.side(token, direction).is_some_and(|side| side.ready)
    }

    /// An operation would have blocked, or took all there was: wait for the next edge. True when
    /// the kernel has to be told to report it.
    pub(super) fn clear(&mut self, token: Token, direction: Direction) -> bool {
        let Some(slot) = self.slot(token) else {
            return false;
        };
        let [read, write] = &mut slot.sides;
        match direction {
            Direction::Read => {
                read.ready = read.closed;
                false
            }
            Direction::Write => {
                write.ready = write.closed;
                !std::mem::replace(&mut slot.reports_write, true)
            }
        }
    }

    /// Writing goes on without waiting. True when the kernel has to be told to report it no more.
    pub(super) fn relax(&mut self, token: Token) -> bool {
        self.slot(token)
            .is_some_and(|slot| std::mem::take(&mut slot.reports_write))
    }

    /// Notes whom the next edge wakes; a persistent watcher stays.
    pub(super) fn wait(&mut self, token: Token, direction: Direction, waker: &Waker) {
        let Some(side) = self.side(token, direction) else {
            return;
        };
        match &mut side.waiting {
            Waiting::Always(_) => {}
            Waiting::Once(old) => old.clone_from(waker),
            Waiting::Nobody => side.waiting = Waiting::Once(waker.clone()),
        }
    }

    /// Notes whom every edge wakes from now on, or that nobody is woken.
    pub(super) fn watch(&mut self, token: Token, direction: Direction, waker: Option<&Waker>) {
        if let Some(side) = self.side(token, direction) {
            side.waiting = waker.map_or(Waiting::Nobody, |waker| Waiting::Always(waker.clone()));
        }
    }

    /// Notes an event; returns whom to wake.
    pub(super) fn report(&mut self, token: Token, flags: EventFlags) -> [Option<Waker>; 2] {
        let Some(slot) = self.slot(token) else {
            return [None, None];
        };
        let failed = flags.contains(EventFlags::ERR);
        let hung_up = flags.contains(EventFlags::HUP);
        let finished = hung_up || flags.contains(EventFlags::RDHUP);
        let readable = failed || finished || flags.contains(EventFlags::IN);
        let writable = failed || hung_up || flags.contains(EventFlags::OUT);
        slot.watched.reads += u64::from(flags.contains(EventFlags::IN));
        slot.watched.writes += u64::from(flags.contains(EventFlags::OUT));
        slot.watched.errors += u64::from(failed);
        let [read, write] = &mut slot.sides;
        [
            readable.then(|| read.edge(finished)).flatten(),
            writable.then(|| write.edge(hung_up)).flatten(),
        ]
    }

    fn slot(&mut self, token: Token) -> Option<&mut Slot> {
        self.slots
            .get_mut(token.index as usize)
            .filter(|slot| slot.generation == token.generation)
    }

    fn side(&mut self, token: Token, direction: Direction) -> Option<&mut Side> {
        let [read, write] = &mut self.slot(token)?.sides;
        Some(match direction {
            Direction::Read => read,
            Direction::Write => write,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_for_a_source_that_is_gone_reaches_nobody() {
        let mut table = Table::default();
        let old = table.insert(-1);
        table.remove(old);
        let new = table.insert(-1);
        assert_eq!(old.index, new.index, "the place is reused");
        table.clear(new, Direction::Read);
        table.wait(new, Direction::Read, Waker::noop());
        assert!(
            table
                .report(old, EventFlags::IN)
                .iter()
                .all(Option::is_none)
        );
        assert!(!table.is_ready(new, Direction::Read));
        table.remove(old);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_future_is_woken_once_and_a_watcher_each_time() {
        let mut table = Table::default();
        let token = table.insert(-1);
        table.wait(token, Direction::Read, Waker::noop());
        table.watch(token, Direction::Write, Some(Waker::noop()));
        let both = EventFlags::IN | EventFlags::OUT;
        assert!(matches!(table.report(token, both), [Some(_), Some(_)]));
        assert!(matches!(table.report(token, both), [None, Some(_)]));
    }

    #[test]
    fn a_closed_direction_stays_ready() {
        let mut table = Table::default();
        let token = table.insert(-1);
        let _ = table.report(token, EventFlags::IN | EventFlags::RDHUP);
        table.clear(token, Direction::Read);
        table.clear(token, Direction::Write);
        assert!(table.is_ready(token, Direction::Read));
        assert!(!table.is_ready(token, Direction::Write));
        let _ = table.report(token, EventFlags::HUP);
        table.clear(token, Direction::Write);
        assert!(table.is_ready(token, Direction::Write));
    }

    #[test]
    fn tokens_survive_the_kernel() {
        for token in [
            Token {
                index: 7,
                generation: u32::MAX,
            },
            Token::BELL,
            Token::TIMER,
        ] {
            assert_eq!(Token::from(EventData::from(token)), token);
        }
    }
}
