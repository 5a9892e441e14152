//! How the queues of an input node are served, and what that makes of the node on each thread.

use crate::interface::{RxMode, SwIfIndex};
use barrow_engine::{Control, InputMode, NodeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The modes of all queues that one input node serves; a cheap handle, main thread only.
///
/// A node runs on a thread in the way that its most demanding queue there asks for.
#[derive(Clone)]
pub(crate) struct QueueModes {
    control: Control,
    input: NodeId,
    queues: Rc<RefCell<Queues>>,
}

/// Thread and mode of each queue.
type Queues = BTreeMap<(SwIfIndex, u32), (usize, RxMode)>;

impl QueueModes {
    pub(crate) fn new(control: Control, input: NodeId) -> Self {
        Self {
            control,
            input,
            queues: Rc::default(),
        }
    }

    /// Notes where and how a queue is served.
    pub(super) fn note(&self, interface: SwIfIndex, queue: u32, thread: usize, mode: RxMode) {
        let former = self
            .queues
            .borrow_mut()
            .insert((interface, queue), (thread, mode));
        if let Some((former, _)) = former.filter(|(former, _)| *former != thread) {
            self.apply(former);
        }
        self.apply(thread);
    }

    /// The mode of a queue.
    pub(super) fn of(&self, interface: SwIfIndex, queue: u32) -> RxMode {
        let queues = self.queues.borrow();
        queues
            .get(&(interface, queue))
            .map_or_else(RxMode::default, |(_, mode)| *mode)
    }

    /// Forgets an interface's queues.
    pub(super) fn forget(&self, interface: SwIfIndex) {
        let mut threads = Vec::new();
        self.queues.borrow_mut().retain(|(of, _), (thread, _)| {
            if *of == interface {
                threads.push(*thread);
            }
            *of != interface
        });
        threads.into_iter().for_each(|thread| self.apply(thread));
    }

    fn apply(&self, thread: usize) {
        let queues = self.queues.borrow();
        let here = queues.values().filter(|(on, _)| *on == thread);
        let mut mode = InputMode::Interrupt;
        for (_, wanted) in here {
            mode = match (wanted, mode) {
                (RxMode::Polling, _) | (_, InputMode::Polling) => InputMode::Polling,
                (RxMode::Adaptive, _) | (_, InputMode::Adaptive) => InputMode::Adaptive,
                (RxMode::Interrupt, other) => other,
            };
        }
        self.control.set_input_mode(thread, self.input, mode);
    }
}
