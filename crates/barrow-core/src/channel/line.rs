//! Senders that wait for room, in line.

use std::{collections::VecDeque, task::Waker};

use crate::sync::{AtomicUsize, Mutex, Ordering, fence, lock};

/// A place in the line; unique for the channel's life.
pub(super) type Ticket = u64;

struct Waiting {
    next_ticket: Ticket,
    queue: VecDeque<(Ticket, Waker)>,
}

pub(super) struct Line {
    /// Length of the queue, so that a channel nobody waits for costs no lock.
    length: AtomicUsize,
    waiting: Mutex<Waiting>,
}

impl Line {
    pub(super) fn new() -> Self {
        let waiting = Waiting {
            next_ticket: 0,
            queue: VecDeque::new(),
        };
        Self {
            length: AtomicUsize::new(0),
            waiting: Mutex::new(waiting),
        }
    }

    /// Joins the line, or renews the waker of a place in it. One that was called and found the
    /// room taken again goes to the front. The caller tries once more afterwards.
    pub(super) fn join(&self, ticket: Option<Ticket>, waker: &Waker) -> Ticket {
        let waker = waker.clone();
        let mut waiting = lock(&self.waiting);
        let mut replaced = None;
        let ticket = match ticket {
            None => {
                let ticket = waiting.next_ticket;
                waiting.next_ticket += 1;
                waiting.queue.push_back((ticket, waker));
                ticket
            }
            Some(ticket) => {
                match waiting.queue.iter_mut().find(|(t, _)| *t == ticket) {
                    Some((_, known)) => replaced = Some(std::mem::replace(known, waker)),
                    None => waiting.queue.push_front((ticket, waker)),
                }
                ticket
            }
        };
        self.length.store(waiting.queue.len(), Ordering::Relaxed);
        drop(waiting);
        drop(replaced);
        fence(Ordering::SeqCst); // pairs with the fence in `call_next`
        ticket
    }

    /// Leaves the line. False if the place was called already.
    pub(super) fn leave(&self, ticket: Ticket) -> bool {
        let mut waiting = lock(&self.waiting);
        let place = waiting.queue.iter().position(|(t, _)| *t == ticket);
        let left = place.and_then(|place| waiting.queue.remove(place));
        self.length.store(waiting.queue.len(), Ordering::Relaxed);
        drop(waiting);
        left.is_some()
    }

    /// There is room for one: wakes the first in line.
    pub(super) fn call_next(&self) {
        fence(Ordering::SeqCst); // pairs with the fence in `join`
        if self.length.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut waiting = lock(&self.waiting);
        let first = waiting.queue.pop_front();
        self.length.store(waiting.queue.len(), Ordering::Relaxed);
        drop(waiting);
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }

    /// Nobody has to wait any more.
    pub(super) fn call_all(&self) {
        let mut waiting = lock(&self.waiting);
        let all = std::mem::take(&mut waiting.queue);
        self.length.store(0, Ordering::Relaxed);
        drop(waiting);
        all.into_iter().for_each(|(_, waker)| waker.wake());
    }
}
