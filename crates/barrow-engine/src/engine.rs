//! The node as a program runs it: threads, start, stop.

use crate::assembly::{Assembly, BuildError, Hook, Plan, Services, ThreadSpec};
use crate::cli::Identity;
use crate::clock::NodeClock;
use crate::config::{Config, ConfigError, Settings, WorkerCount};
use crate::control::Control;
use crate::feature::{About, AnyFeature, Feature};
use crate::log::{Logger, NullSink, StderrSink};
use crate::servers::Servers;
use crate::watchdog;
use crate::worker::Slice;
use barrow_runtime::host::{self, Handle, Options, SpawnError, Stopper, Worker};
use barrow_runtime::sys::{Clock, cpu};
use std::fmt;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Collects what an engine is to be.
#[derive(Default)]
pub struct Builder {
    settings: Settings,
    config: Option<Config>,
    features: Vec<Box<dyn AnyFeature>>,
    identity: Option<Identity>,
    quiet: bool,
}

impl Builder {
    /// Adds a feature. Features register in this order.
    #[must_use]
    pub fn feature(mut self, feature: impl Feature + 'static) -> Self {
        self.features.push(Box::new(feature));
        self
    }

    /// Starts as this configuration says.
    ///
    /// # Errors
    /// When one of the engine's own sections is bad; those of features are read by
    /// [`build`](Self::build).
    pub fn config(mut self, config: Config) -> Result<Self, ConfigError> {
        self.settings = Settings::read(&config)?;
        self.config = Some(config);
        Ok(self)
    }

    /// Starts with these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What the node says it is.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Writes no log to standard error; the ring is kept.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Builds the engine: features register, the graph is put in place. This thread becomes its main
    /// thread; no other thread runs yet.
    ///
    /// # Errors
    /// When a feature cannot register, the graph has no sense, or the system refuses memory or
    /// descriptors.
    pub fn build(self) -> Result<Engine, BuildError> {
        let threads = 1 + self.settings.cpu.workers.count();
        let placement = Placement::of(&self.settings)?;
        let wall = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
        };
        let logging = self.settings.logging.clone();
        let log = match self.quiet {
            true => Logger::new(logging, wall, NullSink),
            false => Logger::new(logging, wall, StderrSink::start()?),
        };
        let clock = Clock::new();
        let mut assembly = None;
        let worker = Worker::new::<BuildError>(placement.main.clone(), clock.clone(), |host| {
            let plan = Plan {
                settings: self.settings,
                config: self.config,
                features: self.features,
                threads,
                clock: NodeClock::real(clock.clone()),
                spawner: host.scheduler.spawner(),
                log,
                identity: self
                    .identity
                    .unwrap_or_else(|| Identity::of_this_build(std::process::id())),
            };
            host.scheduler
                .spawner()
                .extensions()
                .insert(host.reactor.clone());
            let mut made = plan.assemble(|_| Ok(()))?;
            let main = made.threads.remove(0);
            host.scheduler
                .add(main.unit(Some(host.reactor.clone()), Slice::of_thread()));
            host.scheduler.set_quantum(QUANTUM);
            assembly = Some(made);
            Ok(())
        })?;
        let Assembly {
            control,
            threads,
            services,
            on_start,
            on_stop,
        } = assembly.expect("made above, or an error was returned");
        for warning in &services.warnings {
            control
                .log()
                .class("config")
                .warning(format_args!("{warning}"));
        }
        Ok(Engine {
            worker,
            clock,
            control,
            pending: threads,
            placement,
            workers: Vec::new(),
            services,
            on_start,
            on_stop,
        })
    }
}

/// Calls of units between two looks at descriptors: a busy graph takes a slice of time in each.
const BUDGET: u32 = 8;

/// Items a unit of the main thread handles in one call.
const QUANTUM: u32 = 256;

/// Where threads run and what they are called.
#[derive(Clone, Debug)]
struct Placement {
    main: Options,
    workers: Vec<Options>,
}

impl Placement {
    /// Workers are pinned where the settings name processors, or where there are enough of them for each
    /// to have its own beside main; else the system places them.
    fn of(settings: &Settings) -> io::Result<Self> {
        let settings = &settings.cpu;
        let prefix = &settings.thread_prefix;
        let on = |name: String, cpu: Option<usize>| Options {
            name,
            cpus: cpu.into_iter().collect(),
            budget: BUDGET,
            ..Options::default()
        };
        let main = settings.main_core.map(|core| core as usize);
        let cores: Vec<Option<usize>> = match &settings.workers {
            WorkerCount::None => Vec::new(),
            WorkerCount::OnCores(cores) => cores.iter().map(|core| Some(*core as usize)).collect(),
            WorkerCount::Count(count) => {
                let mut free: Vec<_> = cpu::allowed()?
                    .into_iter()
                    .skip(settings.skip_cores as usize)
                    .collect();
                match main {
                    Some(main) => free.retain(|cpu| *cpu != main),
                    None => drop(free.drain(..1.min(free.len()))),
                }
                let enough = free.len() >= *count as usize;
                (0..*count as usize)
                    .map(|i| enough.then(|| free[i]))
                    .collect()
            }
        };
        let name = |i| format!("{prefix}_wk_{i}");
        Ok(Self {
            main: Options {
                slow_limit: Some(watchdog::BUDGET),
                ..on(format!("{prefix}_main"), main)
            },
            workers: cores
                .into_iter()
                .enumerate()
                .map(|(i, cpu)| on(name(i), cpu))
                .collect(),
        })
    }
}

/// A node: its main thread is the one that built it, and that runs it.
pub struct Engine {
    worker: Worker<()>,
    clock: Clock,
    control: Control,
    /// Workers that were not started yet.
    pending: Vec<ThreadSpec>,
    placement: Placement,
    workers: Vec<Handle<()>>,
    services: Services,
    on_start: Vec<Hook>,
    on_stop: Vec<Hook>,
}

/// How long units have to say goodbye.
const GRACE: Duration = Duration::from_millis(500);

impl Engine {
    /// Collects what an engine is to be.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The running node, for this thread.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The command line and the binary API: not served anywhere until told so.
    #[must_use]
    pub fn servers(&self) -> &Servers {
        &self.services.servers
    }

    /// The features it was built with.
    #[must_use]
    pub fn features(&self) -> &[About] {
        &self.services.features
    }

    /// Ends [`run`](Self::run), from any thread or a unit of this one.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.worker.stopper()
    }

    /// The poller of the main thread's descriptors.
    #[must_use]
    pub fn reactor(&mut self) -> barrow_runtime::io::Reactor {
        self.worker.host().reactor.clone()
    }

    /// Starts the worker threads and runs the features' start hooks. [`run`](Self::run) does it if it was
    /// not done before.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(&mut self) -> io::Result<()> {
        for (spec, options) in self.pending.drain(..).zip(&self.placement.workers) {
            let worker = host::spawn(options.clone(), self.clock.clone(), move |host| {
                let unit = spec.unit(Some(host.reactor.clone()), Slice::of_thread());
                host.scheduler.add(unit);
                Ok::<(), io::Error>(())
            });
            self.workers.push(worker.map_err(|error| match error {
                SpawnError::System(error) | SpawnError::State(error) => error,
                SpawnError::Panicked => io::Error::other("a worker panicked while it started"),
            })?);
        }
        self.on_start.drain(..).for_each(|hook| hook(&self.control));
        Ok(())
    }

    /// Runs the node until somebody stops it.
    ///
    /// # Errors
    /// When a thread cannot be had, or the system's poller fails.
    pub fn run(mut self) -> io::Result<()> {
        self.start()?;
        self.worker.run()?;
        self.shutdown()
    }

    /// One turn of the main thread, sleeping until something happens or `wait` is over. For programs with
    /// a loop of their own; call [`start`](Self::start) first.
    ///
    /// # Errors
    /// When the system's poller fails.
    pub fn turn(&mut self, wait: Duration) -> io::Result<()> {
        let latest = self.clock.now() + wait;
        self.worker.turn(Some(latest))
    }

    /// Stops the workers, lets units and features say goodbye.
    ///
    /// # Errors
    /// When the system's poller fails.
    pub fn shutdown(mut self) -> io::Result<()> {
        self.workers.iter().for_each(Handle::stop);
        for worker in self.workers.drain(..) {
            worker.join()?;
        }
        self.on_stop
            .drain(..)
            .rev()
            .for_each(|hook| hook(&self.control));
        let mut rounds = 0;
        self.worker.shutdown(GRACE, |(), _| {
            // Each unit had its turn after being told, and what it woke had one more.
            rounds += 1;
            rounds > 3
        })?;
        Ok(())
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("features", &self.features.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("control", &self.control)
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}
