//! What a task sees of its worker.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use barrow_core::channel::{Sender, TrySendError};
use barrow_core::task::{Stop, Stopping, yield_now};
use barrow_core::timer::{Elapsed, Interval, Sleep, Timers, timeout};
use barrow_core::{Instant, Spawner};

use super::inbox::{Inbox, MessagePorts};
use super::runtime::Runtime;
use super::task::{TaskId, WorkerId};
use crate::io::Reactor;
use crate::sys::Clock;

/// Time, sockets, outputs and other tasks, for one task. Cheap to clone; stays on its worker.
pub struct TaskContext<M>(pub(super) Rc<Inner<M>>);

pub(super) struct Inner<M> {
    pub(super) id: TaskId,
    pub(super) worker: WorkerId,
    pub(super) name: Arc<str>,
    pub(super) spawner: Spawner,
    pub(super) timers: Rc<Timers>,
    pub(super) reactor: Reactor,
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) output: Sender<M>,
    pub(super) runtime: Runtime<M>,
}

impl<M: Send + 'static> TaskContext<M> {
    /// The task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.0.id
    }

    /// The worker it runs on.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.0.worker
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The time of the present turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.timers.now()
    }

    /// Waits for `delay`; never less.
    pub fn sleep(&self, delay: Duration) -> Sleep {
        Sleep::new(self.timers(), self.now() + delay)
    }

    /// Awaits `future` for at most `limit`; then it is dropped.
    pub fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F, M> {
        timeout(self.timers(), limit, future)
    }

    /// Ticks every `period`, the first time after one period.
    #[must_use]
    pub fn interval(&self, period: Duration) -> Interval {
        Interval::new(self.timers(), period)
    }

    /// Lets every other ready unit run first.
    pub fn yield_now(&self) -> impl Future<Output = ()> + use<M> {
        yield_now()
    }

    /// Gives a message to the controller, and waits while it has no room for it. `false` when the
    /// controller is gone.
    pub async fn emit(&self, message: M) -> bool {
        self.0.output.send(message).await.is_ok()
    }

    /// Gives a message to the controller if it has room for it.
    ///
    /// # Errors
    /// The message comes back when there is no room, or the controller is gone.
    pub fn try_emit(&self, message: M) -> Result<(), TrySendError<M>> {
        self.0.output.try_send(message)
    }

    /// The task's messages for a machine with sockets: what it is sent goes in, what it says goes to
    /// the controller. The other half of a [`Port`](crate::io::machine::Port).
    #[must_use]
    pub fn mailbox(&self, inbox: Inbox<M>) -> MessagePorts<M> {
        MessagePorts::new(inbox, self.0.output.clone())
    }

    /// Whether the task was asked to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.stop.is_raised()
    }

    /// Waits until the task is asked to end: the branch of a `select!` that says goodbye.
    pub fn stopping(&self) -> Stopping {
        self.0.stop.raised()
    }

    /// The timers of this worker.
    #[must_use]
    pub fn timers(&self) -> Rc<Timers> {
        self.0.timers.clone()
    }

    /// Adds units to this worker that the controller does not count as tasks.
    #[must_use]
    pub fn spawner(&self) -> &Spawner {
        &self.0.spawner
    }

    /// Watches descriptors for this worker.
    #[must_use]
    pub fn reactor(&self) -> &Reactor {
        &self.0.reactor
    }

    /// The clock of the whole runtime, for measurements; timers go by [`TaskContext::now`].
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Spawns tasks on any worker, sends to workers.
    #[must_use]
    pub fn runtime(&self) -> &Runtime<M> {
        &self.0.runtime
    }
}

impl<M> Clone for TaskContext<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for TaskContext<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("id", &self.0.id)
            .field("worker", &self.0.worker)
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}
