//! Bytes on their way to a client.

/// Capacity that is kept when nothing waits.
const KEPT: usize = 64 << 10;

/// A queue of bytes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// So many of them have been sent.
    sent: usize,
    /// An upper bound for the bytes of events among those that wait.
    events: usize,
}

impl Outbox {
    /// What waits.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// The number of bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Where answers are appended.
    pub(super) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends events that `append` adds and counts.
    pub(super) fn append_events(&mut self, append: impl FnOnce(&mut Vec<u8>) -> usize) {
        self.events += append(&mut self.bytes);
    }

    /// An upper bound for the bytes of events that wait.
    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// Takes away what has been sent.
    pub(super) fn consume(&mut self, sent: usize) {
        self.sent += sent.min(self.len());
        let left = self.len();
        self.events = self.events.min(left);
        if left == 0 {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.sent = 0;
        } else if self.sent >= KEPT && self.sent >= left {
            self.bytes.drain(..self.sent);
            self.bytes.shrink_to(2 * left.max(KEPT));
            self.sent = 0;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
