//! What both ends of a channel share.

use std::sync::Arc;

use super::line::Line;
use crate::sync::{
    ArrayQueue, AtomicBool, AtomicU64, AtomicUsize, AtomicWaker, Ordering, SegQueue,
};

pub(super) enum Queue<T> {
    Bounded(ArrayQueue<T>),
    Unbounded(SegQueue<T>),
}

impl<T> Queue<T> {
    pub(super) fn bounded(capacity: usize) -> Self {
        Self::Bounded(ArrayQueue::new(capacity))
    }

    pub(super) fn unbounded() -> Self {
        Self::Unbounded(SegQueue::new())
    }

    fn push(&self, value: T) -> Result<(), T> {
        match self {
            Self::Bounded(queue) => queue.push(value),
            Self::Unbounded(queue) => {
                queue.push(value);
                Ok(())
            }
        }
    }

    /// Pushes, in place of the oldest value if there is no room.
    fn force_push(&self, value: T) -> Option<T> {
        match self {
            Self::Bounded(queue) => queue.force_push(value),
            Self::Unbounded(queue) => {
                queue.push(value);
                None
            }
        }
    }

    fn pop(&self) -> Option<T> {
        match self {
            Self::Bounded(queue) => queue.pop(),
            Self::Unbounded(queue) => queue.pop(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bounded(queue) => queue.len(),
            Self::Unbounded(queue) => queue.len(),
        }
    }

    fn capacity(&self) -> Option<usize> {
        match self {
            Self::Bounded(queue) => Some(queue.capacity()),
            Self::Unbounded(_) => None,
        }
    }
}

pub(super) struct Shared<T> {
    queue: Queue<T>,
    receiver: AtomicWaker,
    receiver_gone: AtomicBool,
    senders: AtomicUsize,
    lost: AtomicU64,
    pub(super) line: Line,
}

impl<T> Shared<T> {
    /// With one sender and the receiver.
    pub(super) fn new(queue: Queue<T>) -> Arc<Self> {
        Arc::new(Self {
            queue,
            receiver: AtomicWaker::new(),
            receiver_gone: AtomicBool::new(false),
            senders: AtomicUsize::new(1),
            lost: AtomicU64::new(0),
            line: Line::new(),
        })
    }

    /// Pushes a value and tells the receiver; gives it back if there is no room.
    pub(super) fn push(&self, value: T) -> Result<(), T> {
        self.queue.push(value)?;
        self.receiver.wake();
        Ok(())
    }

    /// Pushes a value and tells the receiver; what had to make room comes back.
    pub(super) fn force_push(&self, value: T) -> Option<T> {
        let lost = self.queue.force_push(value);
        self.receiver.wake();
        lost
    }

    pub(super) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Takes a value and tells the first waiting sender about the room.
    pub(super) fn pop(&self) -> Option<T> {
        let value = self.queue.pop()?;
        self.line.call_next();
        Some(value)
    }

    pub(super) fn register_receiver(&self, waker: &std::task::Waker) {
        self.receiver.register(waker);
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.queue.capacity()
    }

    pub(super) fn is_receiver_gone(&self) -> bool {
        self.receiver_gone.load(Ordering::Acquire)
    }

    /// Every sender is gone: what is in the queue now is all there will ever be.
    pub(super) fn are_senders_gone(&self) -> bool {
        self.senders.load(Ordering::Acquire) == 0
    }

    pub(super) fn add_sender(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_sender(&self) {
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.receiver.wake();
        }
    }

    /// Closes from the receiving side; what was sent and not received is dropped.
    pub(super) fn drop_receiver(&self) {
        self.receiver_gone.store(true, Ordering::Release);
        self.line.call_all();
        while let Some(value) = self.queue.pop() {
            drop(value);
        }
    }
}
