//! The receiving end of a channel.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{TryRecvError, shared::Shared};
use crate::Waits;
use futures_core::{FusedStream, Stream};

/// Values that [`Receiver::recv`] hands out in a row before it lets other units run once.
const STREAK: u32 = 128;

/// Receives, in one place. Dropping it closes the channel: senders that wait are woken.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// Values received since the last wait.
    streak: u32,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared, streak: 0 }
    }

    /// Waits for a value; `None` once every sender is gone and all values are received. Losing
    /// the future loses no value, so it may stand in `select!`.
    ///
    /// A flood cannot keep the loop: once in 128 values received without a wait, it lets the
    /// other ready units run.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Waits for at least one value and appends up to `max` of them to `into`; returns how many.
    /// Zero means that the channel is closed (or `max` is zero).
    pub async fn recv_many(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        let Some(first) = self.recv().await else {
            return 0;
        };
        into.push(first);
        1 + self.drain_into(into, max - 1)
    }

    /// [`Receiver::recv`] for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.streak >= STREAK {
            self.streak = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let received = match self.try_recv() {
            Err(TryRecvError::Empty) => {
                self.register(cx.waker());
                self.try_recv()
            }
            received => received,
        };
        match received {
            Ok(value) => {
                self.streak += 1;
                Poll::Ready(Some(value))
            }
            Err(TryRecvError::Closed) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                self.streak = 0;
                Waits::EVENT.note();
                Poll::Pending
            }
        }
    }

    /// Takes a value if one is waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if none is, [`TryRecvError::Closed`] if none will ever be.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if let Some(value) = self.shared.pop() {
            return Ok(value);
        }
        if !self.shared.are_senders_gone() {
            return Err(TryRecvError::Empty);
        }
        // The last sender may have sent between the two looks.
        self.shared.pop().ok_or(TryRecvError::Closed)
    }

    /// Appends up to `max` waiting values to `into` without waiting; returns how many.
    pub fn drain_into(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let before = into.len();
        into.extend(std::iter::from_fn(|| self.shared.pop()).take(max));
        into.len() - before
    }

    /// Notes whom the next value wakes, for units that poll with [`Receiver::try_recv`]: register
    /// first, then look until it is empty.
    pub fn register(&self, waker: &Waker) {
        self.shared.register_receiver(waker);
    }

    /// Values waiting now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Whether no value is waiting now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every sender is gone; values may still be waiting.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.are_senders_gone()
    }
}

/// The values as a stream; it ends when the channel is closed and empty.
impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx)
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.is_closed() && self.is_empty()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.drop_receiver();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("waiting", &self.len())
            .finish_non_exhaustive()
    }
}
