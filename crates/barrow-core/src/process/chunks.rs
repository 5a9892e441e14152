//! Long computations in small pieces.

use std::{fmt, future::poll_fn, rc::Rc, task::Poll, time::Duration};

use crate::Clock;

/// Lets a long computation rest once it has used its share of the thread. Made by
/// [`ProcessContext::chunks`](super::ProcessContext::chunks).
///
/// ```
/// use barrow_core::{ProcessContext, ProcessError, process_node};
/// use std::time::Duration;
///
/// /// Sums up a large table without stopping the packets.
/// #[process_node(name = "sum")]
/// async fn sum(cx: ProcessContext<Sum>, table: Vec<u64>) -> Result<(), ProcessError> {
///     let mut chunks = cx.chunks(Duration::from_micros(200));
///     let mut sum = 0u64;
///     for row in table {
///         sum = sum.wrapping_add(row);
///         chunks.step().await;
///     }
///     Ok(())
/// }
/// ```
pub struct Chunks {
    clock: Rc<dyn Clock>,
    /// In clocks.
    budget: u64,
    began: u64,
}

impl Chunks {
    pub(super) fn new(clock: Rc<dyn Clock>, budget: Duration) -> Self {
        let clocks = budget.as_nanos() * u128::from(clock.frequency()) / 1_000_000_000;
        let began = clock.clocks();
        Self {
            clock,
            budget: u64::try_from(clocks).unwrap_or(u64::MAX),
            began,
        }
    }

    /// Call it after each small piece: it returns at once, and lets the other units run first once the budget
    /// is used. On a host whose clock does not know its frequency it lets them run each time.
    pub async fn step(&mut self) {
        if !self.is_used() {
            return;
        }
        yield_now().await;
        self.began = self.clock.clocks();
    }

    /// Whether the budget is used.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.clock.clocks().wrapping_sub(self.began) >= self.budget
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Lets every other ready unit run first.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
