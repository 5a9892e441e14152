//! Where packets of a test end up.

use crate::context::PacketContext;
use crate::frame::Vector;
use crate::node::PacketNode;
use crate::packet::PacketHeader;
use barrow_core::{NoErrors, NoNext};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// A packet that reached a sink; dereferences to its metadata.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Its bytes, of all buffers.
    pub bytes: Vec<u8>,
    /// The bytes of each of its buffers.
    pub segments: Vec<usize>,
    /// The thread on which it got there.
    pub thread: usize,
    header: PacketHeader,
}

impl Deref for Captured {
    type Target = PacketHeader;

    fn deref(&self) -> &PacketHeader {
        &self.header
    }
}

/// What reached one sink.
#[derive(Clone, Default, Debug)]
pub(super) struct Caught(Arc<Mutex<Vec<Captured>>>);

impl Caught {
    pub(super) fn take(&self) -> Vec<Captured> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn node(&self) -> Sink {
        Sink(self.clone())
    }
}

/// Copies packets out and frees them.
pub(super) struct Sink(Caught);

impl PacketNode for Sink {
    type NextNodes = NoNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| {
            format!("{} bytes", packet.total_len())
        });
        let thread = cx.thread();
        let mut caught = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught.extend(vector.packets().map(|packet| Captured {
            bytes: packet.to_vec(),
            segments: packet.segments().map(<[u8]>::len).collect(),
            thread,
            header: *packet,
        }));
        drop(caught);
        cx.free(vector);
    }
}
