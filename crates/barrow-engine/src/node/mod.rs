//! Nodes: what a user writes, and how the engine holds it.
//!
//! * [`PacketNode`] — gets vectors of packets from other nodes.
//! * [`InputNode`] — brings packets in; runs when its device or somebody else makes it ready.
//! * Process nodes are `barrow_core`'s and live beside these in the same [table](table).
//!
//! One instance a thread, made on the main thread by the node's factory and moved to its thread, so a
//! node's own state needs no lock. Dispatch is dynamic once a vector (`slot`) and static per packet.

mod id;
mod interrupt;
mod line;
mod options;
mod sent;
mod slot;
mod stats;
pub(crate) mod table;

pub use id::NodeId;
pub use interrupt::Interrupt;
pub use options::{InputMode, NodeKind, NodeOptions, Role};
pub use stats::Runtime;
pub use table::{NodeError, NodeInfo};

pub(crate) use interrupt::{Interrupts, MOST_INPUTS};
pub(crate) use line::Line;
pub(crate) use slot::{InputSlot, Meta, PacketSlot, Placed, Slot, Tombstone};
pub(crate) use stats::RuntimeRow;

use crate::context::{InputContext, PacketContext};
use crate::frame::Vector;
use barrow_core::{ErrorCounters, NextNodes};

/// A node that gets packets from other nodes.
///
/// ```
/// use barrow_engine::{NoErrors, NextNodes, PacketContext, PacketNode, Vector};
///
/// #[derive(Clone, Copy, Debug, NextNodes)]
/// enum Next {
///     #[next_node = "ip4-lookup"]
///     Lookup,
///     #[next_node = "error-drop"]
///     Drop,
/// }
///
/// /// Drops packets that are longer than it likes.
/// struct Shorter(usize);
///
/// impl PacketNode for Shorter {
///     type NextNodes = Next;
///     type Errors = NoErrors;
///     fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
///         let (lookup, drop) = (cx.next(Next::Lookup), cx.next(Next::Drop));
///         let nexts: Vec<_> = vector
///             .packets()
///             .map(|packet| if packet.total_len() > self.0 { drop } else { lookup })
///             .collect();
///         cx.enqueue(vector, &nexts);
///     }
/// }
/// ```
pub trait PacketNode: Sized + Send + 'static {
    /// Where its packets go.
    type NextNodes: NextNodes;
    /// What it counts.
    type Errors: ErrorCounters;
    /// Handles the packets of `vector`, at most 256, at least one. What is left in it is freed and
    /// counted as a bug.
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>);
}

/// A node that brings packets in.
pub trait InputNode: Sized + Send + 'static {
    /// Where its packets go.
    type NextNodes: NextNodes;
    /// What it counts.
    type Errors: ErrorCounters;
    /// Brings in at most a few vectors of packets. Called when the node was made ready: by a watched
    /// descriptor, an [`Interrupt`], its own `more` of the last call, or always in polling mode.
    ///
    /// A device that signals edges must be read until it is empty, over as many calls as that takes.
    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled;
}

/// What one poll of an input node did.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Polled {
    /// Packets brought in.
    pub packets: u32,
    /// Whether the device may have more: the node then stays ready.
    pub more: bool,
}

impl Polled {
    /// Nothing there.
    pub const NONE: Self = Self {
        packets: 0,
        more: false,
    };

    /// `packets` and nothing more for now.
    pub const fn drained(packets: u32) -> Self {
        Self {
            packets,
            more: false,
        }
    }

    /// `packets` and maybe more.
    pub const fn more(packets: u32) -> Self {
        Self {
            packets,
            more: true,
        }
    }
}

/// What a factory is told of the instance it makes.
#[derive(Clone, Debug)]
pub struct NodeThread {
    /// The thread that the instance will live on: 0 is main, workers follow.
    pub thread: usize,
    /// Threads in all.
    pub threads: usize,
    /// The node.
    pub node: NodeId,
    pub(crate) interrupt: Option<Interrupt>,
}

impl NodeThread {
    /// What makes this instance of an input node ready, from anywhere; `None` for other nodes.
    #[must_use]
    pub fn interrupt(&self) -> Option<Interrupt> {
        self.interrupt.clone()
    }
}
