//! The part of a controller that every thread may have.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use barrow_core::channel::{Receiver, SendError, Sender, TrySendError, bounded};
use barrow_core::task::Stop;
use barrow_core::{Driver, Machine, Unit, UnitContext, Work};

use super::balance::Balance;
use super::block::block_on;
use super::context::{Inner, TaskContext};
use super::inbox::Inbox;
use super::seat::Seat;
use super::status::{Counters, WorkerStatus};
use super::task::{Task, TaskId, WorkerId};
use crate::host::{self, Load, Meter};
use crate::sys::Clock;

/// Where a task is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Where there is the least to do, as measured.
    LeastLoaded,
    /// On this worker.
    On(WorkerId),
    /// On the worker whose thread has this name.
    Named(String),
}

/// Why nothing was spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpawnRefused {
    /// The placement names no worker of this runtime.
    #[error("there is no such worker")]
    NoSuchWorker,
    /// The worker has too many jobs waiting: try again later.
    #[error("the worker is overloaded with control jobs")]
    Busy,
    /// The runtime is being shut down, or the worker is gone.
    #[error("the worker takes no more tasks")]
    Stopped,
}

/// Spawns tasks, sends messages to workers and reads their status, from any thread. Clones are the
/// same runtime.
pub struct Runtime<M>(pub(super) Arc<Shared<M>>);

pub(super) struct Shared<M> {
    pub(super) workers: Vec<Seated<M>>,
    pub(super) clock: Clock,
    pub(super) inbox: usize,
    pub(super) output: Sender<M>,
    pub(super) tasks: AtomicU64,
    pub(super) closed: AtomicBool,
    pub(super) balance: Mutex<Balance>,
    pub(super) lost_reports: Arc<AtomicU64>,
}

/// One worker, seen from outside.
pub(super) struct Seated<M> {
    pub(super) name: Arc<str>,
    pub(super) remote: host::Remote<Seat>,
    pub(super) meter: Meter,
    pub(super) counters: Arc<Counters>,
    /// What the last status was measured against.
    pub(super) seen: Mutex<Load>,
    /// Set once, when the runtime starts.
    pub(super) root: RwLock<Option<Task<M>>>,
}

impl<M: Send + 'static> Runtime<M> {
    /// Spawns an async task. `make` runs on the worker; what it makes need not be `Send`.
    ///
    /// # Errors
    /// When the worker does not exist, is gone, or is overloaded.
    pub fn spawn<F>(
        &self,
        place: Placement,
        name: &str,
        make: impl FnOnce(TaskContext<M>, Inbox<M>) -> F + Send + 'static,
    ) -> Result<Task<M>, SpawnRefused>
    where
        F: Future<Output = ()> + 'static,
    {
        self.spawn_unit(place, name, |cx, inbox| Pinned(Box::pin(make(cx, inbox))))
    }

    /// Spawns a machine of messages: what the task is sent goes in, what comes out goes to the
    /// controller.
    ///
    /// # Errors
    /// As [`Runtime::spawn`].
    pub fn spawn_machine<S>(
        &self,
        place: Placement,
        name: &str,
        make: impl FnOnce(TaskContext<M>) -> S + Send + 'static,
    ) -> Result<Task<M>, SpawnRefused>
    where
        S: for<'a> Machine<Input<'a> = M, Output = M> + 'static,
    {
        self.spawn_unit(place, name, |cx, inbox| {
            let ports = cx.mailbox(inbox);
            Driver::new(make(cx), ports)
        })
    }

    /// Spawns any unit: a driven machine with ports of its own, a region, a hand-written one.
    ///
    /// # Errors
    /// As [`Runtime::spawn`].
    pub fn spawn_unit<U: Unit + 'static>(
        &self,
        place: Placement,
        name: &str,
        make: impl FnOnce(TaskContext<M>, Inbox<M>) -> U + Send + 'static,
    ) -> Result<Task<M>, SpawnRefused> {
        let worker = self.place(&place)?;
        self.spawn_on(worker, name, make)
    }

    fn spawn_on<U: Unit + 'static>(
        &self,
        worker: WorkerId,
        name: &str,
        make: impl FnOnce(TaskContext<M>, Inbox<M>) -> U + Send + 'static,
    ) -> Result<Task<M>, SpawnRefused> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(SpawnRefused::Stopped);
        }
        let (sender, receiver) = bounded(self.0.inbox);
        let task = Task {
            id: TaskId(self.0.tasks.fetch_add(1, Ordering::Relaxed)),
            worker,
            name: name.into(),
            inbox: sender,
        };
        let (runtime, id, name) = (self.clone(), task.id, task.name.clone());
        let seat = &self.0.workers[worker.index()];
        let sent = seat.remote.send(move |seat| {
            let begin = Begin {
                id,
                worker,
                name,
                runtime,
                receiver,
            };
            begin.on(seat, make);
        });
        match sent {
            Ok(()) => Ok(task),
            Err(host::SendError::Full(_)) => Err(SpawnRefused::Busy),
            Err(host::SendError::Stopped) => Err(SpawnRefused::Stopped),
        }
    }

    fn place(&self, place: &Placement) -> Result<WorkerId, SpawnRefused> {
        let workers = &self.0.workers;
        let found = match place {
            Placement::On(id) => (id.index() < workers.len()).then_some(*id),
            Placement::Named(name) => self.worker(name),
            Placement::LeastLoaded => {
                let now = self.0.clock.now();
                let load =
                    |seat: &Seated<M>| (!seat.remote.is_stopped()).then(|| seat.meter.read(now));
                let loads: Vec<_> = workers.iter().map(load).collect();
                let tasks = |seat: &Seated<M>| seat.counters.tasks.load(Ordering::Relaxed);
                let tasks = workers.iter().map(tasks).sum();
                let mut balance = self
                    .0
                    .balance
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let place = balance.place(&loads, tasks).ok_or(SpawnRefused::Stopped)?;
                u32::try_from(place).ok().map(WorkerId)
            }
        };
        found.ok_or(SpawnRefused::NoSuchWorker)
    }

    /// The worker whose thread has this name.
    #[must_use]
    pub fn worker(&self, name: &str) -> Option<WorkerId> {
        let named = |seat: &Seated<M>| *seat.name == *name;
        let index = self.0.workers.iter().position(named)?;
        u32::try_from(index).ok().map(WorkerId)
    }

    /// Every worker.
    pub fn workers(&self) -> impl Iterator<Item = WorkerId> + use<M> {
        (0..self.0.workers.len()).filter_map(|n| u32::try_from(n).ok().map(WorkerId))
    }

    /// The root task of a worker: who gets the messages to the worker itself. `None` when the
    /// runtime was built without, or the worker does not exist.
    #[must_use]
    pub fn root(&self, worker: WorkerId) -> Option<Task<M>> {
        let seat = self.0.workers.get(worker.index())?;
        let root = seat.root.read().unwrap_or_else(PoisonError::into_inner);
        root.clone()
    }

    /// Sends a message to a worker, which is its root task, without waiting.
    ///
    /// # Errors
    /// The message comes back when there is no room, or no root task.
    pub fn try_send(&self, worker: WorkerId, message: M) -> Result<(), TrySendError<M>> {
        match self.root(worker) {
            Some(root) => root.try_send(message),
            None => Err(TrySendError::Closed(message)),
        }
    }

    /// Sends a message to a worker and waits for room.
    ///
    /// # Errors
    /// The message comes back when there is no root task.
    pub async fn send(&self, worker: WorkerId, message: M) -> Result<(), SendError<M>> {
        match self.root(worker) {
            Some(root) => root.send(message).await,
            None => Err(SendError(message)),
        }
    }

    /// Sends a message to a worker and blocks the thread while there is no room. Not from a
    /// worker's own thread.
    ///
    /// # Errors
    /// The message comes back when there is no root task.
    pub fn blocking_send(&self, worker: WorkerId, message: M) -> Result<(), SendError<M>> {
        block_on(self.send(worker, message))
    }

    /// Drops a task wherever it is, soon. False when its worker takes no more jobs.
    pub fn cancel(&self, task: &Task<M>) -> bool {
        let (seat, id) = (&self.0.workers[task.worker.index()], task.id);
        let cancel = move |seat: &mut Seat| {
            seat.cancel(id);
        };
        seat.remote.send(cancel).is_ok()
    }

    /// Every worker as it is now. Utilisation is measured from one call to the next, of whoever
    /// calls.
    #[must_use]
    pub fn status(&self) -> Vec<WorkerStatus> {
        let now = self.0.clock.now();
        let status = |(id, seat): (WorkerId, &Seated<M>)| {
            let load = seat.meter.read(now);
            let mut seen = seat.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let utilisation = load.utilisation_since(std::mem::replace(&mut *seen, load));
            WorkerStatus {
                id,
                name: seat.name.clone(),
                running: !seat.remote.is_stopped(),
                tasks: seat.counters.tasks.load(Ordering::Relaxed),
                spawned: seat.counters.spawned.load(Ordering::Relaxed),
                failed: seat.counters.failed.load(Ordering::Relaxed),
                waiting: self.root(id).map_or(0, |root| root.waiting()),
                load,
                utilisation,
            }
        };
        self.workers().zip(&self.0.workers).map(status).collect()
    }

    /// The clock of all workers.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Reports that found no room and were dropped.
    #[must_use]
    pub fn lost_reports(&self) -> u64 {
        self.0.lost_reports.load(Ordering::Relaxed)
    }
}

/// A task on its way to its worker.
struct Begin<M> {
    id: TaskId,
    worker: WorkerId,
    name: Arc<str>,
    runtime: Runtime<M>,
    receiver: Receiver<M>,
}

impl<M: Send + 'static> Begin<M> {
    fn on<U: Unit + 'static>(
        self,
        seat: &Seat,
        make: impl FnOnce(TaskContext<M>, Inbox<M>) -> U + 'static,
    ) {
        let stop = Stop::new();
        let inbox = Inbox::new(self.receiver, stop.clone());
        let context = TaskContext(Rc::new(Inner {
            id: self.id,
            worker: self.worker,
            name: self.name.clone(),
            spawner: seat.spawner.clone(),
            timers: seat.spawner.timers(),
            reactor: seat.reactor.clone(),
            clock: seat.clock.clone(),
            stop: stop.clone(),
            output: self.runtime.0.output.clone(),
            runtime: self.runtime,
        }));
        seat.add(self.id, self.name, stop, move || make(context, inbox));
    }
}

/// A future as a unit.
struct Pinned<F>(std::pin::Pin<Box<F>>);

impl<F: Future<Output = ()>> Unit for Pinned<F> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        let polled = self
            .0
            .as_mut()
            .poll(&mut std::task::Context::from_waker(cx.waker));
        match polled {
            std::task::Poll::Pending => Work::Idle,
            std::task::Poll::Ready(()) => Work::Done,
        }
    }
}

impl<M> Clone for Runtime<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for Runtime<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.workers.iter().map(|seat| &seat.name).collect();
        f.debug_struct("Runtime")
            .field("workers", &names)
            .finish_non_exhaustive()
    }
}
