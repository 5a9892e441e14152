//! How a runtime is to be.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use barrow_core::channel::{Sender, bounded};

use super::balance::Balance;
use super::context::TaskContext;
use super::inbox::Inbox;
use super::runtime::{Placement, Runtime, Seated, Shared, SpawnRefused};
use super::seat::{Roll, Seat};
use super::status::{Counters, Report};
use super::supervise::{Controller, Grace, Thread};
use super::task::{Task, WorkerId};
use crate::host::{self, Load, Options, SpawnError, spawn_with_end};
use crate::io::Backend;
use crate::sys::Clock;

/// Starts the root task of each worker.
type Root<M> = Box<dyn Fn(&Runtime<M>, WorkerId) -> Result<Task<M>, SpawnRefused>>;

/// Says how many workers there are, and how they behave.
pub struct Builder<M> {
    workers: usize,
    name: String,
    cpus: Vec<usize>,
    spin: Duration,
    budget: u32,
    inbox: usize,
    output: usize,
    reports: usize,
    clock: Option<Clock>,
    backend: Backend,
    root: Option<Root<M>>,
}

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gave no thread, processor or descriptor.
    #[error("cannot start a worker: {0}")]
    System(#[from] io::Error),
    /// There are to be no workers, or more than 65,536.
    #[error("a runtime has between 1 and 65,536 workers, not {0}")]
    Workers(usize),
    /// A worker ended before its root task could be spawned.
    #[error("cannot spawn a root task: {0}")]
    Root(#[from] SpawnRefused),
}

impl<M: Send + 'static> Default for Builder<M> {
    fn default() -> Self {
        let defaults = Options::default();
        Self {
            workers: 1,
            name: "worker".into(),
            cpus: Vec::new(),
            spin: defaults.spin,
            budget: defaults.budget,
            inbox: 256,
            output: 1024,
            reports: 1024,
            clock: None,
            backend: defaults.backend,
            root: None,
        }
    }
}

impl<M: Send + 'static> Builder<M> {
    /// The number of workers; 1 unless said otherwise.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// The workers' threads are called by this name and their number: `media-0`, `media-1`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Pins worker 0 to the first of these processors, worker 1 to the second, and so on around.
    #[must_use]
    pub fn pin(mut self, cpus: impl IntoIterator<Item = usize>) -> Self {
        self.cpus = cpus.into_iter().collect();
        self
    }

    /// How long a worker looks for work before it sleeps; not at all unless said otherwise.
    #[must_use]
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = spin;
        self
    }

    /// Calls of units in one turn at most.
    #[must_use]
    pub fn budget(mut self, calls: u32) -> Self {
        self.budget = calls.max(1);
        self
    }

    /// Messages that may wait for a task; 256 unless said otherwise.
    #[must_use]
    pub fn inbox(mut self, messages: usize) -> Self {
        self.inbox = messages.max(1);
        self
    }

    /// Outputs that may wait for the controller; 1,024 unless said otherwise.
    #[must_use]
    pub fn output(mut self, messages: usize) -> Self {
        self.output = messages.max(1);
        self
    }

    /// Reports that may wait for the controller; 1,024 unless said otherwise. More are counted.
    #[must_use]
    pub fn reports(mut self, reports: usize) -> Self {
        self.reports = reports.max(1);
        self
    }

    /// The clock that timers go by; one of its own unless said otherwise.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What the workers' pollers ask the kernel with. One that cannot be had is replaced:
    /// [`Reactor::fallback`](crate::io::Reactor::fallback) says why.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Gives each worker a task of its own, which gets the messages to the worker.
    #[must_use]
    pub fn root<F>(
        mut self,
        make: impl Fn(TaskContext<M>, Inbox<M>) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let start = move |runtime: &Runtime<M>, worker| {
            runtime.spawn(Placement::On(worker), "root", make.clone())
        };
        self.root = Some(Box::new(start));
        self
    }

    /// Starts the workers, and waits until they run.
    ///
    /// # Errors
    /// When there is no thread, processor or descriptor for one of them; those that had started
    /// have ended then.
    pub fn start(self) -> Result<Controller<M>, StartError> {
        let count = u32::try_from(self.workers).unwrap_or(u32::MAX);
        if !(1..=65_536).contains(&count) {
            return Err(StartError::Workers(self.workers));
        }
        let clock = self.clock.clone().unwrap_or_default();
        let (output, outputs) = bounded(self.output);
        let (reports, reported) = bounded(self.reports);
        let (grace, lost) = (Grace::default(), Arc::new(AtomicU64::new(0)));
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for id in (0..count).map(WorkerId) {
            let counters = Arc::new(Counters::default());
            let about = (counters.clone(), reports.clone(), lost.clone());
            let handle = self.worker(id, &clock, grace.clone(), about)?;
            workers.push(Seated {
                name: self.thread_name(id).into(),
                remote: handle.remote(),
                meter: handle.meter().clone(),
                counters,
                seen: Mutex::new(Load::default()),
                root: RwLock::new(None),
            });
            threads.push(Thread::new(id, handle));
        }
        let runtime = Runtime(Arc::new(Shared {
            balance: Mutex::new(Balance::new(workers.len())),
            workers,
            clock,
            inbox: self.inbox,
            output,
            tasks: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            lost_reports: lost,
        }));
        if let Some(root) = &self.root {
            for id in runtime.workers() {
                let task = root(&runtime, id)?;
                let mut place = runtime.0.workers[id.index()]
                    .root
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *place = Some(task);
            }
        }
        Ok(Controller::new(runtime, outputs, reported, threads, grace))
    }

    fn worker(
        &self,
        id: WorkerId,
        clock: &Clock,
        grace: Grace,
        (counters, reports, lost): (Arc<Counters>, Sender<Report>, Arc<AtomicU64>),
    ) -> io::Result<host::Handle<Seat>> {
        let options = Options {
            name: self.thread_name(id),
            cpus: self
                .cpus
                .get(id.index() % self.cpus.len().max(1))
                .copied()
                .into_iter()
                .collect(),
            budget: self.budget,
            spin: self.spin,
            backend: self.backend,
            ..Options::default()
        };
        let make = move |host: &mut host::Host| {
            io::Result::Ok(Seat {
                spawner: host.scheduler.spawner(),
                reactor: host.reactor.clone(),
                clock: host.clock.clone(),
                roll: Roll::new(id, counters, reports, lost).into(),
            })
        };
        let end = move |worker: &mut host::Worker<Seat>| {
            worker.state().roll.orderly.set(true);
            worker.shutdown(grace.time(), |seat, _| seat.roll.is_empty())?;
            grace.abandon(id, worker.state().roll.names());
            Ok(())
        };
        spawn_with_end(options, clock.clone(), make, end).map_err(|error| match error {
            SpawnError::System(error) | SpawnError::State(error) => error,
            SpawnError::Panicked => io::Error::other("a worker panicked while it started"),
        })
    }

    fn thread_name(&self, id: WorkerId) -> String {
        format!("{}-{}", self.name, id.index())
    }
}

impl<M> fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("name", &self.name)
            .field("cpus", &self.cpus)
            .finish_non_exhaustive()
    }
}
