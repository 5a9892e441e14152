//! Closures from the main thread, run by a thread between two turns of its graph.

use super::ThreadPackets;
use crate::node::Interrupts;
use crossbeam_queue::SegQueue;
use std::fmt;
use std::sync::Arc;

/// What the main thread asks of a thread.
pub(crate) type Command = Box<dyn FnOnce(&mut ThreadPackets) + Send>;

/// The way to one thread. For control only: it is not bounded.
#[derive(Clone)]
pub(crate) struct Mailbox {
    commands: Arc<SegQueue<Command>>,
    interrupts: Arc<Interrupts>,
}

impl Mailbox {
    pub(crate) fn new(interrupts: Arc<Interrupts>) -> Self {
        Self {
            commands: Arc::default(),
            interrupts,
        }
    }

    /// Runs `command` on the thread before its next turn, in the order of sending.
    pub(crate) fn send(&self, command: Command) {
        self.commands.push(command);
        self.interrupts.wake();
    }

    pub(super) fn take(&self) -> Option<Command> {
        self.commands.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(crate) fn interrupts(&self) -> &Arc<Interrupts> {
        &self.interrupts
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({} waiting)", self.commands.len())
    }
}
