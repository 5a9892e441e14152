//! The window in which the structure changes: readers see `in_progress`, then a new epoch.
//!
//! ```text
//! first change:  in_progress = 1, full fence        readers wait
//! ... changes, any number, nested windows join ...
//! outermost end: epoch += 1, in_progress = 0        readers start over
//! ```
//!
//! A window in which nothing changes leaves no mark. Closing is a destructor, so that a panic inside cannot leave
//! readers waiting; every single change leaves the directory well-formed, so closing early is always right.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{Ordering, fence};

use super::core::Core;
use super::memory::Memory;
use crate::layout::{WORD, header};

/// Joins several changes of structure into one: readers see all of them or none, and the epoch advances once.
///
/// Made by [`Segment::window`](super::Segment::window). Keep it short: readers wait meanwhile.
#[must_use = "the window ends when this is dropped"]
pub struct Window {
    core: Rc<Core>,
}

impl Window {
    pub(super) fn open(core: &Rc<Core>) -> Self {
        core.epoch.depth.set(core.epoch.depth.get() + 1);
        Self {
            core: Rc::clone(core),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let epoch = &self.core.epoch;
        let depth = epoch.depth.get() - 1;
        if depth == 0 && epoch.changing.get() {
            self.core.close_holes();
            epoch.finish(&self.core.memory);
        }
        epoch.depth.set(depth);
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("epoch", &self.core.epoch.now())
            .finish_non_exhaustive()
    }
}

/// The writer's side of the protocol.
#[derive(Debug)]
pub(super) struct Epoch {
    number: Cell<u64>,
    depth: Cell<u32>,
    changing: Cell<bool>,
}

impl Epoch {
    /// The first epoch: 1, since readers take 0 for "no access".
    pub(super) fn new() -> Self {
        Self {
            number: Cell::new(1),
            depth: Cell::new(0),
            changing: Cell::new(false),
        }
    }

    /// The epoch that readers see, or saw when the open window began.
    pub(super) fn now(&self) -> u64 {
        self.number.get()
    }

    /// To be called inside a window before each change.
    pub(super) fn change(&self, memory: &Memory) {
        debug_assert!(self.depth.get() > 0, "structure changes inside a window");
        if !self.changing.replace(true) {
            memory
                .word(header::IN_PROGRESS * WORD)
                .store(1, Ordering::SeqCst);
            // No store of the change may become visible before the mark.
            fence(Ordering::SeqCst);
        }
    }

    fn finish(&self, memory: &Memory) {
        let next = self.number.get() + 1;
        self.number.set(next);
        self.changing.set(false);
        memory
            .word(header::EPOCH * WORD)
            .store(next, Ordering::Release);
        memory
            .word(header::IN_PROGRESS * WORD)
            .store(0, Ordering::Release);
    }
}
