//! The events that wait for one stream.

use std::collections::VecDeque;
use std::task::Waker;

/// What happens to events when their consumer is slow. The reader of the connection never waits for anybody, so
/// something has to give; the stream tells exactly how many were lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The oldest go: what is left is up to date.
    #[default]
    DropOldest,
    /// The newest go: what is left has no gap.
    DropNewest,
}

/// One place of the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Message(Box<[u8]>),
    /// So many were lost here.
    Lagged(u64),
    /// The connection was lost; it has this generation now.
    Gap(u64),
}

#[derive(Debug)]
pub(crate) struct EventQueue {
    entries: VecDeque<Entry>,
    /// Messages among the entries.
    messages: usize,
    capacity: usize,
    overflow: Overflow,
    waker: Option<Waker>,
}

impl EventQueue {
    /// A queue of at most `capacity` events; at least 1.
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Self {
        Self {
            entries: VecDeque::new(),
            messages: 0,
            capacity: capacity.max(1),
            overflow,
            waker: None,
        }
    }

    /// Appends an event. Returns whether one was lost for it.
    pub(crate) fn push(&mut self, message: &[u8]) -> bool {
        let full = self.messages == self.capacity;
        if full && self.overflow == Overflow::DropNewest {
            match self.entries.back_mut() {
                Some(Entry::Lagged(lost)) => *lost += 1,
                _ => self.entries.push_back(Entry::Lagged(1)),
            }
            return true;
        }
        if full {
            self.drop_oldest();
        }
        self.entries.push_back(Entry::Message(message.into()));
        self.messages += 1;
        full
    }

    /// Marks that the connection was lost and is there again.
    pub(crate) fn push_gap(&mut self, generation: u64) {
        match self.entries.back_mut() {
            Some(Entry::Gap(last)) => *last = generation,
            _ => self.entries.push_back(Entry::Gap(generation)),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front();
        self.messages -= usize::from(matches!(entry, Some(Entry::Message(_))));
        entry
    }

    pub(crate) fn set_waker(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// Takes the oldest message out and leaves a mark in its place, joined with one before it.
    fn drop_oldest(&mut self) {
        let Some(at) = self
            .entries
            .iter()
            .position(|entry| matches!(entry, Entry::Message(_)))
        else {
            return;
        };
        self.messages -= 1;
        let before = at.checked_sub(1).and_then(|at| self.entries.get_mut(at));
        if let Some(Entry::Lagged(lost)) = before {
            *lost += 1;
            self.entries.remove(at);
        } else {
            self.entries[at] = Entry::Lagged(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(queue: &mut EventQueue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop())
            .map(|entry| match entry {
                Entry::Message(message) => String::from_utf8(message.into()).unwrap(),
                Entry::Lagged(lost) => format!("lost {lost}"),
                Entry::Gap(generation) => format!("gap {generation}"),
            })
            .collect()
    }

    fn filled(overflow: Overflow) -> EventQueue {
        let mut queue = EventQueue::new(2, overflow);
        for event in ["a", "b", "c", "d"] {
            queue.push(event.as_bytes());
        }
        queue
    }

    #[test]
    fn the_oldest_go_and_are_counted_where_they_were() {
        let mut queue = filled(Overflow::DropOldest);
        assert_eq!(drained(&mut queue), ["lost 2", "c", "d"]);
    }

    #[test]
    fn the_newest_go_and_are_counted_where_they_would_be() {
        let mut queue = filled(Overflow::DropNewest);
        assert_eq!(queue.pop(), Some(Entry::Message((*b"a").into())));
        queue.push(b"e");
        assert_eq!(drained(&mut queue), ["b", "lost 2", "e"]);
    }

    #[test]
    fn a_gap_stays_in_its_place_and_repeated_ones_become_one() {
        let mut queue = EventQueue::new(2, Overflow::DropOldest);
        queue.push(b"a");
        queue.push_gap(2);
        queue.push_gap(3);
        queue.push(b"b");
        queue.push(b"c");
        queue.push(b"d");
        assert_eq!(drained(&mut queue), ["lost 1", "gap 3", "lost 1", "c", "d"]);
    }

    #[test]
    fn marks_do_not_pile_up() {
        let mut queue = EventQueue::new(1, Overflow::DropOldest);
        for _ in 0..1000 {
            queue.push(b"x");
        }
        assert_eq!(drained(&mut queue), ["lost 999", "x"]);
    }
}
