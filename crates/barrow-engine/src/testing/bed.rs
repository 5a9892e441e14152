//! The testbed: build, inject, run, look.

use super::TestPacket;
use super::client::Frontend;
use super::sink::{Captured, Caught};
use crate::assembly::{Assembly, Hook, Plan};
use crate::cli::{CliRegistry, Identity};
use crate::clock::NodeClock;
use crate::config::{Config, Settings};
use crate::control::Control;
use crate::feature::{AnyFeature, Feature, RegisterError};
use crate::frame::Frame;
use crate::log::{Logger, NullSink};
use crate::node::NodeId;
use crate::packet::PacketCache;
use crate::servers::Servers;
use crate::worker::Slice;
use crate::{BuildError, EngineBuilder};
use barrow_core::{Extensions, Instant, Next, Scheduler};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

type Register = Box<dyn FnOnce(&mut EngineBuilder) -> Result<(), RegisterError>>;

/// What a testbed is to be.
#[must_use]
#[derive(Default)]
pub struct TestbedBuilder {
    settings: Settings,
    config: Option<Config>,
    features: Vec<Box<dyn AnyFeature>>,
    register: Vec<Register>,
    sinks: Vec<String>,
    workers: usize,
}

/// Rounds after which [`Testbed::run`] gives up waiting for quiet: some input polls for ever.
const MOST_ROUNDS: usize = 10_000;

/// Calls of units in one round and thread.
const BUDGET: u32 = 64;

/// An engine that a test turns by hand.
pub struct Testbed {
    control: Control,
    servers: Servers,
    pub(super) frontend: Frontend,
    schedulers: Vec<Scheduler>,
    cache: PacketCache,
    sinks: BTreeMap<String, Caught>,
    on_stop: Vec<Hook>,
}

impl TestbedBuilder {
    /// Adds a feature.
    pub fn feature(mut self, feature: impl Feature + 'static) -> Self {
        self.features.push(Box::new(feature));
        self
    }

    /// Registers what a test needs beside features.
    pub fn register(
        mut self,
        register: impl FnOnce(&mut EngineBuilder) -> Result<(), RegisterError> + 'static,
    ) -> Self {
        self.register.push(Box::new(register));
        self
    }

    /// Adds a sink. Next nodes and arc ends that nobody registers become sinks without being named.
    pub fn sink(mut self, name: &str) -> Self {
        self.sinks.push(name.to_owned());
        self
    }

    /// So many threads beside main; all of them are turned by the test.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// The engine's start-up settings; their workers are ignored.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The configuration that features read their sections from.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Builds it, and runs until all is quiet.
    ///
    /// # Errors
    /// As [`Builder::build`](crate::Builder::build).
    pub fn build(self) -> Result<Testbed, BuildError> {
        let schedulers: Vec<_> = (0..=self.workers)
            .map(|_| Scheduler::new((), Extensions::new()))
            .collect();
        let clock = NodeClock::simulated();
        let plan = Plan {
            settings: self.settings.clone(),
            config: self.config,
            features: self.features,
            threads: schedulers.len(),
            clock: clock.clone(),
            spawner: schedulers[0].spawner(),
            log: Logger::new(self.settings.logging.clone(), || Duration::ZERO, NullSink),
            identity: Identity::of_this_build(1),
        };
        let mut sinks = BTreeMap::new();
        let (register, named) = (self.register, self.sinks);
        let assembly = plan.assemble(|engine| {
            register
                .into_iter()
                .try_for_each(|register| register(engine))?;
            let mut names = named;
            names.extend(missing(engine));
            for name in names {
                if sinks.contains_key(&name) {
                    continue;
                }
                let caught = Caught::default();
                let node = caught.clone();
                engine.node(name.as_str(), move |_| node.node())?;
                sinks.insert(name, caught);
            }
            Ok(())
        })?;
        let Assembly {
            control,
            threads,
            services,
            on_start,
            on_stop,
        } = assembly;
        let mut schedulers = schedulers;
        for (scheduler, thread) in schedulers.iter_mut().zip(threads) {
            scheduler.add(thread.unit(None, Slice::Turn));
        }
        let cache = PacketCache::new(control.pool());
        let mut bed = Testbed {
            control,
            frontend: Frontend::new(
                services.servers.api().table.clone(),
                services.servers.api().clients.clone(),
            ),
            servers: services.servers,
            schedulers,
            cache,
            sinks,
            on_stop,
        };
        on_start.into_iter().for_each(|hook| hook(&bed.control));
        bed.run();
        Ok(bed)
    }
}

/// Nodes that are named as next nodes or on arcs, and that nobody registered.
fn missing(engine: &EngineBuilder) -> Vec<String> {
    let control = engine.control();
    let nexts = control
        .nodes()
        .into_iter()
        .flat_map(|node| node.nexts)
        .map(|(name, _)| name);
    let ends = control.arcs().list().into_iter().map(|arc| arc.end);
    let on_arcs = engine
        .arc_features
        .iter()
        .map(|feature| feature.node.clone());
    let names = nexts.chain(ends).chain(on_arcs);
    names
        .filter(|name| control.node_by_name(name).is_none())
        .collect()
}

impl Testbed {
    /// What a testbed is to be.
    pub fn builder() -> TestbedBuilder {
        TestbedBuilder::default()
    }

    /// A testbed of one thread with what `register` registers.
    ///
    /// # Panics
    /// When it cannot be built.
    #[must_use]
    pub fn with(
        register: impl FnOnce(&mut EngineBuilder) -> Result<(), RegisterError> + 'static,
    ) -> Self {
        Self::builder()
            .register(register)
            .build()
            .expect("the test registers a graph with sense")
    }

    /// The running node.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// All commands.
    #[must_use]
    pub fn cli(&self) -> &Rc<CliRegistry> {
        &self.servers.cli().registry
    }

    /// Its servers, which serve no socket.
    #[must_use]
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// What a feature provided.
    ///
    /// # Panics
    /// When none did.
    #[must_use]
    pub fn table<T: Clone + 'static>(&self) -> T {
        self.control
            .table()
            .expect("a feature of the test provides it")
    }

    /// The node of this name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn node(&self, name: &str) -> NodeId {
        self.control
            .node_by_name(name)
            .unwrap_or_else(|| panic!("no node {name}"))
    }

    /// Puts a packet into a node of thread 0; [`run`](Self::run) dispatches it.
    pub fn inject(&mut self, node: &str, packet: impl Into<TestPacket>) {
        self.inject_on(0, node, [packet.into()]);
    }

    /// Puts packets into a node of thread 0.
    pub fn inject_all<P: Into<TestPacket>>(
        &mut self,
        node: &str,
        packets: impl IntoIterator<Item = P>,
    ) {
        self.inject_on(0, node, packets);
    }

    /// Puts packets into a node of any thread, in vectors as long as possible.
    pub fn inject_on<P: Into<TestPacket>>(
        &mut self,
        thread: usize,
        node: &str,
        packets: impl IntoIterator<Item = P>,
    ) {
        let node = self.node(node);
        let mut frame = Frame::new();
        for packet in packets {
            if frame.room() == 0 {
                self.send(thread, node, std::mem::take(&mut frame));
            }
            let buffer = packet.into().make(&mut self.cache);
            frame.push(buffer).expect("there is room");
        }
        self.send(thread, node, frame);
    }

    fn send(&self, thread: usize, node: NodeId, mut frame: Frame) {
        self.control
            .on_thread(thread, move |thread| thread.inject(node, &mut frame));
    }

    /// Turns every thread once; says whether any of them did something.
    pub fn round(&mut self) -> bool {
        let now = self.control.clock().now();
        let mut busy = false;
        for scheduler in &mut self.schedulers {
            let before = scheduler.stats().calls;
            let next = scheduler.turn(now, BUDGET);
            busy |= next == Next::Again || scheduler.stats().calls != before;
        }
        busy
    }

    /// Turns all threads until nothing is left to do now, or some input has polled for long.
    pub fn run(&mut self) {
        for _ in 0..MOST_ROUNDS {
            if !self.round() {
                return;
            }
        }
    }

    /// Moves the clock forward, stopping wherever a timer is due on the way.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now() + by;
        loop {
            self.run();
            let now = self.now();
            let due = self
                .schedulers
                .iter()
                .filter_map(|s| s.timers().next_deadline())
                .min();
            let next = due.map_or(end, |due| due.clamp(now, end));
            self.control.clock().adjust(next - now);
            if next == end {
                return self.run();
            }
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.control.clock().now()
    }

    /// Takes what reached a sink since the last call, in order.
    ///
    /// # Panics
    /// When there is no such sink.
    pub fn take(&mut self, sink: &str) -> Vec<Captured> {
        self.sinks
            .get(sink)
            .unwrap_or_else(|| panic!("no sink {sink}"))
            .take()
    }

    /// An error counter, summed over all threads.
    ///
    /// # Panics
    /// When the node has no counter of this name.
    #[must_use]
    pub fn error(&self, node: &str, name: &str) -> u64 {
        let value = self.control.errors().get(node, name);
        value.unwrap_or_else(|| panic!("no counter {name} of {node}"))
    }

    /// All traces as `show trace` prints them.
    #[must_use]
    pub fn traces(&self) -> Vec<String> {
        let name = |node| self.control.node_name(node).to_string();
        let packets = self.control.trace().packets();
        let text = |packet: &crate::TracedPacket| {
            let mut text = String::new();
            packet
                .write(&mut text, name)
                .expect("a string takes everything");
            text
        };
        packets.iter().map(text).collect()
    }

    /// Buffers that are neither free nor in a cache.
    #[must_use]
    pub fn buffers_in_use(&self) -> usize {
        self.control.pool().stats().owned
    }

    /// Checks that every buffer is back in the pool, and that no node left packets in its vector.
    ///
    /// # Panics
    /// When one is not.
    pub fn assert_conserved(&self) {
        assert_eq!(self.buffers_in_use(), 0, "buffers that nobody gave back");
        assert_eq!(
            self.error("null-node", "left in vector"),
            0,
            "packets left in a vector"
        );
        let audit = self.control.pool().audit();
        assert_eq!((audit.duplicates, audit.foreign), (0, 0), "{audit:?}");
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        self.on_stop
            .drain(..)
            .rev()
            .for_each(|hook| hook(&self.control));
    }
}

impl fmt::Debug for TestbedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestbedBuilder")
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Testbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Testbed")
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}
