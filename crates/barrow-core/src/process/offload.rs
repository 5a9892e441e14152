//! Work that blocks, on another thread.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

use crate::{
    Waits,
    channel::{Receiver, TryRecvError, bounded},
    scheduler::panic_message,
};

/// A piece of work for another thread.
pub type OffloadJob = Box<dyn FnOnce() + Send>;

/// What hands a job to another thread, or gives it back when it takes none now.
type Submit = Box<dyn Fn(OffloadJob) -> Result<(), OffloadJob>>;

/// The threads that a host lends for work that blocks: an [extension](crate::Extensions), asked for by
/// [`ProcessContext::offload`](super::ProcessContext::offload).
pub struct Offload {
    submit: Submit,
}

impl Offload {
    /// Threads reached by `submit`; it never blocks, and gives a job back that it cannot take.
    #[must_use]
    pub fn new(submit: impl Fn(OffloadJob) -> Result<(), OffloadJob> + 'static) -> Self {
        Self {
            submit: Box::new(submit),
        }
    }

    /// Begins `work` on another thread; what it returns can be awaited.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Offloaded<T> {
        let (sender, result) = bounded(1);
        let job = Box::new(move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            let done = done.map_err(|payload| OffloadError::Panicked(panic_message(&*payload)));
            // Nobody may want it any more.
            drop(sender.try_send(done));
        });
        match (self.submit)(job) {
            Ok(()) => Offloaded(Ok(result)),
            Err(_) => Offloaded(Err(OffloadError::Busy)),
        }
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offload").finish_non_exhaustive()
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffloadError {
    /// This host lends no threads.
    HostHasNoThreads,
    /// Too much work waits already; nothing was begun.
    Busy,
    /// The work panicked with this message.
    Panicked(String),
    /// The threads ended before the work did.
    Stopped,
}

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostHasNoThreads => f.write_str("this host lends no threads"),
            Self::Busy => f.write_str("too much work waits for other threads"),
            Self::Panicked(message) => write!(f, "the work panicked: {message}"),
            Self::Stopped => f.write_str("the threads ended before the work did"),
        }
    }
}

impl Error for OffloadError {}

/// Work under way on another thread.
pub(super) struct Offloaded<T>(Result<Receiver<Result<T, OffloadError>>, OffloadError>);

impl<T> Offloaded<T> {
    pub(super) fn refused(error: OffloadError) -> Self {
        Self(Err(error))
    }

    /// Its result.
    pub(super) async fn result(self) -> Result<T, OffloadError> {
        let mut result = self.0?;
        poll_fn(|cx| {
            result.register(cx.waker()); // first, then look
            match result.try_recv() {
                Ok(done) => Poll::Ready(done),
                Err(TryRecvError::Closed) => Poll::Ready(Err(OffloadError::Stopped)),
                Err(TryRecvError::Empty) => {
                    Waits::JOB.note();
                    Poll::Pending
                }
            }
        })
        .await
    }
}
