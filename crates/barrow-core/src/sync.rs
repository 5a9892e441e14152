//! The primitives of every cross-thread path, in one place so that the model checker can replace them.
//!
//! With `--cfg barrow_loom` the atomics, the mutex and the waker cell are loom's, and the
//! lock-free queues are modelled by a locked `VecDeque` (a linearizable queue with the same
//! ordering guarantees). `Arc` stays the standard one: `std::task::Wake` asks for it.

pub(crate) use imp::*;

#[cfg(not(barrow_loom))]
mod imp {
    pub(crate) use atomic_waker::AtomicWaker;
    pub(crate) use crossbeam_queue::{ArrayQueue, SegQueue};
    pub(crate) use std::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
    };
}

#[cfg(barrow_loom)]
mod imp {
    pub(crate) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
    };
    use std::{collections::VecDeque, task::Waker};

    pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(crate) fn new() -> Self {
            Self(loom::future::AtomicWaker::new())
        }
        pub(crate) fn register(&self, waker: &Waker) {
            self.0.register_by_ref(waker);
        }
        pub(crate) fn wake(&self) {
            self.0.wake();
        }
    }

    pub(crate) struct ArrayQueue<T>(Mutex<VecDeque<T>>, usize);

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            Self(Mutex::new(VecDeque::new()), capacity)
        }
        pub(crate) fn push(&self, value: T) -> Result<(), T> {
            let mut queue = super::lock(&self.0);
            if queue.len() == self.1 {
                return Err(value);
            }
            queue.push_back(value);
            Ok(())
        }
        pub(crate) fn force_push(&self, value: T) -> Option<T> {
            let mut queue = super::lock(&self.0);
            let full = queue.len() == self.1;
            let oldest = full.then(|| queue.pop_front()).flatten();
            queue.push_back(value);
            oldest
        }
        pub(crate) fn pop(&self) -> Option<T> {
            super::lock(&self.0).pop_front()
        }
        pub(crate) fn len(&self) -> usize {
            super::lock(&self.0).len()
        }
        pub(crate) fn capacity(&self) -> usize {
            self.1
        }
    }

    pub(crate) struct SegQueue<T>(Mutex<VecDeque<T>>);

    impl<T> SegQueue<T> {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(VecDeque::new()))
        }
        pub(crate) fn push(&self, value: T) {
            super::lock(&self.0).push_back(value);
        }
        pub(crate) fn pop(&self) -> Option<T> {
            super::lock(&self.0).pop_front()
        }
        pub(crate) fn len(&self) -> usize {
            super::lock(&self.0).len()
        }
    }
}

/// Locks, ignoring poison: no code outside this crate ever runs under one of its locks, so a
/// panicking holder has left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
