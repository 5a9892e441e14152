//! The free list that the threads of a pool share: a lock-free stack of batches.
//!
//! An element is the index of a slot that *leads* a batch; where the other indexes of the batch are
//! kept is the pool's affair. The protocol:
//!
//! 1. `head` is (tag, leader); leader 0 is the empty stack. Every successful change increments the
//!    tag, so a head that was seen before is never taken for the present one unless 2^32 changes
//!    happened in between.
//! 2. A leader's `next` word is written by the thread that pushes it, before the release of the
//!    head. It may be read by a thread that is about to lose the race for that leader; such a value
//!    is discarded. It is therefore always accessed atomically, also while the slot is in use.
//! 3. Push releases and pop acquires, so the taker of a batch sees what its pusher wrote into the
//!    slots.
//!
//! Last in, first out: under pressure the same few slots go round, not the whole pool.

use core::num::NonZeroU32;
use core::sync::atomic::Ordering;

use super::sync::{HeadWord, NextWord};

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Stack {
    head: HeadWord,
}

const TAG: u64 = 1 << 32;

fn leader(head: u64) -> Option<NonZeroU32> {
    NonZeroU32::new(head as u32)
}

fn succeed(head: u64, leader: u32) -> u64 {
    (head & !(TAG - 1)).wrapping_add(TAG) | u64::from(leader)
}

impl Stack {
    pub(super) fn new() -> Self {
        Self {
            head: HeadWord::new(0),
        }
    }

    /// Pushes a leader; `next` is the `next` word of that leader.
    pub(super) fn push(&self, index: NonZeroU32, next: &NextWord) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            next.store(head as u32, Ordering::Relaxed);
            let new = succeed(head, index.get());
            match self
                .head
                .compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// Pops the leader that was pushed last; `next` finds the `next` word of any leader.
    pub(super) fn pop<'a>(&self, next: impl Fn(NonZeroU32) -> &'a NextWord) -> Option<NonZeroU32> {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let index = leader(head)?;
            let new = succeed(head, next(index).load(Ordering::Relaxed));
            match self
                .head
                .compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(index),
                Err(seen) => head = seen,
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(barrow_loom))]
mod tests {
    use super::*;

    fn at(index: u32) -> NonZeroU32 {
        NonZeroU32::new(index).unwrap()
    }

    #[test]
    fn leaders_come_back_in_reverse_order() {
        let words: Vec<NextWord> = (0..4).map(|_| NextWord::new(0)).collect();
        let next = |index: NonZeroU32| &words[index.get() as usize];
        let stack = Stack::new();
        for index in 1..4 {
            stack.push(at(index), next(at(index)));
        }
        let popped: Vec<_> = std::iter::from_fn(|| stack.pop(next))
            .map(NonZeroU32::get)
            .collect();
        assert_eq!(popped, [3, 2, 1]);
    }

    #[test]
    fn the_tag_wraps_without_touching_the_leader() {
        assert_eq!(succeed(u64::MAX, 7), 7);
        assert_eq!(succeed(5, 9), TAG | 9);
    }
}

#[cfg(test)]
#[cfg(barrow_loom)]
mod loom_tests {
    use loom::model::Builder;
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// A stack of two leaders, and who holds them.
    struct Model {
        stack: Stack,
        words: [NextWord; 3],
        held: [NextWord; 3],
    }

    impl Model {
        fn new() -> Self {
            let words = || [0, 1, 2].map(|_| NextWord::new(0));
            Self {
                stack: Stack::new(),
                words: words(),
                held: words(),
            }
        }

        fn push(&self, index: NonZeroU32) {
            self.held[index.get() as usize].store(0, Ordering::Relaxed);
            self.stack.push(index, &self.words[index.get() as usize]);
        }

        /// Checks that nobody else holds what is popped.
        fn pop(&self) -> Option<NonZeroU32> {
            let index = self.stack.pop(|index| &self.words[index.get() as usize])?;
            assert_eq!(
                self.held[index.get() as usize].swap(1, Ordering::Relaxed),
                0
            );
            Some(index)
        }
    }

    /// One thread takes both leaders and brings back the first while it keeps the second: the
    /// head then looks as before to the other thread, which must not follow a stale `next` word.
    #[test]
    fn a_leader_is_never_in_two_hands() {
        let mut model = Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let shared = Arc::new(Model::new());
            [1, 2]
                .into_iter()
                .filter_map(NonZeroU32::new)
                .for_each(|index| shared.push(index));
            let other = shared.clone();
            let thread = thread::spawn(move || {
                let taken = [other.pop(), other.pop()];
                taken
                    .into_iter()
                    .flatten()
                    .for_each(|index| other.push(index));
            });
            let taken = shared.pop();
            taken.into_iter().for_each(|index| shared.push(index));
            thread.join().unwrap();
            assert_eq!(
                std::iter::from_fn(|| shared.pop()).count(),
                2,
                "none is lost"
            );
        });
    }
}
