//! Where packets end: `error-drop` and `drop`, `error-punt` and `punt`, and `null-node`.
//!
//! A node that drops says why ([`PacketContext::error`]) and hands the packet to `error-drop`. That starts
//! the arc of the same name, on which features may look at what is lost; the arc ends in `drop`, which
//! counts and frees. Punted packets that nobody takes go the same way through `error-punt` and `punt`.

use crate::arc::ArcHandle;
use crate::context::PacketContext;
use crate::control::Control;
use crate::error::ErrorTexts;
use crate::frame::{VECTOR, Vector};
use crate::node::{NodeError, NodeId, NodeOptions, PacketNode, Role};
use crate::packet::Packet;
use crate::punt::OwnArcs;
use crate::worker::OwnErrors;
use barrow_core::{ErrorCounters, NextNodes, NoErrors, NoNext};
use barrow_stats::{SimpleCounters, SimpleRow};
use std::fmt;
use std::sync::Arc;

/// What `null-node` counts: what should not happen.
#[derive(Clone, Copy, Debug, ErrorCounters)]
enum NullErrors {
    /// Number 0 of all counters.
    #[error_counter(name = "blackholed packets", description = "blackholed packets", severity = ERROR)]
    Blackholed,
    #[error_counter(
        name = "left in vector",
        description = "packets left in their vector by a node",
        severity = ERROR
    )]
    Left,
    #[error_counter(
        name = "node gone",
        description = "packets for a node that is gone",
        severity = WARN
    )]
    Stale,
}

/// Frees what it gets. Packets that say why are counted as that, the others as blackholed.
struct NullNode;

impl PacketNode for NullNode {
    type NextNodes = NoNext;
    type Errors = NullErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        cx.count(NullErrors::Blackholed, vector.len() as u64);
        cx.free(vector);
    }
}

#[derive(Clone, Copy, Debug, ErrorCounters)]
enum HandoffErrors {
    #[error_counter(name = "congestion drop", description = "congestion drop", severity = ERROR)]
    Congestion,
}

/// Owns the counter of packets that found the ring to their thread full; no packet goes through it.
struct HandoffNode;

impl PacketNode for HandoffNode {
    type NextNodes = NoNext;
    type Errors = HandoffErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        cx.free(vector);
    }
}

type Namer = Arc<dyn Fn(u32) -> String + Send + Sync>;

/// Trace record of `error-drop`: the interface the packet came in on.
struct Received {
    sw_if_index: u32,
    name: Option<Namer>,
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "rx:{}", name(self.sw_if_index)),
            None => write!(f, "rx:{}", self.sw_if_index),
        }
    }
}

/// Starts the arc of packets that are given up: `error-drop`, `error-punt`.
struct GiveUp<N> {
    arc: ArcHandle,
    name: Option<Namer>,
    next: N,
}

impl<N: NextNodes + Send> PacketNode for GiveUp<N> {
    type NextNodes = N;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Received {
            sw_if_index: packet.rx_sw_if_index,
            name: self.name.clone(),
        });
        let end = cx.next(self.next);
        let mut nexts = [end; VECTOR];
        let nexts = &mut nexts[..vector.len()];
        // One look a run of packets from the same interface.
        let mut last = None;
        for (mut packet, next) in vector.packets().zip(&mut *nexts) {
            let entry = match last {
                Some((interface, entry)) if interface == packet.rx_sw_if_index => entry,
                _ => cx.arc_entry(self.arc, packet.rx_sw_if_index),
            };
            last = Some((packet.rx_sw_if_index, entry));
            *next = cx.arc_begin(entry, &mut packet, end);
        }
        cx.enqueue(vector, nexts);
    }
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum DropNext {
    #[next_node = "drop"]
    Drop,
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum PuntNext {
    #[next_node = "punt"]
    Punt,
}

/// Trace record of `drop`: why.
struct Reason {
    error: u16,
    texts: ErrorTexts,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts.get(self.error))
    }
}

/// Counts and frees: `drop`, `punt`.
struct End {
    texts: ErrorTexts,
    by_interface: Option<SimpleRow>,
}

impl PacketNode for End {
    type NextNodes = NoNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Reason {
            error: packet.error,
            texts: self.texts.clone(),
        });
        let key = |packet: &Packet<'_>| (packet.error, packet.rx_sw_if_index);
        let mut run = (key(&vector.packet(0)), 0);
        for packet in vector.packets() {
            let this = key(&packet);
            if this != run.0 {
                self.count(cx, run);
                run = (this, 0);
            }
            run.1 += 1;
        }
        self.count(cx, run);
        cx.free(vector);
    }
}

impl End {
    #[inline]
    fn count(&self, cx: &mut PacketContext<'_, Self>, ((error, interface), n): ((u16, u32), u64)) {
        cx.worker().errors.add(error.into(), n);
        if let Some(row) = &self.by_interface
            && interface != crate::packet::UNSET
        {
            row.add(interface, n);
        }
    }
}

/// Adds the engine's own nodes, which have fixed indices, and tells which counters are the engine's.
pub(crate) fn register(control: &Control, arcs: OwnArcs) -> Result<OwnErrors, NodeError> {
    let add = |id: NodeId, expected: NodeId| debug_assert_eq!(id, expected);
    add(control.add_node("null-node", |_| NullNode)?, NodeId::NULL);
    let gate = |arc| {
        let control = std::rc::Rc::downgrade(&control.0);
        move || {
            let name = control
                .upgrade()
                .and_then(|c| c.hooks.borrow().interface_name.clone());
            (arc, name)
        }
    };
    let (drop_gate, punt_gate) = (gate(arcs.drop), gate(arcs.punt));
    let node = control.add_node("error-drop", move |_| {
        let (arc, name) = drop_gate();
        GiveUp {
            arc,
            name,
            next: DropNext::Drop,
        }
    })?;
    add(node, NodeId::ERROR_DROP);
    let end = |of: fn(&crate::control::Hooks) -> &Option<SimpleCounters>| {
        let control = std::rc::Rc::downgrade(&control.0);
        let texts = control
            .upgrade()
            .map(|c| c.errors.texts())
            .unwrap_or_default();
        move |thread| {
            let counters = control
                .upgrade()
                .and_then(|c| of(&c.hooks.borrow()).clone());
            let by_interface = counters.and_then(|counters| counters.row(thread));
            End {
                texts: texts.clone(),
                by_interface,
            }
        }
    };
    let (drops, punts) = (end(|hooks| &hooks.drops), end(|hooks| &hooks.punts));
    let options = NodeOptions::new("drop").role(Role::Drop);
    add(
        control.add_node(options, move |at| drops(at.thread))?,
        NodeId::DROP,
    );
    let node = control.add_node("error-punt", move |_| {
        let (arc, name) = punt_gate();
        GiveUp {
            arc,
            name,
            next: PuntNext::Punt,
        }
    })?;
    add(node, NodeId::ERROR_PUNT);
    let options = NodeOptions::new("punt").role(Role::Punt);
    add(
        control.add_node(options, move |at| punts(at.thread))?,
        NodeId::PUNT,
    );
    let table = control.0.punt.clone();
    let node = control.add_node("punt-dispatch", move |at| table.node(at.thread))?;
    add(node, NodeId::PUNT_DISPATCH);
    let handoff = control.add_node("worker-handoff", |_| HandoffNode)?;

    let first = |node| control.node(node).map_or(0, |info| info.first_counter);
    Ok(OwnErrors {
        left: first(NodeId::NULL) + NullErrors::Left.slot() as u16,
        stale: first(NodeId::NULL) + NullErrors::Stale.slot() as u16,
        congestion: first(handoff) + HandoffErrors::Congestion.slot() as u16,
    })
}
