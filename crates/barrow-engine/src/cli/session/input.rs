//! What a client sent and the session has not handled yet.

/// Data that has not been handled yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    /// So many of them have been handled already.
    taken: usize,
}

impl Input {
    /// What is left to handle.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Handles so many bytes.
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.taken;
        self.taken += length;
        &self.bytes[start..self.taken]
    }

    /// Takes NULs, of which a client may send several.
    pub(super) fn take_nuls(&mut self) {
        self.taken += self.rest().iter().take_while(|byte| **byte == 0).count();
    }

    /// Forgets what has been handled.
    pub(super) fn compact(&mut self) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
    }
}
