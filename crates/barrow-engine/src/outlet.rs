//! Packets from the control plane: made on the main thread, handed to a node of its graph.
//!
//! A process node that knows this engine asks its context ([`PacketOut`]); other code of the main thread
//! asks [`Control`]. What waits for the graph's next turn is bounded; a full outlet gives the packet back.

use crate::control::{Control, Shared};
use crate::node::NodeId;
use crate::packet::{Buffer, PacketCache};
use barrow_core::{NextNodes, ProcessContext, ProcessNode};
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};

/// Packets that wait for the next turn, at most.
const MOST_WAITING: usize = 1024;

/// The main thread's packets outside its graph.
pub(crate) struct Outlet {
    cache: RefCell<PacketCache>,
    waiting: Arc<Mutex<Vec<(NodeId, Buffer)>>>,
}

impl Outlet {
    pub(crate) fn new(cache: PacketCache) -> Self {
        Self {
            cache: RefCell::new(cache),
            waiting: Arc::default(),
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting
            .into_iter()
            .for_each(|(_, buffer)| self.cache.get_mut().free_one(buffer));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Pushing and draining leave nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a packet was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PacketOutError {
    /// The process node's host is no packet engine.
    #[error("this host has no packets")]
    HostHasNoPackets,
    /// There is no such node.
    #[error("the next node does not exist")]
    UnknownNode,
    /// As many packets wait as may wait.
    #[error("too many packets wait for the graph")]
    Full,
}

impl Control {
    /// A fresh packet; `None` when the pool is exhausted.
    #[must_use]
    pub fn alloc(&self) -> Option<Buffer> {
        self.0.outlet.cache.borrow_mut().alloc_one()
    }

    /// Frees a packet.
    pub fn free(&self, buffer: Buffer) {
        self.0.outlet.cache.borrow_mut().free_one(buffer);
    }

    /// Lets `f` use the main thread's free buffers: to chain, extend, copy.
    pub fn with_cache<R>(&self, f: impl FnOnce(&mut PacketCache) -> R) -> R {
        f(&mut self.0.outlet.cache.borrow_mut())
    }

    /// Hands a packet to a node of the main thread's graph, in order with those sent before.
    ///
    /// # Errors
    /// Gives the packet back when the node does not exist or too many packets wait.
    pub fn send(&self, node: NodeId, buffer: Buffer) -> Result<(), (PacketOutError, Buffer)> {
        if self.node(node).is_none() {
            return Err((PacketOutError::UnknownNode, buffer));
        }
        let waiting = &self.0.outlet.waiting;
        let first = {
            let mut waiting = lock(waiting);
            if waiting.len() == MOST_WAITING {
                return Err((PacketOutError::Full, buffer));
            }
            waiting.push((node, buffer));
            waiting.len() == 1
        };
        if first {
            let waiting = waiting.clone();
            self.on_thread(0, move |thread| {
                let waiting = std::mem::take(&mut *lock(&waiting));
                waiting
                    .into_iter()
                    .for_each(|(node, buffer)| thread.push(node, buffer));
            });
        }
        Ok(())
    }
}

/// What process nodes of this engine find among their host's extensions.
pub(crate) struct Packets(Weak<Shared>);

impl Packets {
    pub(crate) fn of(control: &Control) -> Self {
        Self(Rc::downgrade(&control.0))
    }
}

/// Packets for process nodes: absent on other hosts.
pub trait PacketOut<N: ProcessNode> {
    /// The engine that hosts the node; `None` on another host.
    fn control(&self) -> Option<Control>;

    /// Hands a packet to one of the node's next nodes.
    ///
    /// # Errors
    /// Gives the packet back when it was not taken.
    fn enqueue(&self, next: N::NextNodes, buffer: Buffer) -> Result<(), (PacketOutError, Buffer)>;
}

impl<N: ProcessNode> PacketOut<N> for ProcessContext<N> {
    fn control(&self) -> Option<Control> {
        self.extension::<Packets>()?.0.upgrade().map(Control)
    }

    fn enqueue(&self, next: N::NextNodes, buffer: Buffer) -> Result<(), (PacketOutError, Buffer)> {
        let Some(control) = self.control() else {
            return Err((PacketOutError::HostHasNoPackets, buffer));
        };
        let name = N::NextNodes::NAMES[next.slot()];
        match name
            .to_str()
            .ok()
            .and_then(|name| control.node_by_name(name))
        {
            Some(node) => control.send(node, buffer),
            None => Err((PacketOutError::UnknownNode, buffer)),
        }
    }
}

impl fmt::Debug for Packets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packets")
    }
}
