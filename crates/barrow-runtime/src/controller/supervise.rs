//! The end that started the workers: takes outputs and reports, and ends it all.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use barrow_core::channel::Receiver;

use super::block::block_on_for;
use super::builder::Builder;
use super::runtime::Runtime;
use super::seat::Seat;
use super::status::Report;
use super::task::WorkerId;
use crate::host;

/// Owns the workers of a [`Runtime`], which it dereferences to. Dropped, it stops them at once;
/// [`Controller::shutdown`] lets tasks finish first.
pub struct Controller<M> {
    runtime: Runtime<M>,
    outputs: Receiver<M>,
    reports: Receiver<Report>,
    threads: Vec<Thread>,
    grace: Grace,
}

/// A worker's thread.
#[derive(Debug)]
pub(super) struct Thread {
    id: WorkerId,
    handle: host::Handle<Seat>,
}

impl Thread {
    pub(super) fn new(id: WorkerId, handle: host::Handle<Seat>) -> Self {
        Self { id, handle }
    }
}

/// Tasks that had not finished at the deadline, by name.
type Abandoned = Vec<(WorkerId, Arc<str>)>;

/// How long workers wait for their tasks at the end, and which tasks they gave up.
#[derive(Clone, Debug, Default)]
pub(super) struct Grace {
    nanos: Arc<AtomicU64>,
    abandoned: Arc<Mutex<Abandoned>>,
}

impl Grace {
    fn set(&self, grace: Duration) {
        let nanos = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.store(nanos, Ordering::Release);
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Acquire))
    }

    pub(super) fn abandon(&self, worker: WorkerId, tasks: Vec<Arc<str>>) {
        let mut abandoned = self
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        abandoned.extend(tasks.into_iter().map(|task| (worker, task)));
    }
}

/// How a shutdown went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Tasks that had not finished at the deadline, by name; they were dropped.
    pub abandoned: Vec<(WorkerId, Arc<str>)>,
    /// Workers whose own loop had panicked.
    pub lost: Vec<WorkerId>,
}

impl ShutdownReport {
    /// Whether every task finished by itself.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl<M: Send + 'static> Controller<M> {
    /// A runtime to be described.
    #[must_use]
    pub fn builder() -> Builder<M> {
        Builder::default()
    }

    pub(super) fn new(
        runtime: Runtime<M>,
        outputs: Receiver<M>,
        reports: Receiver<Report>,
        threads: Vec<Thread>,
        grace: Grace,
    ) -> Self {
        Self {
            runtime,
            outputs,
            reports,
            threads,
            grace,
        }
    }

    /// What other threads may have.
    #[must_use]
    pub fn runtime(&self) -> Runtime<M> {
        self.runtime.clone()
    }

    /// The next output of any task; blocks for at most `limit`.
    pub fn output(&mut self, limit: Duration) -> Option<M> {
        if let Ok(message) = self.outputs.try_recv() {
            return Some(message);
        }
        let clock = &self.runtime.0.clock;
        block_on_for(clock, limit, self.outputs.recv()).flatten()
    }

    /// The outputs, for who awaits them in an executor of their own or takes many at once.
    pub fn outputs(&mut self) -> &mut Receiver<M> {
        &mut self.outputs
    }

    /// The next report; blocks for at most `limit`.
    pub fn report(&mut self, limit: Duration) -> Option<Report> {
        let clock = &self.runtime.0.clock;
        block_on_for(clock, limit, self.reports.recv()).flatten()
    }

    /// The reports, for who awaits them in an executor of their own or takes many at once.
    pub fn reports(&mut self) -> &mut Receiver<Report> {
        &mut self.reports
    }

    /// Asks every task to finish, waits for at most `grace`, and ends the workers.
    ///
    /// No more tasks are taken. Inboxes give out what they have, then end; machines get
    /// `handle_shutdown`. What the controller has not taken stays with it: outputs that fill it up
    /// make tasks wait, and in the end miss the deadline.
    ///
    /// # Errors
    /// When a worker's poller failed.
    pub fn shutdown(mut self, grace: Duration) -> io::Result<ShutdownReport> {
        self.runtime.0.closed.store(true, Ordering::Release);
        self.grace.set(grace);
        self.threads.iter().for_each(|thread| thread.handle.stop());
        let mut report = ShutdownReport::default();
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            match thread.handle.wait() {
                Ok(ended) => result = result.and(ended),
                Err(_panic) => report.lost.push(thread.id),
            }
        }
        let mut abandoned = self
            .grace
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        report.abandoned.append(&mut abandoned);
        result.map(|()| report)
    }
}

impl<M> Deref for Controller<M> {
    type Target = Runtime<M>;

    fn deref(&self) -> &Runtime<M> {
        &self.runtime
    }
}

impl<M> fmt::Debug for Controller<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("runtime", &self.runtime)
            .field("outputs", &self.outputs.len())
            .field("reports", &self.reports.len())
            .finish_non_exhaustive()
    }
}
