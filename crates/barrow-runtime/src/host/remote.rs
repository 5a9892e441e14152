//! Closures that travel to a worker's thread.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::mpsc;
use std::task::Waker;

use crossbeam_queue::ArrayQueue;

/// What a worker runs for somebody else.
pub type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// Sends closures to the worker that hosts a `T`, and wakes it.
///
/// For control: a job is boxed. Jobs run in the order of sending, between two turns of the
/// scheduler. The queue is bounded; a sender that finds it full decides what to do.
pub struct Remote<T>(Arc<Shared<T>>);

/// Why a job was not taken.
pub enum SendError<T> {
    /// The queue is full; here is the job.
    Full(Job<T>),
    /// The worker has ended; the job is dropped.
    Stopped,
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The queue is full.
    #[error("the worker's queue of jobs is full")]
    Full,
    /// The worker has ended.
    #[error("the worker has ended")]
    Stopped,
    /// The job panicked.
    #[error("the job panicked")]
    Panicked,
}

struct Shared<T> {
    queue: ArrayQueue<Job<T>>,
    stopped: AtomicBool,
    panics: AtomicU64,
    waker: Waker,
}

/// The worker's end.
pub(super) struct Inbox<T>(Arc<Shared<T>>);

/// An inbox for `capacity` jobs; `waker` makes its worker look at it.
pub(super) fn inbox<T>(capacity: usize, waker: Waker) -> Inbox<T> {
    Inbox(Arc::new(Shared {
        queue: ArrayQueue::new(capacity.max(1)),
        stopped: AtomicBool::new(false),
        panics: AtomicU64::new(0),
        waker,
    }))
}

impl<T> Remote<T> {
    /// Sends a job.
    ///
    /// # Errors
    /// When the queue is full or the worker has ended.
    pub fn send(&self, job: impl FnOnce(&mut T) + Send + 'static) -> Result<(), SendError<T>> {
        let shared = &*self.0;
        shared.queue.push(Box::new(job)).map_err(SendError::Full)?;
        // Either the ending worker sees the job when it empties the queue, or we see here that it
        // has ended.
        fence(Ordering::SeqCst);
        if shared.stopped.load(Ordering::Relaxed) {
            shared.clear();
            return Err(SendError::Stopped);
        }
        shared.waker.wake_by_ref();
        Ok(())
    }

    /// Sends a job and waits for its result. Not from the worker's own thread, which would wait for
    /// itself.
    ///
    /// # Errors
    /// When the job was not taken, or panicked.
    pub fn call<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, CallError> {
        let (reply, result) = mpsc::sync_channel(1);
        let answer = move |state: &mut T| {
            // The caller waits: it has not gone away.
            let _ = reply.send(job(state));
        };
        match self.send(answer) {
            Ok(()) => result.recv().map_err(|_| match self.is_stopped() {
                true => CallError::Stopped,
                false => CallError::Panicked,
            }),
            Err(SendError::Full(_)) => Err(CallError::Full),
            Err(SendError::Stopped) => Err(CallError::Stopped),
        }
    }

    /// Makes the worker turn once more.
    pub fn wake(&self) {
        self.0.waker.wake_by_ref();
    }

    /// Whether the worker has ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Jobs that panicked so far; each ended alone.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }
}

impl<T> Inbox<T> {
    pub(super) fn remote(&self) -> Remote<T> {
        Remote(self.0.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.queue.is_empty()
    }

    /// Runs jobs, at most `limit`.
    pub(super) fn run(&mut self, state: &mut T, limit: usize) {
        for _ in 0..limit {
            let Some(job) = self.0.queue.pop() else {
                return;
            };
            if catch_unwind(AssertUnwindSafe(|| job(state))).is_err() {
                self.0.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        self.0.clear();
    }
}

impl<T> Shared<T> {
    fn clear(&self) {
        while self.queue.pop().is_some() {}
    }
}

impl<T> Clone for Remote<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("waiting", &self.0.queue.len())
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Stopped => "Stopped",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => CallError::Full.fmt(f),
            Self::Stopped => CallError::Stopped.fmt(f),
        }
    }
}

impl<T> std::error::Error for SendError<T> {}
