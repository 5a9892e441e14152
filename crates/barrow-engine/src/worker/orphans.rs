//! Packets of a node that was dropped while it had some: after a panic in its dispatch.
//!
//! A buffer has no destructor, and a node's slot cannot reach the thread's cache when it is dropped; so it
//! leaves its packets here, and the packet unit frees them.

use crate::packet::Buffer;
use std::cell::Cell;

thread_local! {
    static ORPHANS: Cell<Vec<Buffer>> = const { Cell::new(Vec::new()) };
}

/// Leaves packets behind.
pub(crate) fn leave(buffers: &mut Vec<Buffer>) {
    let mut orphans = ORPHANS.take();
    orphans.append(buffers);
    ORPHANS.set(orphans);
}

/// Takes what was left on this thread.
pub(super) fn take() -> Vec<Buffer> {
    ORPHANS.take()
}
