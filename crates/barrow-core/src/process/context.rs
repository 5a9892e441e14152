//! What a node sees of its host.

use std::{
    ffi::CStr,
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use super::{
    Chunks, Inbox, InboxError, Offload, OffloadError, ProcessNode, chunks::yield_now,
    offload::Offloaded, shared::Shared,
};
use crate::{
    ErrorCounters, Instant, Spawner,
    timer::{Elapsed, Interval, Sleep, timeout, timeout_at},
};

/// Time, counters, name and the host's extensions of one process node. Cheap to clone, so that
/// inner futures can own one.
///
/// ```
/// use barrow_core::{ProcessContext, ProcessError, channel::Receiver, process_node};
/// use std::time::Duration;
///
/// /// Resets a link that is silent for ten seconds, until the host stops.
/// #[process_node(name = "watchdog")]
/// async fn watchdog(
///     cx: ProcessContext<Watchdog>,
///     mut beats: Receiver<()>,
///     reset: Box<dyn FnMut()>,
/// ) -> Result<(), ProcessError> {
///     let mut reset = reset;
///     while !cx.is_stopping() {
///         match cx.timeout(Duration::from_secs(10), beats.recv()).await {
///             Ok(Some(())) => {}
///             Ok(None) => return Err("the link is gone".into()),
///             Err(_elapsed) => reset(),
///         }
///     }
///     Ok(())
/// }
/// ```
pub struct ProcessContext<N: ProcessNode> {
    shared: Rc<Shared>,
    node: PhantomData<fn() -> N>,
}

impl<N: ProcessNode> ProcessContext<N> {
    pub(super) fn new(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            node: PhantomData,
        }
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &'static CStr {
        N::NAME
    }

    /// The time of the current turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared.spawner.now()
    }

    /// Waits for `delay`; never less.
    pub fn sleep(&self, delay: Duration) -> Sleep {
        self.sleep_until(self.now() + delay)
    }

    /// Waits until `deadline`.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(self.shared.spawner.timers(), deadline)
    }

    /// Ticks every `period`, the first time after one period.
    #[must_use]
    pub fn interval(&self, period: Duration) -> Interval {
        Interval::new(self.shared.spawner.timers(), period)
    }

    /// Awaits `future` for at most `limit`.
    ///
    /// # Errors
    /// [`Elapsed`] when the limit came first; the future is dropped then.
    pub fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<N, F> {
        timeout(self.shared.spawner.timers(), limit, future)
    }

    /// Awaits `future` until `deadline` at most: several steps under one deadline.
    ///
    /// # Errors
    /// [`Elapsed`] when the deadline came first; the future is dropped then.
    pub fn deadline<F: Future>(
        &self,
        deadline: Instant,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<N, F> {
        timeout_at(self.shared.spawner.timers(), deadline, future)
    }

    /// Lets every other ready unit run first: for long computations.
    pub async fn yield_now(&self) {
        yield_now().await;
    }

    /// Lets a long computation rest each time it has used `budget` of the thread.
    #[must_use]
    pub fn chunks(&self, budget: Duration) -> Chunks {
        Chunks::new(self.shared.spawner.clock(), budget)
    }

    /// Begins `work`, which may block, on a thread that the host lends; the result can be awaited.
    /// Dropping the future forgets the result, the work goes on.
    ///
    /// # Errors
    /// See [`OffloadError`]; a host without threads answers with a typed error, not with waiting.
    pub fn offload<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, OffloadError>> + use<T, F, N> {
        let offloaded = match self.extension::<Offload>() {
            Some(threads) => threads.run(work),
            None => Offloaded::refused(OffloadError::HostHasNoThreads),
        };
        offloaded.result()
    }

    /// The inbox `name` of this host: events with their data, signalled from any thread through
    /// [`Spawner::inbox`]. Senders and content stay when this run ends; the next one goes on where
    /// it ended. `capacity` counts if nobody asked for the inbox before.
    ///
    /// # Errors
    /// See [`InboxError`].
    pub fn inbox<T: 'static>(&self, name: &str, capacity: usize) -> Result<Inbox<T>, InboxError> {
        self.shared.spawner.inboxes().receive(name, capacity)
    }

    /// Adds `by` to one of the node's error counters.
    pub fn count(&self, error: N::Errors, by: u64) {
        self.shared.count(error.slot(), by);
    }

    /// What this host offers of type `T`; `None` where it does not.
    #[must_use]
    pub fn extension<T: 'static>(&self) -> Option<Rc<T>> {
        self.shared.spawner.extensions().get()
    }

    /// Adds, wakes and removes other units of the same scheduler.
    #[must_use]
    pub fn spawner(&self) -> &Spawner {
        &self.shared.spawner
    }

    /// Whether the host is about to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.stop.is_asked()
    }

    /// Waits until the host is about to stop: the branch of a `select!` that says goodbye.
    pub async fn stopping(&self) {
        poll_fn(|cx| {
            if self.is_stopping() {
                return Poll::Ready(());
            }
            self.shared.stop.register(cx.waker());
            Poll::Pending
        })
        .await;
    }
}

impl<N: ProcessNode> Clone for ProcessContext<N> {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone())
    }
}

impl<N: ProcessNode> fmt::Debug for ProcessContext<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessContext")
            .field("name", &N::NAME)
            .finish_non_exhaustive()
    }
}
