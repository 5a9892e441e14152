//! Putting an engine together: the same for a running node and a simulation.

use crate::cli::{DuplicateCommand, Identity};
use crate::clock::NodeClock;
use crate::collector::{self, Collector};
use crate::config::{Config, ConfigError, ConfigRegistry, PageSize, Settings, Warning};
use crate::control::{Control, Shared};
use crate::error::ErrorTable;
use crate::feature::{About, AnyFeature, RegisterError};
use crate::log::Logger;
use crate::node::{Interrupts, NodeError};
use crate::outlet::{Outlet, Packets};
use crate::packet::{PacketCache, PacketHeader};
use crate::punt::{OwnArcs, PuntTable};
use crate::servers::{Own, Servers};
use crate::supervisor::{Failed, MOST_REPORTS, Supervisor};
use crate::trace::{Ids, Log, LogReader, TraceControl};
use crate::watchdog;
use crate::worker::{
    Inbox, Links, Mailbox, PacketUnit, Parts, Slice, ThreadPackets, ThreadRow, WorkerPackets, wire,
};
use crate::{ArcError, ArcTable, EngineBuilder, commands, disposition};
use barrow_core::channel::{self, Sender};
use barrow_core::{Restart, Spawner};
use barrow_runtime::buf::{self, Pages, Pool, PoolError};
use barrow_runtime::io::Reactor;
use barrow_stats::{CreateError, EntryError, Segment, SegmentConfig};
use std::rc::Rc;
use std::sync::Arc;

/// Why an engine could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A feature could not register.
    #[error("feature {feature}: {error}")]
    Feature {
        /// Its name.
        feature: String,
        /// Why.
        error: RegisterError,
    },
    /// The graph has no sense.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The feature arcs have no order.
    #[error(transparent)]
    Arc(#[from] ArcError),
    /// The configuration of a feature is bad.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The statistics segment could not be made.
    #[error(transparent)]
    Segment(#[from] CreateError),
    /// An entry of the statistics segment could not be made.
    #[error("statistics segment: {0}")]
    Entry(#[from] EntryError),
    /// The packet pool could not be made.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The operating system refused something.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// What an engine is made from.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) config: Option<Config>,
    pub(crate) features: Vec<Box<dyn AnyFeature>>,
    pub(crate) threads: usize,
    pub(crate) clock: NodeClock,
    pub(crate) spawner: Spawner,
    pub(crate) log: Logger,
    pub(crate) identity: Identity,
}

/// What runs once, when the engine starts or ends.
pub(crate) type Hook = Box<dyn FnOnce(&Control)>;

/// An engine whose graph is in place, and whose threads do not run yet.
pub(crate) struct Assembly {
    pub(crate) control: Control,
    /// By thread; main first.
    pub(crate) threads: Vec<ThreadSpec>,
    pub(crate) services: Services,
    pub(crate) on_start: Vec<Hook>,
    pub(crate) on_stop: Vec<Hook>,
}

/// What features registered for the servers.
pub(crate) struct Services {
    pub(crate) servers: Servers,
    pub(crate) features: Vec<About>,
    pub(crate) warnings: Vec<Warning>,
}

/// A thread's share, ready to be sent there.
pub(crate) struct ThreadSpec {
    parts: Parts,
    mailbox: Mailbox,
    inbox: Inbox,
    row: Arc<ThreadRow>,
    failures: Sender<Failed>,
}

impl ThreadSpec {
    /// The unit that the thread's scheduler runs. Called on the thread.
    pub(crate) fn unit(self, reactor: Option<Reactor>, slice: Slice) -> PacketUnit {
        let thread = ThreadPackets::new(WorkerPackets::new(self.parts), reactor);
        PacketUnit::new(
            thread,
            self.mailbox,
            self.inbox,
            self.row,
            slice,
            self.failures,
        )
    }
}

impl Plan {
    /// Builds everything but the threads. `last` may add to what the features registered.
    pub(crate) fn assemble(
        self,
        last: impl FnOnce(&mut EngineBuilder) -> Result<(), RegisterError>,
    ) -> Result<Assembly, BuildError> {
        let settings = Rc::new(self.settings);
        let mut segment_config = SegmentConfig::for_threads(self.threads);
        if let Some(size) = settings.statseg.size {
            segment_config.size = size;
        }
        segment_config.pages = match settings.statseg.page_size {
            PageSize::Default => barrow_stats::Pages::Normal,
            PageSize::DefaultHuge | PageSize::Bytes(_) => barrow_stats::Pages::PreferHuge,
        };
        let segment = Segment::new(&segment_config)?;
        let pool = pool(&settings)?;
        let entries = collector::Entries::new(&segment, self.threads)?;
        let errors = ErrorTable::new(&segment, self.threads)?;
        let ids = Arc::<Ids>::default();
        let interrupts: Vec<_> = (0..self.threads)
            .map(|_| Arc::new(Interrupts::default()))
            .collect();
        interrupts
            .iter()
            .for_each(|bell| self.clock.add_bell(bell.clone()));
        let control = Control(Rc::new(Shared {
            nodes: Default::default(),
            live: Default::default(),
            groups: Default::default(),
            errors,
            arcs: ArcTable::default(),
            trace: TraceControl::new(ids.clone()),
            punt: PuntTable::new(&segment)?,
            mailboxes: interrupts
                .iter()
                .map(|bell| Mailbox::new(bell.clone()))
                .collect(),
            thread_rows: interrupts.iter().map(|_| Arc::default()).collect(),
            segment,
            log: self.log,
            clock: self.clock,
            spawner: self.spawner,
            outlet: Outlet::new(PacketCache::new(&pool)),
            pool,
            tables: Default::default(),
            hooks: Default::default(),
            cleared: Default::default(),
            watches: Default::default(),
        }));
        let own_arcs = OwnArcs {
            drop: control.arcs().add("error-drop", &["error-drop"], "drop")?,
            punt: control.arcs().add("error-punt", &["error-punt"], "punt")?,
        };
        let own = disposition::register(&control, own_arcs)?;
        let statseg = &settings.statseg;
        let (interval, per_node) = (statseg.update_interval, statseg.per_node_counters);
        let mut collector = Some(Collector::new(&control, entries, interval, per_node)?);
        control.add_process(Restart::Never, move || {
            collector
                .take()
                .expect("a node that is never restarted is made once")
        })?;

        let (failures, reports) = channel::bounded(MOST_REPORTS);
        let mut supervisor = Some(Supervisor {
            control: control.clone(),
            reports,
        });
        control.add_process(Restart::Never, move || {
            supervisor
                .take()
                .expect("a node that is never restarted is made once")
        })?;
        watchdog::start(&control);
        control.spawner().extensions().insert(Packets::of(&control));

        let prefix = settings.cpu.thread_prefix.clone();
        let mut builder = EngineBuilder::new(control.clone(), settings);
        let failed = |error: DuplicateCommand| BuildError::Feature {
            feature: "engine".to_owned(),
            error: error.into(),
        };
        commands::register(&mut builder.cli, &control, &prefix).map_err(failed)?;
        for feature in self.features {
            let about = feature.about();
            let name = about.name.clone();
            builder.features.push(about);
            let failed = |error| BuildError::Feature {
                feature: name,
                error,
            };
            feature.register(&mut builder).map_err(failed)?;
        }
        let failed = |error| BuildError::Feature {
            feature: "engine".to_owned(),
            error,
        };
        last(&mut builder).map_err(failed)?;
        let servers = Own::new(&builder.settings, self.identity);
        servers
            .register(&mut builder)
            .map_err(|error| BuildError::Feature {
                feature: "servers".to_owned(),
                error,
            })?;
        let EngineBuilder {
            mut config,
            cli,
            api,
            clients,
            arc_features,
            features,
            on_start,
            on_stop,
            settings,
            ..
        } = builder;
        let warnings = apply(&mut config, self.config.as_ref())?;
        let services = Services {
            servers: servers.build(cli, api, clients, settings, control.clone()),
            features,
            warnings,
        };

        let known = |name: &str| control.node_by_name(name);
        for warning in control.arcs().resolve(&arc_features, known)? {
            control
                .log()
                .class("feature")
                .warning(format_args!("{warning}"));
        }
        control.go_live()?;
        let mut threads = Vec::new();
        for (thread, Links { outbox, inbox }) in wire(&interrupts).into_iter().enumerate() {
            let (log, reader): (Log, LogReader) = Log::new(ids.clone());
            control.trace().add_log(reader);
            let (heap, published) = control.arcs().shared();
            let parts = Parts {
                thread,
                clock: control.clock().between_turns(),
                cache: PacketCache::new(control.pool()),
                errors: control
                    .0
                    .errors
                    .row(thread)
                    .expect("a row a thread was made"),
                heap,
                published,
                log,
                outbox,
                own,
            };
            let mailbox = control.0.mailboxes[thread].clone();
            let row = control.0.thread_rows[thread].clone();
            threads.push(ThreadSpec {
                parts,
                mailbox,
                inbox,
                row,
                failures: failures.clone(),
            });
        }
        Ok(Assembly {
            control,
            threads,
            services,
            on_start,
            on_stop,
        })
    }
}

fn apply(
    registry: &mut ConfigRegistry,
    config: Option<&Config>,
) -> Result<Vec<Warning>, ConfigError> {
    config.map_or_else(|| Ok(Vec::new()), |config| registry.apply(config))
}

/// The packet pool that the settings ask for.
fn pool(settings: &Settings) -> Result<Pool<PacketHeader>, PoolError> {
    let defaults = buf::Config::default();
    Pool::new(buf::Config {
        buffers: settings
            .buffers
            .buffers_per_numa
            .unwrap_or(defaults.buffers),
        data_size: settings
            .buffers
            .data_size
            .map_or(defaults.data_size, |size| size as usize),
        pages: Pages::HugeIfAvailable,
        populate: false,
    })
}
