//! The start of a packet, as trace records keep it.

use std::fmt;

/// Up to `N` bytes; copied out of a packet, which goes its way.
#[derive(Clone, Copy)]
pub(crate) struct FirstBytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> FirstBytes<N> {
    pub(crate) fn of(data: &[u8]) -> Self {
        let mut bytes = [0; N];
        let len = data.len().min(N);
        bytes[..len].copy_from_slice(&data[..len]);
        Self { bytes, len }
    }

    pub(crate) fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<const N: usize> fmt::Debug for FirstBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
