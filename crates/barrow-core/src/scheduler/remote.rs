//! A scheduler's handle for other threads.

use std::{error::Error, fmt};

use super::Spawner;
use crate::{
    Unit, UnitContext, Work,
    channel::{Receiver, TryRecvError, UnboundedSender, unbounded},
};

type Job = Box<dyn FnOnce(&Spawner) + Send>;

/// Runs closures on a scheduler's thread: how something that is not `Send` (a region, a process
/// node) comes to live there. What crosses the thread is the closure that builds it.
///
/// For control only: the queue is not bounded. Data crosses through a
/// [`channel`](crate::channel).
///
/// ```
/// use barrow_core::testing::Simulation;
///
/// let mut simulation = Simulation::new();
/// let remote = simulation.scheduler().remote();
/// let thread = std::thread::spawn(move || remote.run(|spawner| {
///     spawner.spawn_named_task("from afar", async {});
/// }));
/// assert!(thread.join().expect("no panic").is_ok());
/// simulation.settle();
/// ```
#[derive(Clone, Debug)]
pub struct Remote {
    jobs: UnboundedSender<Job>,
}

impl Remote {
    /// Makes a handle and the unit that serves it.
    pub(super) fn new(spawner: Spawner) -> (Self, RemoteUnit) {
        let (jobs, received) = unbounded();
        (
            Self { jobs },
            RemoteUnit {
                jobs: received,
                spawner,
            },
        )
    }

    /// Runs `job` on the scheduler's thread, soon, in the order of sending.
    ///
    /// # Errors
    /// [`Stopped`] if the scheduler is gone; the job is dropped.
    pub fn run(&self, job: impl FnOnce(&Spawner) + Send + 'static) -> Result<(), Stopped> {
        self.jobs.send(Box::new(job)).map_err(|_| Stopped)
    }
}

/// The scheduler of a [`Remote`] is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scheduler has stopped")
    }
}

impl Error for Stopped {}

/// Runs the jobs of remotes; a job that panics fails alone.
pub(super) struct RemoteUnit {
    jobs: Receiver<Job>,
    spawner: Spawner,
}

impl Unit for RemoteUnit {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        self.jobs.register(cx.waker);
        loop {
            if cx.quantum == 0 {
                return Work::More;
            }
            cx.quantum -= 1;
            match self.jobs.try_recv() {
                Ok(job) => job(&self.spawner),
                Err(TryRecvError::Empty) => return Work::Idle,
                Err(TryRecvError::Closed) => return Work::Done,
            }
        }
    }

    fn name(&self) -> String {
        "remote".to_owned()
    }

    fn panicked(&mut self, _: crate::Instant, _: &str) -> Work {
        Work::More
    }
}
