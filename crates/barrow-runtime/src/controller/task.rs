//! Names of workers and tasks, and the way to send to them.

use std::fmt;
use std::sync::Arc;

use barrow_core::channel::{SendError, Sender, TrySendError};

use super::block::block_on;

/// A worker of one controller, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WorkerId(pub(super) u32);

impl WorkerId {
    /// Its number.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", self.0)
    }
}

/// A task of one controller: never used again for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskId(pub(super) u64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)
    }
}

/// Reaches one task from any thread. Clones reach the same task.
pub struct Task<M> {
    pub(super) id: TaskId,
    pub(super) worker: WorkerId,
    pub(super) name: Arc<str>,
    pub(super) inbox: Sender<M>,
}

impl<M> Task<M> {
    /// Its id, as reports have it.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Where it runs.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// What it was called when it was spawned.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends without waiting.
    ///
    /// # Errors
    /// The message comes back when the inbox is full, or the task has ended.
    pub fn try_send(&self, message: M) -> Result<(), TrySendError<M>> {
        self.inbox.try_send(message)
    }

    /// Sends, and waits for room: from tasks of any worker, and from any other executor.
    ///
    /// # Errors
    /// The message comes back when the task has ended.
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.inbox.send(message).await
    }

    /// Sends, and blocks the thread while there is no room. Not from a worker's own thread.
    ///
    /// # Errors
    /// As [`Task::send`].
    pub fn blocking_send(&self, message: M) -> Result<(), SendError<M>> {
        match self.inbox.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(message)) => Err(SendError(message)),
            Err(TrySendError::Full(message)) => block_on(self.inbox.send(message)),
        }
    }

    /// Whether it takes no more messages: it has ended, or dropped its inbox.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Messages that wait in its inbox.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }
}

impl<M> Clone for Task<M> {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            worker: self.worker,
            name: self.name.clone(),
            inbox: self.inbox.clone(),
        }
    }
}

impl<M> fmt::Debug for Task<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("worker", &self.worker)
            .field("name", &self.name)
            .field("waiting", &self.waiting())
            .finish()
    }
}
