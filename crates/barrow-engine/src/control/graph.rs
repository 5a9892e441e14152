//! Adding, joining and removing nodes.

use super::Control;
use crate::node::table::{Entry, Factory, Next, Registration};
use crate::node::{
    InputMode, InputNode, InputSlot, Interrupt, Line, NodeError, NodeId, NodeInfo, NodeKind,
    NodeOptions, NodeThread, PacketNode, PacketSlot, RuntimeRow,
};
use crate::trace::Arm;
use crate::worker::Command;
use barrow_core::{ErrorCounters, NextNodes, ProcessNode, Restart};
use std::rc::Rc;
use std::sync::Arc;

impl Control {
    /// Adds a packet node; `make` makes one instance a thread, on this thread. Once the engine runs, each
    /// thread has its instance before its next turn.
    ///
    /// # Errors
    /// When the name is taken or bad, a next node does not exist, or an index or counter is not to be had.
    pub fn add_node<N: PacketNode>(
        &self,
        options: impl Into<NodeOptions>,
        make: impl Fn(NodeThread) -> N + 'static,
    ) -> Result<NodeId, NodeError> {
        let factory: Factory =
            Rc::new(move |thread, meta| Box::new(PacketSlot::new(make(thread), meta)));
        self.register(Registration {
            options: options.into(),
            kind: NodeKind::Internal,
            nexts: N::NextNodes::NAMES,
            counters: N::Errors::COUNTERS,
            factory: Some(factory),
        })
    }

    /// Adds an input node, as [`add_node`](Self::add_node) adds a packet node.
    ///
    /// # Errors
    /// As there.
    pub fn add_input_node<N: InputNode>(
        &self,
        options: impl Into<NodeOptions>,
        make: impl Fn(NodeThread) -> N + 'static,
    ) -> Result<NodeId, NodeError> {
        let factory: Factory =
            Rc::new(move |thread, meta| Box::new(InputSlot::new(make(thread), meta)));
        self.register(Registration {
            options: options.into(),
            kind: NodeKind::Input,
            nexts: N::NextNodes::NAMES,
            counters: N::Errors::COUNTERS,
            factory: Some(factory),
        })
    }

    /// Adds a process node and starts it on this thread; `make` makes it for the start and each restart.
    ///
    /// # Errors
    /// As [`add_node`](Self::add_node).
    #[track_caller]
    pub fn add_process<N: ProcessNode>(
        &self,
        restart: Restart,
        make: impl FnMut() -> N + 'static,
    ) -> Result<NodeId, NodeError> {
        let name = N::NAME
            .to_str()
            .map_err(|_| NodeError::BadName(format!("{:?}", N::NAME)))?;
        let id = self.register(Registration {
            options: NodeOptions::new(name),
            kind: NodeKind::Process,
            nexts: N::NextNodes::NAMES,
            counters: N::Errors::COUNTERS,
            factory: None,
        })?;
        let (unit, status) = self.0.spawner.add_process(restart, make);
        if let Some(entry) = self.0.nodes.borrow_mut().get_mut(id) {
            entry.process = Some(status);
            entry.unit = Some(unit);
        }
        Ok(id)
    }

    /// Removes a node. Packets that are on their way to it, or sent there by those who still know its
    /// index, are dropped and counted by `null-node`; a process node is dropped where it waits.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn remove_node(&self, node: NodeId) -> Result<(), NodeError> {
        let edges = self.edges_of(node);
        let entry = self.0.nodes.borrow_mut().remove(node);
        let entry = entry.ok_or_else(|| NodeError::Unknown(node.to_string()))?;
        self.0.trace.remove_arm(node);
        self.0.errors.release(entry.errors, entry.counters.len());
        if let Some(unit) = entry.unit {
            self.0.spawner.remove(unit);
        }
        if entry.factory.is_some() && self.0.live.get() {
            self.on_every_thread(|_| {
                let edges = edges.clone();
                Box::new(move |thread| thread.remove(node, &edges))
            });
        }
        Ok(())
    }

    /// Gives a node another name: in listings, in the statistics segment, and for
    /// [`node_by_name`](Self::node_by_name). Arcs know their nodes by the names they were registered with,
    /// so only a node that is on none is to be renamed.
    ///
    /// # Errors
    /// When there is no such node, or the name is bad or taken by another node.
    pub fn rename_node(&self, node: NodeId, name: &str) -> Result<(), NodeError> {
        let (first, counters) = {
            let mut nodes = self.0.nodes.borrow_mut();
            let missing = || NodeError::Unknown(node.to_string());
            let entry = nodes.get(node).ok_or_else(missing)?;
            if &*entry.name == name {
                return Ok(());
            }
            let counters = (entry.errors, entry.counters.len());
            nodes.check_name(name)?;
            nodes.rename(node, name).ok_or_else(missing)?;
            counters
        };
        Ok(self.0.errors.rename(first, counters, name)?)
    }

    /// Every edge from or to a node.
    fn edges_of(&self, node: NodeId) -> Arc<[(NodeId, NodeId)]> {
        let Some(info) = self.node(node) else {
            return Arc::default();
        };
        let out = info
            .nexts
            .iter()
            .filter_map(|(_, next)| Some((node, (*next)?)));
        let back = info.previous.iter().map(|from| (*from, node));
        out.chain(back).collect()
    }

    /// Makes `to` a next node of `from` (and its siblings); returns its slot, the old one if it was there.
    ///
    /// # Errors
    /// When one of them does not exist.
    pub fn connect(&self, from: NodeId, to: NodeId) -> Result<usize, NodeError> {
        let added = self.0.nodes.borrow_mut().add_next(from, to);
        let (slot, nodes) = added.ok_or_else(|| {
            let missing = if self.node(from).is_some() { to } else { from };
            NodeError::Unknown(missing.to_string())
        })?;
        if self.0.live.get() && !nodes.is_empty() {
            let nodes: Arc<[NodeId]> = nodes.into();
            self.on_every_thread(|_| {
                let nodes = nodes.clone();
                Box::new(move |thread| nodes.iter().for_each(|from| thread.connect(*from, to)))
            });
        }
        Ok(slot)
    }

    /// The node of this name.
    #[must_use]
    pub fn node_by_name(&self, name: &str) -> Option<NodeId> {
        self.0.nodes.borrow().id(name)
    }

    /// What there is to know of a node; `None` if there is none.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<NodeInfo> {
        self.0.nodes.borrow().info(node)
    }

    /// A node's name; the empty text if there is none.
    #[must_use]
    pub fn node_name(&self, node: NodeId) -> Rc<str> {
        self.0
            .nodes
            .borrow()
            .get(node)
            .map_or_else(|| "".into(), |entry| entry.name.clone())
    }

    /// All nodes, by index.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeInfo> {
        let nodes = self.0.nodes.borrow();
        nodes.iter().filter_map(|(id, _)| nodes.info(id)).collect()
    }

    /// What makes an input node ready on a thread, from anywhere.
    #[must_use]
    pub fn interrupt(&self, thread: usize, node: NodeId) -> Option<Interrupt> {
        let slot = self.0.nodes.borrow().get(node)?.input?;
        let interrupts = self.0.mailboxes.get(thread)?.interrupts().clone();
        Some(Interrupt::new(node, slot, interrupts))
    }

    /// Sets when an input node runs on a thread.
    pub fn set_input_mode(&self, thread: usize, node: NodeId, mode: InputMode) {
        let nodes = self.0.nodes.borrow();
        if let Some(line) = nodes.get(node).and_then(|entry| entry.modes.get(thread)) {
            line.set(mode);
            self.on_thread(thread, move |thread| thread.wake(node));
        }
    }

    fn register(&self, registration: Registration) -> Result<NodeId, NodeError> {
        let Registration {
            options,
            kind,
            nexts,
            counters,
            factory,
        } = registration;
        let name = &options.name;
        self.0.nodes.borrow().check_name(name)?;
        let live = self.0.live.get();
        let nexts = nexts.iter().map(|next| next.to_string_lossy().into_owned());
        let mut nexts: Vec<_> = nexts.map(|name| Next { name, node: None }).collect();
        let declared: Arc<[_]> = nexts.iter().map(|_| Line::new(NodeId::NULL)).collect();
        if live {
            let nodes = self.0.nodes.borrow();
            for next in &mut nexts {
                next.node = nodes.id(&next.name);
                if next.node.is_none() && next.name != *name && !options.lazy_nexts {
                    let (node, next) = (name.clone(), next.name.clone());
                    return Err(NodeError::UnknownNext { node, next });
                }
            }
        }
        let family = self.family(&options, &mut nexts)?;
        let input = match kind {
            NodeKind::Input => Some(
                self.0
                    .nodes
                    .borrow_mut()
                    .input_slot()
                    .ok_or(NodeError::Full)?,
            ),
            NodeKind::Internal | NodeKind::Process => None,
        };
        let errors = self.0.errors.allocate(name, counters)?;
        let arm = Arc::new(Arm::default());
        let threads = self.thread_count();
        let has_instances = factory.is_some();
        let id = self.0.nodes.borrow_mut().insert(Entry {
            name: name.as_str().into(),
            kind,
            role: options.role,
            modes: (0..threads)
                .map(|_| Arc::new(Line::new(options.mode)))
                .collect(),
            lazy_nexts: options.lazy_nexts,
            nexts,
            declared,
            family: NodeId::NONE,
            errors,
            counters,
            factory,
            rows: (0..threads)
                .map(|_| Arc::new(RuntimeRow::default()))
                .collect(),
            arm: arm.clone(),
            input,
            process: None,
            unit: None,
            cleared: Vec::new(),
        })?;
        if let Some(entry) = self.0.nodes.borrow_mut().get_mut(id) {
            entry.family = family.unwrap_or(id);
            for slot in 0..entry.nexts.len() {
                entry.set_next(slot, entry.nexts[slot].node);
            }
        }
        if has_instances {
            self.0.trace.add_arm(id, arm);
        }
        if live {
            self.place(id);
            self.resolve_lazy();
        }
        Ok(id)
    }

    /// The family of a node that is to be a sibling, whose next nodes it then has too.
    fn family(
        &self,
        options: &NodeOptions,
        nexts: &mut Vec<Next>,
    ) -> Result<Option<NodeId>, NodeError> {
        let Some(sibling) = &options.sibling_of else {
            return Ok(None);
        };
        let nodes = self.0.nodes.borrow();
        let entry = nodes.id(sibling).and_then(|id| nodes.get(id));
        let entry = entry.ok_or_else(|| NodeError::UnknownSibling {
            node: options.name.clone(),
            sibling: sibling.clone(),
        })?;
        nexts.extend(entry.nexts.iter().skip(nexts.len()).cloned());
        Ok(Some(entry.family))
    }

    /// Finds the nodes behind next slots that had none so far, and tells the threads.
    fn resolve_lazy(&self) {
        let found = self.0.nodes.borrow().resolvable();
        for (from, slot, to) in found {
            if let Some(entry) = self.0.nodes.borrow_mut().get_mut(from) {
                entry.set_next(slot, Some(to));
            }
            self.on_every_thread(|_| Box::new(move |thread| thread.connect(from, to)));
        }
    }

    /// Gives each thread its instance of a node.
    fn place(&self, id: NodeId) {
        self.on_every_thread(|thread| self.placing(thread, id));
    }

    /// Gives a thread a fresh instance of a node that panicked there, if the node still exists.
    pub(crate) fn revive(&self, thread: usize, id: NodeId) {
        self.on_thread(thread, self.placing(thread, id));
    }

    fn placing(&self, thread: usize, id: NodeId) -> Command {
        let nodes = self.0.nodes.borrow();
        let entry = nodes.get(id);
        let at = self.node_thread(thread, id);
        let instance = entry.and_then(|entry| entry.instance(id, at));
        let input = entry.and_then(|entry| entry.input);
        let placement = entry.and_then(|entry| entry.placement(thread));
        let nexts: Vec<_> = entry
            .into_iter()
            .flat_map(|e| &e.nexts)
            .filter_map(|next| next.node)
            .collect();
        Box::new(move |thread| {
            let (Some(instance), Some(placement)) = (instance, placement) else {
                return;
            };
            thread.place(id, instance, placement, input);
            nexts.iter().for_each(|next| thread.connect(id, *next));
        })
    }

    pub(super) fn node_thread(&self, thread: usize, node: NodeId) -> NodeThread {
        NodeThread {
            thread,
            threads: self.thread_count(),
            node,
            interrupt: self.interrupt(thread, node),
        }
    }

    /// Puts the noted graph in place; from now on changes take effect at once.
    pub(crate) fn go_live(&self) -> Result<(), NodeError> {
        let unresolved = {
            let mut nodes = self.0.nodes.borrow_mut();
            for (from, slot, to) in nodes.resolvable() {
                if let Some(entry) = nodes.get_mut(from) {
                    entry.set_next(slot, Some(to));
                }
            }
            let strict = nodes.iter().filter(|(_, entry)| !entry.lazy_nexts);
            let mut missing = strict.flat_map(|(_, entry)| {
                let nexts = entry.nexts.iter().filter(|next| next.node.is_none());
                nexts.map(|next| (entry.name.to_string(), next.name.clone()))
            });
            missing.next()
        };
        if let Some((node, next)) = unresolved {
            return Err(NodeError::UnknownNext { node, next });
        }
        self.0.live.set(true);
        let ids: Vec<_> = self.0.nodes.borrow().iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.place(id));
        let edges: Arc<[(NodeId, NodeId)]> = {
            let nodes = self.0.nodes.borrow();
            let edges = self.0.arcs.edges();
            edges
                .iter()
                .filter_map(|(from, to)| Some((nodes.id(from)?, nodes.id(to)?)))
                .collect()
        };
        self.on_every_thread(|_| {
            let edges = edges.clone();
            Box::new(move |thread| {
                edges
                    .iter()
                    .for_each(|(from, to)| thread.connect(*from, *to))
            })
        });
        self.place_groups()
    }
}
