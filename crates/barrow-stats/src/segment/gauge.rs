//! Numbers in the directory itself: levels and time stamps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::EntryKey;
use super::memory::Span;

/// A number that clients see in the directory. May be set from any thread.
///
/// The segment holds unsigned integers; what is computed as a fraction is cut off, as in VPP. After its entry was
/// removed a gauge may still be set, without effect.
#[derive(Clone, Debug)]
pub struct Gauge {
    key: EntryKey,
    slot: Arc<Span>,
}

impl Gauge {
    pub(super) fn new(key: EntryKey, slot: Arc<Span>) -> Self {
        Self { key, slot }
    }

    /// The entry.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        self.key
    }

    /// Sets it to the integer part of `value`; what is negative or not a number becomes 0, what is too large the
    /// greatest integer.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the conversion saturates, which is what the doc says"
    )]
    pub fn set(&self, value: f64) {
        self.set_integer(value as u64);
    }

    /// Sets it.
    pub fn set_integer(&self, value: u64) {
        self.word().store(value, Ordering::Relaxed);
    }

    /// Adds `n`, atomically also against other threads; wraps at 2^64.
    pub fn add(&self, n: u64) {
        self.word().fetch_add(n, Ordering::Relaxed);
    }

    /// Subtracts `n`, atomically also against other threads; wraps at 0.
    pub fn subtract(&self, n: u64) {
        self.word().fetch_sub(n, Ordering::Relaxed);
    }

    /// The present value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.word().load(Ordering::Relaxed)
    }

    fn word(&self) -> &AtomicU64 {
        &self.slot.words()[0]
    }
}
