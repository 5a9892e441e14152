//! A sender for units, which cannot await.

use std::{fmt, task::Waker};

use super::{Sender, TrySendError, line::Ticket};

/// Sends from a unit or a machine's ports: a value that is refused keeps a place in the line of
/// senders, and the unit is woken when there is room.
///
/// ```
/// use barrow_core::channel::{TrySendError, WaitingSender, bounded};
/// use std::task::Waker;
///
/// let (sender, mut receiver) = bounded(1);
/// let mut sender = WaitingSender::new(sender);
/// assert_eq!(sender.send_or_wait(1, Waker::noop()), Ok(()));
/// let refused = sender.send_or_wait(2, Waker::noop());
/// assert_eq!(refused, Err(TrySendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1)); // calls the waker
/// assert_eq!(sender.send_or_wait(2, Waker::noop()), Ok(()));
/// ```
pub struct WaitingSender<T> {
    sender: Sender<T>,
    ticket: Option<Ticket>,
}

impl<T> WaitingSender<T> {
    /// Waits in line with this sender's values.
    #[must_use]
    pub fn new(sender: Sender<T>) -> Self {
        Self {
            sender,
            ticket: None,
        }
    }

    /// Sends, or makes sure that `waker` is woken when it is worth trying again.
    ///
    /// # Errors
    /// [`TrySendError::Full`] when it has to wait, [`TrySendError::Closed`] if the receiver is gone;
    /// both return the value.
    pub fn send_or_wait(&mut self, value: T, waker: &Waker) -> Result<(), TrySendError<T>> {
        let value = match self.sender.try_send(value) {
            Err(TrySendError::Full(value)) => value,
            done => {
                self.give_up();
                return done;
            }
        };
        self.ticket = Some(self.sender.shared.line.join(self.ticket, waker));
        let again = self.sender.try_send(value);
        if !matches!(again, Err(TrySendError::Full(_))) {
            self.give_up();
        }
        again
    }

    /// The sender itself.
    pub fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// Leaves the line; a call that was used by the value just sent is used.
    fn give_up(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.sender.shared.line.leave(ticket);
        }
    }
}

impl<T> Drop for WaitingSender<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take()
            && !self.sender.shared.line.leave(ticket)
        {
            // Called, but gives up: the room belongs to the next in line.
            self.sender.shared.line.call_next();
        }
    }
}

impl<T> fmt::Debug for WaitingSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingSender")
            .field("in_line", &self.ticket.is_some())
            .finish_non_exhaustive()
    }
}
