//! Being fair where the scheduler cannot see.

use std::{
    future::{Future, poll_fn},
    task::Poll,
};

/// Lets every other ready unit run first: for long computations.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// A budget of items between two yields.
///
/// The channels of this crate give way by themselves. A loop over a source that is always ready
/// and knows nothing of the scheduler (a `tokio::sync` channel, a big map) does not: it calls
/// [`Pace::tick`] for each item.
///
/// ```
/// use barrow_core::{task::Pace, testing::Simulation};
/// use std::{cell::Cell, rc::Rc};
///
/// let mut simulation = Simulation::new();
/// let (count, seen) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
/// let (counting, looking, noted) = (count.clone(), count.clone(), seen.clone());
/// simulation.scheduler().spawn_task(async move {
///     let mut pace = Pace::new(100);
///     for _ in 0..1_000 {
///         counting.set(counting.get() + 1);
///         pace.tick().await;
///     }
/// });
/// simulation.scheduler().spawn_task(async move { noted.set(looking.get()) });
/// simulation.settle();
/// assert_eq!(seen.get(), 100);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    every: u32,
    left: u32,
}

impl Pace {
    /// Yields once in `every` ticks (at least one).
    #[must_use]
    pub const fn new(every: u32) -> Self {
        let every = if every == 0 { 1 } else { every };
        Self { every, left: every }
    }

    /// Counts one item; lets the other ready units run when the budget is spent.
    pub async fn tick(&mut self) {
        self.left -= 1;
        if self.left == 0 {
            self.left = self.every;
            yield_now().await;
        }
    }
}
