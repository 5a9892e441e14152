//! The sending end of a bounded channel.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{SendError, TrySendError, line::Ticket, shared::Shared};
use crate::Waits;

/// Sends from any thread; clone it for each sender. The channel closes when the last is dropped.
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// Sends without waiting. Wakes the receiver; allocates nothing.
    ///
    /// `Ok` means that the channel took the value; a receiver that is dropped later drops it.
    ///
    /// # Errors
    /// [`TrySendError::Full`] if there is no room, [`TrySendError::Closed`] if the receiver is
    /// gone; both return the value.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        if self.shared.is_receiver_gone() {
            return Err(TrySendError::Closed(value));
        }
        self.shared.push(value).map_err(TrySendError::Full)
    }

    /// Sends, and waits for room if there is none. Senders that wait are served in line (one that
    /// comes along with [`Sender::try_send`] may be faster). Dropping the future sends nothing.
    pub fn send(&self, value: T) -> Sending<'_, T> {
        Sending {
            sender: self,
            value: Some(value),
            ticket: None,
        }
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_receiver_gone()
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

    /// The most values that can wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.capacity().unwrap_or(usize::MAX)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("waiting", &self.len())
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::send`].
#[must_use = "nothing is sent unless it is awaited"]
pub struct Sending<'a, T> {
    sender: &'a Sender<T>,
    /// `None` after completion.
    value: Option<T>,
    ticket: Option<Ticket>,
}

// No field is pinned structurally.
impl<T> Unpin for Sending<'_, T> {}

impl<T> Sending<'_, T> {
    /// One attempt; `None`: no room.
    fn attempt(&mut self) -> Option<Result<(), SendError<T>>> {
        let value = self.value.take().expect("not polled after completion");
        match self.sender.try_send(value) {
            Ok(()) => Some(Ok(())),
            Err(TrySendError::Closed(value)) => Some(Err(SendError(value))),
            Err(TrySendError::Full(value)) => {
                self.value = Some(value);
                None
            }
        }
    }

    /// Done: a place in the line that is still kept is given up, a call was used.
    fn finish(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.sender.shared.line.leave(ticket);
        }
    }
}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.attempt() {
            self.finish();
            return Poll::Ready(result);
        }
        let ticket = self.sender.shared.line.join(self.ticket, cx.waker());
        self.ticket = Some(ticket);
        match self.attempt() {
            Some(result) => {
                self.finish();
                Poll::Ready(result)
            }
            None => {
                Waits::ROOM.note();
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take()
            && !self.sender.shared.line.leave(ticket)
        {
            // Called, but gives up: the room belongs to the next in line.
            self.sender.shared.line.call_next();
        }
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("in_line", &self.ticket.is_some())
            .finish_non_exhaustive()
    }
}
