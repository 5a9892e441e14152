//! What a controller is told of its workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::task::{TaskId, WorkerId};
use crate::host::Load;

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Finished,
    /// It was cancelled, or had not finished when its worker stopped.
    Cancelled,
    /// Its unit said that it failed.
    Failed,
    /// It panicked, with this message.
    Panicked(String),
}

/// Something that the controller should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A task has ended.
    TaskEnded {
        /// Which.
        task: TaskId,
        /// What it was called.
        name: Arc<str>,
        /// Where it ran.
        worker: WorkerId,
        /// How.
        how: Ended,
    },
    /// A worker has ended without being asked to: its tasks are gone.
    WorkerLost {
        /// Which.
        worker: WorkerId,
    },
}

/// One worker, as [`Runtime::status`](super::Runtime::status) finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerStatus {
    /// Which.
    pub id: WorkerId,
    /// Name of its thread.
    pub name: Arc<str>,
    /// Whether it runs.
    pub running: bool,
    /// Tasks that live on it, its root task included.
    pub tasks: usize,
    /// Tasks that were ever spawned on it.
    pub spawned: u64,
    /// Tasks that failed or panicked.
    pub failed: u64,
    /// Messages waiting for its root task.
    pub waiting: usize,
    /// Its time awake and its sleeps so far.
    pub load: Load,
    /// The share of time that it was awake since the previous status, from 0 to 1.
    pub utilisation: f64,
}

/// Counters that a worker's tasks write.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) tasks: AtomicUsize,
    pub(super) spawned: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl Counters {
    pub(super) fn begin(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        self.spawned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, how: &Ended) {
        self.tasks.fetch_sub(1, Ordering::Relaxed);
        if matches!(how, Ended::Failed | Ended::Panicked(_)) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
