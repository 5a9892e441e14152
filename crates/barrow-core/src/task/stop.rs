//! The wish that something ends.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// A flag that is raised once, and wakes who waits for it. Clones are the same flag; it stays on
/// its thread.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    raised: Cell<bool>,
    next: Cell<u64>,
    waiting: RefCell<BTreeMap<u64, Waker>>,
}

impl Stop {
    /// A flag that is down.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it, for good.
    pub fn raise(&self) {
        self.shared.raised.set(true);
        let waiting = self.shared.waiting.take();
        waiting.into_values().for_each(Waker::wake);
    }

    /// Whether it was raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.shared.raised.get()
    }

    /// Futures that wait for it now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting.borrow().len()
    }

    /// Ends when it is raised: a branch of a `select!`. It may be awaited again after that.
    pub fn raised(&self) -> Stopping {
        Stopping {
            shared: self.shared.clone(),
            key: None,
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_raised()).finish()
    }
}

/// The future of [`Stop::raised`].
#[must_use = "nothing waits unless it is awaited"]
pub struct Stopping {
    shared: Rc<Shared>,
    /// The place in `Shared::waiting`, from the first wait on.
    key: Option<u64>,
}

impl Future for Stopping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shared.raised.get() {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            let key = self.shared.next.get();
            self.shared.next.set(key + 1);
            key
        });
        self.key = Some(key);
        let known = |waker: &Waker| waker.will_wake(cx.waker());
        if !self.shared.waiting.borrow().get(&key).is_some_and(known) {
            let waker = cx.waker().clone();
            let old = self.shared.waiting.borrow_mut().insert(key, waker);
            drop(old);
        }
        Poll::Pending
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.shared.waiting.borrow_mut().remove(&key);
            drop(waker);
        }
    }
}

impl fmt::Debug for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopping")
            .field(&self.shared.raised.get())
            .finish()
    }
}
