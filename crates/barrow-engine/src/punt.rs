//! Packets that are for somebody else: counted by reason, handed to whoever registered, else dropped.
//!
//! A node punts with [`PuntReason::punt`], which is two stores. `punt-dispatch` counts packets and bytes in
//! `/net/punt` and hands each to the nodes registered for its reason; the first gets the packet, others a
//! copy. The registrations are read through a snapshot, taken once a vector.

use crate::arc::ArcHandle;
use crate::context::PacketContext;
use crate::frame::Vector;
use crate::node::{NodeId, PacketNode};
use crate::packet::Packet;
use arc_swap::ArcSwap;
use barrow_core::{ErrorCounters, NoNext};
use barrow_stats::{CombinedCounters, CombinedRow, EntryError, Segment};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Why packets are punted. Made by [`PuntTable::reason`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PuntReason(u32);

impl PuntReason {
    /// The reason's index, as clients see it.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0
    }

    /// Notes the reason in the packet; returns the node to hand it to.
    #[inline]
    pub fn punt(self, packet: &mut Packet<'_>) -> NodeId {
        // A packet that is punted has left its arc, so the word is free.
        packet.feature_position = self.0;
        NodeId::PUNT_DISPATCH
    }
}

#[derive(Debug)]
struct Reason {
    name: String,
    nodes: Vec<NodeId>,
}

type Registrations = Vec<Box<[NodeId]>>;

/// Reasons and registrations; a cheap handle of the main thread.
#[derive(Clone)]
pub struct PuntTable(Rc<Inner>);

struct Inner {
    reasons: RefCell<Vec<Reason>>,
    published: Arc<ArcSwap<Registrations>>,
    counters: CombinedCounters,
}

impl PuntTable {
    pub(crate) fn new(segment: &Segment) -> Result<Self, EntryError> {
        let counters = segment.combined("/net/punt", segment.threads())?;
        let published = Arc::new(ArcSwap::default());
        Ok(Self(Rc::new(Inner {
            reasons: RefCell::default(),
            published,
            counters,
        })))
    }

    /// The reason of this name, made if there is none.
    ///
    /// # Errors
    /// When the statistics segment has no room for its counter.
    pub fn reason(&self, name: &str) -> Result<PuntReason, EntryError> {
        let mut reasons = self.0.reasons.borrow_mut();
        if let Some(known) = reasons.iter().position(|reason| reason.name == name) {
            return Ok(PuntReason(known as u32));
        }
        let index = reasons.len() as u32;
        self.0.counters.ensure(index)?;
        reasons.push(Reason {
            name: name.to_owned(),
            nodes: Vec::new(),
        });
        self.publish(&reasons);
        Ok(PuntReason(index))
    }

    /// Hands packets of a reason to a node from now on, beside those that get them already.
    pub fn register(&self, reason: PuntReason, node: NodeId) {
        let mut reasons = self.0.reasons.borrow_mut();
        let Some(entry) = reasons.get_mut(reason.0 as usize) else {
            return;
        };
        if !entry.nodes.contains(&node) {
            entry.nodes.push(node);
            self.publish(&reasons);
        }
    }

    /// Ends a registration.
    pub fn unregister(&self, reason: PuntReason, node: NodeId) {
        let mut reasons = self.0.reasons.borrow_mut();
        if let Some(entry) = reasons.get_mut(reason.0 as usize) {
            entry.nodes.retain(|other| *other != node);
            self.publish(&reasons);
        }
    }

    /// All reasons: index, name, and the nodes that get their packets.
    #[must_use]
    pub fn list(&self) -> Vec<(PuntReason, String, Vec<NodeId>)> {
        let reasons = self.0.reasons.borrow();
        let list = reasons.iter().enumerate();
        list.map(|(i, r)| (PuntReason(i as u32), r.name.clone(), r.nodes.clone()))
            .collect()
    }

    /// Packets punted for a reason so far.
    #[must_use]
    pub fn count(&self, reason: PuntReason) -> u64 {
        self.0.counters.sum(reason.0).packets
    }

    fn publish(&self, reasons: &[Reason]) {
        let nodes = reasons.iter().map(|reason| reason.nodes.clone().into());
        self.0.published.store(Arc::new(nodes.collect()));
    }

    pub(crate) fn node(&self, thread: usize) -> PuntDispatch {
        PuntDispatch {
            published: self.0.published.clone(),
            row: self.0.counters.row(thread),
        }
    }
}

/// What `punt-dispatch` counts.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum PuntErrors {
    /// Nobody registered.
    #[error_counter(name = "no registrations", description = "No registrations", severity = INFO)]
    NoRegistrations,
    /// The pool was exhausted.
    #[error_counter(name = "replication failure", description = "Replication Failure", severity = WARN)]
    NoBuffer,
}

/// The node `punt-dispatch`.
pub(crate) struct PuntDispatch {
    published: Arc<ArcSwap<Registrations>>,
    row: Option<CombinedRow>,
}

impl PacketNode for PuntDispatch {
    type NextNodes = NoNext;
    type Errors = PuntErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        use crate::packet::BufferExt;
        let registrations = self.published.load();
        for mut buffer in vector.drain() {
            let mut packet = buffer.packet();
            let reason = packet.feature_position;
            if let Some(row) = &self.row {
                row.add2(reason, 1, packet.total_len() as u64);
            }
            cx.trace_with(&packet, || format!("reason: [{reason}]"));
            let nodes = registrations
                .get(reason as usize)
                .map_or(&[][..], |nodes| nodes);
            let Some((first, others)) = nodes.split_first() else {
                cx.error(&mut packet, PuntErrors::NoRegistrations);
                cx.push(buffer, NodeId::ERROR_DROP);
                continue;
            };
            for node in others {
                match packet.duplicate(cx.cache()) {
                    Some(copy) => cx.push(copy, *node),
                    None => cx.count(PuntErrors::NoBuffer, 1),
                }
            }
            cx.push(buffer, *first);
        }
    }
}

/// The arcs of dropped and punted packets, for the engine's own nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnArcs {
    pub(crate) drop: ArcHandle,
    pub(crate) punt: ArcHandle,
}

impl fmt::Debug for PuntTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.reasons.borrow().iter().map(|reason| &reason.name))
            .finish()
    }
}
