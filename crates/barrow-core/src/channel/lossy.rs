//! The sending end of a channel that loses values rather than wait.

use std::{fmt, sync::Arc};

use super::{SendError, shared::Shared};

/// What a full channel does with one more value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// It is dropped: what came first counts.
    DropNewest,
    /// It takes the place of the oldest: the latest state counts.
    DropOldest,
}

/// Sends from any thread, never waits; a full channel loses a value, and counts it.
pub struct LossySender<T> {
    shared: Arc<Shared<T>>,
    overflow: Overflow,
}

impl<T> LossySender<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, overflow: Overflow) -> Self {
        Self { shared, overflow }
    }

    /// Sends, and drops what the policy says if there is no room. True if nothing was lost.
    ///
    /// # Errors
    /// [`SendError`] with the value if the receiver is gone.
    pub fn send(&self, value: T) -> Result<bool, SendError<T>> {
        if self.shared.is_receiver_gone() {
            return Err(SendError(value));
        }
        let lost = match self.overflow {
            Overflow::DropNewest => self.shared.push(value).err(),
            Overflow::DropOldest => self.shared.force_push(value),
        };
        if lost.is_some() {
            self.shared.count_lost();
        }
        Ok(lost.is_none())
    }

    /// Values lost so far, over all senders.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost()
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_receiver_gone()
    }
}

impl<T> Clone for LossySender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self::new(self.shared.clone(), self.overflow)
    }
}

impl<T> Drop for LossySender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for LossySender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossySender")
            .field("overflow", &self.overflow)
            .field("waiting", &self.shared.len())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
