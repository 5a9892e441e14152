//! The loop of one thread.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use barrow_core::{Extensions, Instant, Next, Scheduler, Unit, UnitContext, Work};

use super::meter::Meter;
use super::offload::{OffloadLimits, offload_threads};
use super::remote::{Inbox, Remote, inbox};
use crate::io::{Backend, Reactor};
use crate::sys::{Clock, TscClock, cpu};

/// Jobs that run between two turns at most.
const JOBS: usize = 64;

/// How a worker behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the thread; empty leaves it as it is.
    pub name: String,
    /// Processors it runs on; empty leaves that to the system.
    pub cpus: Vec<usize>,
    /// Calls of units in one turn at most.
    pub budget: u32,
    /// While units are busy, descriptors are looked at this often.
    pub poll_interval: Duration,
    /// How long to look for work before going to sleep: takes a processor, and saves the wake-up.
    pub spin: Duration,
    /// Jobs that may wait.
    pub jobs: usize,
    /// What the thread's poller asks the kernel with.
    pub backend: Backend,
    /// Calls of units that take longer are reported; `None`: none is, and calls are not measured.
    pub slow_limit: Option<Duration>,
    /// What process nodes may use for work that blocks.
    pub offload: OffloadLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: String::new(),
            cpus: Vec::new(),
            budget: 256,
            poll_interval: Duration::from_micros(50),
            spin: Duration::ZERO,
            jobs: 1024,
            backend: Backend::Auto,
            slow_limit: None,
            offload: OffloadLimits::default(),
        }
    }
}

/// What a worker's state is made with, and may keep handles of.
#[derive(Debug)]
pub struct Host {
    /// Runs the units. Its extensions contain the [`Reactor`] and the [`Clock`].
    pub scheduler: Scheduler,
    /// Watches descriptors.
    pub reactor: Reactor,
    /// Tells the time.
    pub clock: Clock,
}

/// What a worker without ready units does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Sleep until something happens.
    Park,
    /// Go on turning: there are devices that have to be polled.
    Poll,
}

/// Decides what an idle worker does.
type OnIdle<T> = Box<dyn FnMut(&mut T) -> Idle>;

/// A scheduler, a reactor and a state on the thread that made them.
///
/// The main thread runs one itself; [`spawn`](super::spawn) runs one on a thread of its own.
pub struct Worker<T> {
    host: Host,
    state: T,
    inbox: Inbox<T>,
    options: Options,
    stop: Arc<AtomicBool>,
    on_idle: Option<OnIdle<T>>,
    polled: Instant,
    meter: Meter,
}

/// Exists to be woken.
struct Nudge;

impl Unit for Nudge {
    fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
        Work::Idle
    }

    fn name(&self) -> String {
        "jobs".into()
    }
}

impl<T> Worker<T> {
    /// Makes a worker of the calling thread: names and pins it, then has its state made.
    ///
    /// # Errors
    /// When the thread cannot be pinned, there are no descriptors left, or `make` fails.
    pub fn new<E: From<io::Error>>(
        options: Options,
        clock: Clock,
        make: impl FnOnce(&mut Host) -> Result<T, E>,
    ) -> Result<Self, E> {
        if !options.name.is_empty() {
            cpu::name_thread(&options.name);
        }
        if !options.cpus.is_empty() {
            cpu::pin(&options.cpus)?;
        }
        let reactor = Reactor::open(options.backend, clock.clone())?;
        let extensions = Extensions::new()
            .with(reactor.clone())
            .with(clock.clone())
            .with(offload_threads(options.offload));
        let mut host = Host {
            scheduler: Scheduler::new(reactor.bell(), extensions),
            reactor,
            clock,
        };
        if let Some(limit) = options.slow_limit {
            host.scheduler.set_clock(Box::new(TscClock));
            host.scheduler.set_slow_limit(Some(limit));
        }
        let nudge = host.scheduler.add(Nudge);
        let inbox = inbox(options.jobs, host.scheduler.waker(nudge));
        let state = make(&mut host)?;
        let meter = Meter::default();
        meter.wakes(host.clock.now());
        Ok(Self {
            host,
            state,
            inbox,
            options,
            stop: Arc::default(),
            on_idle: None,
            polled: Instant::ZERO,
            meter,
        })
    }

    /// Asks `idle` each time no unit is ready; without it, the worker parks.
    pub fn on_idle(&mut self, idle: impl FnMut(&mut T) -> Idle + 'static) {
        self.on_idle = Some(Box::new(idle));
    }

    /// The handle by which other threads, and units of this one, reach the state.
    #[must_use]
    pub fn remote(&self) -> Remote<T> {
        self.inbox.remote()
    }

    /// Ends [`Worker::run`], from any thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper {
            stop: self.stop.clone(),
            bell: self.host.reactor.bell(),
        }
    }

    /// How busy it is, for other threads to read.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// The state.
    pub fn state(&mut self) -> &mut T {
        &mut self.state
    }

    /// Scheduler, reactor and clock.
    pub fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    /// Turns until stopped.
    ///
    /// # Errors
    /// As [`Reactor::park`]: none in a correct process.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.stop.load(Ordering::Acquire) {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Tells every unit to finish, then turns until `done` says so, or until the time is over.
    ///
    /// True when `done` said so.
    ///
    /// # Errors
    /// As [`Reactor::park`]: none in a correct process.
    pub fn shutdown(
        &mut self,
        grace: Duration,
        mut done: impl FnMut(&mut T, &mut Host) -> bool,
    ) -> io::Result<bool> {
        let end = self.host.clock.now() + grace;
        self.host.scheduler.shutdown(self.host.clock.now());
        loop {
            let rest = self.round()?;
            if done(&mut self.state, &mut self.host) {
                return Ok(true);
            }
            if self.host.clock.now() >= end {
                return Ok(false);
            }
            if let Some(until) = rest {
                self.sleep(Some(until.map_or(end, |until| until.min(end))))?;
            }
        }
    }

    /// One round of the loop: jobs, one turn, and I/O or sleep. It sleeps until `latest` at most.
    ///
    /// # Errors
    /// As [`Reactor::park`]: none in a correct process.
    pub fn turn(&mut self, latest: Option<Instant>) -> io::Result<()> {
        match self.round()? {
            Some(until) => self.sleep(until.into_iter().chain(latest).min()),
            None => Ok(()),
        }
    }

    /// A round without its sleep; when there is reason to sleep, until when.
    fn round(&mut self) -> io::Result<Option<Option<Instant>>> {
        self.inbox.run(&mut self.state, JOBS);
        let now = self.host.clock.now();
        let Next::Park { until } = self.host.scheduler.turn(now, self.options.budget) else {
            self.poll(now)?;
            return Ok(None);
        };
        // A job that came during the turn may have had its wake consumed by it.
        let awake = !self.inbox.is_empty()
            || self.stop.load(Ordering::Acquire)
            || self
                .on_idle
                .as_mut()
                .is_some_and(|idle| idle(&mut self.state) == Idle::Poll);
        if awake {
            self.poll(now)?;
            return Ok(None);
        }
        Ok(Some(until))
    }

    fn sleep(&mut self, until: Option<Instant>) -> io::Result<()> {
        self.meter.sleeps(self.host.clock.now());
        if !self.spin(until)? {
            self.host.reactor.park(until)?;
        }
        self.meter.wakes(self.host.clock.now());
        Ok(())
    }

    /// Takes I/O in without waiting, unless that was done a moment ago.
    fn poll(&mut self, now: Instant) -> io::Result<()> {
        if now.saturating_since(self.polled) >= self.options.poll_interval {
            self.polled = now;
            self.host.reactor.poll_now()?;
        }
        Ok(())
    }

    /// Looks for work for as long as the options say; true when there is some.
    fn spin(&mut self, until: Option<Instant>) -> io::Result<bool> {
        if self.options.spin.is_zero() {
            return Ok(false);
        }
        let end = self.host.clock.now() + self.options.spin;
        loop {
            // Wakes from other threads are among the events: the scheduler has armed the bell.
            if self.host.reactor.poll_now()? > 0 {
                return Ok(true);
            }
            let now = self.host.clock.now();
            if until.is_some_and(|until| until <= now) {
                return Ok(true);
            }
            if now >= end {
                return Ok(false);
            }
            std::hint::spin_loop();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("options", &self.options)
            .field("host", &self.host)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Ends a worker's [`run`](Worker::run).
#[derive(Clone, Debug)]
pub struct Stopper {
    stop: Arc<AtomicBool>,
    bell: crate::io::Bell,
}

impl Stopper {
    /// Stops the worker after its present turn.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
    }
}
