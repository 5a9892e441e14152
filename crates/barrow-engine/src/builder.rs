//! What features register with.

use crate::api::{ApiLimits, ApiRegistry, Clients};
use crate::arc::{ArcHandle, Constraint, FeatureSpec};
use crate::assembly::Hook;
use crate::cli::CliRegistry;
use crate::config::{ConfigRegistry, Settings};
use crate::control::Control;
use crate::feature::{About, RegisterError};
use crate::fuse::FusedGroup;
use crate::log::Class;
use crate::node::{InputNode, NodeId, NodeOptions, NodeThread, PacketNode};
use crate::running_config::{ConfigWriters, RunningConfig};
use barrow_core::{ProcessNode, Restart};
use barrow_stats::{Segment, SimpleCounters};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// An engine that is being put together: what [`Feature::register`](crate::Feature::register) gets.
///
/// Start-up settings are known by now, threads and packets do not exist yet. Names of next nodes and
/// arcs are resolved when all features have registered, so the order matters for tables only.
pub struct EngineBuilder {
    control: Control,
    pub(crate) settings: Rc<Settings>,
    pub(crate) config: ConfigRegistry,
    pub(crate) cli: CliRegistry,
    pub(crate) api: ApiRegistry,
    pub(crate) clients: Clients,
    pub(crate) arc_features: Vec<FeatureSpec>,
    pub(crate) features: Vec<About>,
    pub(crate) config_writers: ConfigWriters,
    pub(crate) on_start: Vec<Hook>,
    pub(crate) on_stop: Vec<Hook>,
}

impl EngineBuilder {
    pub(crate) fn new(control: Control, settings: Rc<Settings>) -> Self {
        let limits = Rc::new(ApiLimits::from(&settings.socksvr));
        let clients = Clients::new(limits, Rc::default());
        Self {
            control,
            settings,
            config: ConfigRegistry::default(),
            cli: CliRegistry::default(),
            api: ApiRegistry::new(clients.clone(), barrow_messages::catalogue()),
            clients,
            arc_features: Vec::new(),
            features: Vec::new(),
            config_writers: ConfigWriters::default(),
            on_start: Vec::new(),
            on_stop: Vec::new(),
        }
    }

    /// Adds a packet node; `make` makes one instance a thread.
    ///
    /// # Errors
    /// See [`Control::add_node`].
    pub fn node<N: PacketNode>(
        &mut self,
        options: impl Into<NodeOptions>,
        make: impl Fn(NodeThread) -> N + 'static,
    ) -> Result<NodeId, RegisterError> {
        Ok(self.control.add_node(options, make)?)
    }

    /// Adds an input node; `make` makes one instance a thread.
    ///
    /// # Errors
    /// See [`Control::add_input_node`].
    pub fn input_node<N: InputNode>(
        &mut self,
        options: impl Into<NodeOptions>,
        make: impl Fn(NodeThread) -> N + 'static,
    ) -> Result<NodeId, RegisterError> {
        Ok(self.control.add_input_node(options, make)?)
    }

    /// Adds a process node; it starts with the engine.
    ///
    /// # Errors
    /// See [`Control::add_process`].
    #[track_caller]
    pub fn process<N: ProcessNode>(
        &mut self,
        restart: Restart,
        make: impl FnMut() -> N + 'static,
    ) -> Result<NodeId, RegisterError> {
        Ok(self.control.add_process(restart, make)?)
    }

    /// Makes a group of nodes that may run as one, in the place of the first of `nodes`; `make` makes one
    /// instance a thread. A group makes nothing that its nodes would not make.
    ///
    /// The nodes may be registered later; without one of them the node does not start.
    pub fn fuse<G: FusedGroup>(
        &mut self,
        name: &str,
        nodes: &[&str],
        make: impl Fn(NodeThread) -> G + 'static,
    ) {
        self.control.add_group(name, nodes, make);
    }

    /// Makes a feature arc that begins in any of `starts` and ends in `end`.
    ///
    /// # Errors
    /// When there is one of this name.
    pub fn arc(
        &mut self,
        name: &str,
        starts: &[&str],
        end: &str,
    ) -> Result<ArcHandle, RegisterError> {
        Ok(self.control.arcs().add(name, starts, end)?)
    }

    /// Makes a node a feature of an arc, which may be registered later. It is off until switched on
    /// ([`ArcTable::enable`](crate::ArcTable::enable)).
    pub fn feature_on_arc(
        &mut self,
        arc: &str,
        node: &str,
        constraints: impl IntoIterator<Item = Constraint>,
    ) {
        self.arc_features.push(FeatureSpec {
            arc: arc.to_owned(),
            node: node.to_owned(),
            constraints: constraints.into_iter().collect(),
        });
    }

    /// Messages of the binary API.
    pub fn api(&mut self) -> &mut ApiRegistry {
        &mut self.api
    }

    /// Who is connected to the binary API.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Commands.
    pub fn cli(&mut self) -> &mut CliRegistry {
        &mut self.cli
    }

    /// Sections of the start-up configuration.
    pub fn config(&mut self) -> &mut ConfigRegistry {
        &mut self.config
    }

    /// Adds what `show configuration` prints: `write` gives the commands that make the feature's state again.
    pub fn running_config(&mut self, write: impl Fn(&mut RunningConfig) + 'static) {
        self.config_writers.add(write);
    }

    /// The statistics segment. [`Segment::threads`] is the number of rows.
    #[must_use]
    pub fn stats(&self) -> &Segment {
        self.control.stats()
    }

    /// The engine's own start-up settings.
    #[must_use]
    pub fn settings(&self) -> &Rc<Settings> {
        &self.settings
    }

    /// The running node. What is sent to threads waits until they exist.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// A log class of the feature's own.
    #[must_use]
    pub fn logger(&self, class: &str) -> Class {
        self.control.log().class(class)
    }

    /// Gives other features a handle of this type.
    ///
    /// # Errors
    /// When another feature gave one.
    pub fn provide<T: Clone + 'static>(&mut self, table: T) -> Result<(), RegisterError> {
        self.control.0.tables.insert(table)
    }

    /// The handle that a feature registered earlier gave.
    ///
    /// # Errors
    /// When none did.
    pub fn table<T: Clone + 'static>(&self) -> Result<T, RegisterError> {
        let missing = || RegisterError::MissingTable(std::any::type_name::<T>());
        self.control.table().ok_or_else(missing)
    }

    /// Counts dropped packets by the interface they came in on.
    pub fn count_drops(&mut self, counters: SimpleCounters) {
        self.control.0.hooks.borrow_mut().drops = Some(counters);
    }

    /// Counts punted packets by the interface they came in on.
    pub fn count_punts(&mut self, counters: SimpleCounters) {
        self.control.0.hooks.borrow_mut().punts = Some(counters);
    }

    /// Names interfaces in the engine's trace records.
    pub fn name_interfaces(&mut self, name: impl Fn(u32) -> String + Send + Sync + 'static) {
        self.control.0.hooks.borrow_mut().interface_name = Some(Arc::new(name));
    }

    /// Runs `hook` on the main thread when the graph is in place, before the first packet. Hooks run in the
    /// order of registration.
    pub fn on_start(&mut self, hook: impl FnOnce(&Control) + 'static) {
        self.on_start.push(Box::new(hook));
    }

    /// Runs `hook` on the main thread when the engine ends, after the last packet, latest first.
    pub fn on_stop(&mut self, hook: impl FnOnce(&Control) + 'static) {
        self.on_stop.push(Box::new(hook));
    }

    /// The features that have registered so far, this one included.
    #[must_use]
    pub fn features(&self) -> &[About] {
        &self.features
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("control", &self.control)
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}
