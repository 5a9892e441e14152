//! Packets of a node that was dropped while it had some: after a panic in its dispatch.
//!
//! A buffer has no destructor, and a node's slot cannot reach the thread's cache when it is dropped; so it
//! leaves its packets here, and the packet unit frees them. An engine that a thread keeps until its very end may be
//! dropped after this place is gone; then there is nothing to take, and what is left goes with the pool.

use crate::packet::Buffer;
use std::cell::Cell;

thread_local! {
    static ORPHANS: Cell<Vec<Buffer>> = const { Cell::new(Vec::new()) };
}

/// Leaves packets behind.
pub(crate) fn leave(buffers: &mut Vec<Buffer>) {
    let _ = ORPHANS.try_with(|place| {
        let mut orphans = place.take();
        orphans.append(buffers);
        place.set(orphans);
    });
}

/// Takes what was left on this thread.
pub(super) fn take() -> Vec<Buffer> {
    ORPHANS.try_with(Cell::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::testing::Testbed;
    use std::cell::RefCell;

    #[test]
    fn an_engine_that_a_thread_keeps_ends_with_the_thread() {
        thread_local! {
            static KEPT: RefCell<Option<Testbed>> = const { RefCell::new(None) };
        }
        let thread = std::thread::spawn(|| {
            KEPT.with_borrow_mut(|kept| {
                kept.get_or_insert_with(|| Testbed::builder().build().expect("a node"))
                    .run();
            });
            drop(super::take());
        });
        assert!(thread.join().is_ok());
    }
}
