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
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// Two threads take and return leaders of a stack of two: no leader is ever in two hands, none
    /// is lost.
    #[test]
    fn a_leader_is_never_in_two_hands() {
        loom::model(|| {
            let shared = Arc::new((
                Stack::new(),
                [0, 1, 2].map(NextWord::new),
                [0, 1, 2].map(|_| NextWord::new(0)),
            ));
            for index in [1, 2].map(|i| NonZeroU32::new(i).unwrap()) {
                shared.0.push(index, &shared.1[index.get() as usize]);
            }
            let work = |shared: &(Stack, [NextWord; 3], [NextWord; 3])| {
                let (stack, words, owned) = shared;
                for _ in 0..2 {
                    if let Some(index) = stack.pop(|i| &words[i.get() as usize]) {
                        let at = index.get() as usize;
                        assert_eq!(owned[at].swap(1, Ordering::Relaxed), 0);
                        owned[at].store(0, Ordering::Relaxed);
                        stack.push(index, &words[at]);
                    }
                }
            };
            let other = shared.clone();
            let thread = thread::spawn(move || work(&other));
            work(&shared);
            thread.join().unwrap();
            let left = std::iter::from_fn(|| shared.0.pop(|i| &shared.1[i.get() as usize])).count();
            assert_eq!(left, 2);
        });
    }
}
