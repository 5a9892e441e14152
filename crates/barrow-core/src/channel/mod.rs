//! Channels into a unit or task, from any thread: many senders, one receiver.
//!
//! [`bounded`] is the one to use: a full channel pushes back, either at once
//! ([`Sender::try_send`]) or by waiting ([`Sender::send`]). [`unbounded`] exists for control
//! paths whose senders can neither wait nor lose anything; its name is a warning. [`lossy`] is for
//! senders that can lose values but neither wait nor look back.
//!
//! Rules that keep wake-ups from being lost, and that the model checker goes through:
//!
//! 1. A value is pushed *before* the receiver's waker is looked at; the receiver registers its
//!    waker *before* it looks for a value. Whatever the order, one sees the other.
//! 2. A sender that found no room joins the line *before* it tries again; the receiver takes a
//!    value *before* it looks at the line. Both have a sequentially consistent fence in between.
//! 3. The room of one value wakes one waiting sender. One that was woken and gives up (its future
//!    is dropped) wakes the next.
//! 4. Closing is a state set *before* everybody on the other side is woken.

mod line;
mod lossy;
mod receiver;
mod sender;
mod shared;
mod unbounded;
mod waiting;

use std::{error::Error, fmt};

pub use lossy::{LossySender, Overflow};
pub use receiver::Receiver;
pub use sender::{Sender, Sending};
pub use unbounded::UnboundedSender;
pub use waiting::WaitingSender;

use shared::{Queue, Shared};

/// A channel that holds at most `capacity` values (at least one). All memory is taken now.
///
/// ```
/// use barrow_core::channel::{TryRecvError, TrySendError, bounded};
///
/// let (sender, mut receiver) = bounded(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1));
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Shared::new(Queue::bounded(capacity.max(1)));
    (Sender::new(shared.clone()), Receiver::new(shared))
}

/// A channel without a bound: for control only, never on a data path.
///
/// ```
/// let (sender, mut receiver) = barrow_core::channel::unbounded();
/// sender.send("job").expect("the receiver is there");
/// assert_eq!(receiver.try_recv(), Ok("job"));
/// ```
#[must_use]
pub fn unbounded<T>() -> (UnboundedSender<T>, Receiver<T>) {
    let shared = Shared::new(Queue::unbounded());
    (UnboundedSender::new(shared.clone()), Receiver::new(shared))
}

/// A channel that holds at most `capacity` values (at least one), and loses one rather than make a
/// sender wait or fail: for states and statistics, of which the latest matter or the first ones do.
///
/// ```
/// use barrow_core::channel::{Overflow, lossy};
///
/// let (sender, mut receiver) = lossy(2, Overflow::DropOldest);
/// for n in 1..=3 {
///     sender.send(n).expect("the receiver is there");
/// }
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(2), Ok(3)));
/// assert_eq!(sender.lost(), 1);
/// ```
#[must_use]
pub fn lossy<T>(capacity: usize, overflow: Overflow) -> (LossySender<T>, Receiver<T>) {
    let shared = Shared::new(Queue::bounded(capacity.max(1)));
    (
        LossySender::new(shared.clone(), overflow),
        Receiver::new(shared),
    )
}

/// Why [`Sender::try_send`] gave the value back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// The receiver is gone, for ever.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full",
            Self::Closed(_) => "the receiver is gone",
        })
    }
}

impl<T> Error for TrySendError<T> {}

/// The receiver is gone; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(
    /// The value that was not sent.
    pub T,
);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiver is gone")
    }
}

impl<T> Error for SendError<T> {}

/// Why [`Receiver::try_recv`] has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is waiting; something may come.
    Empty,
    /// Nothing is waiting and every sender is gone.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the channel is empty",
            Self::Closed => "every sender is gone",
        })
    }
}

impl Error for TryRecvError {}

#[cfg(all(test, barrow_loom))]
mod loom_tests;
#[cfg(all(test, not(barrow_loom)))]
mod tests;
