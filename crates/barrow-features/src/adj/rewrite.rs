//! The bytes that go in front of a packet.

use std::fmt;

/// A link header: up to [`Rewrite::MAX`] bytes (Ethernet with two tags has 22).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rewrite {
    len: u8,
    bytes: [u8; Self::MAX],
}

impl Rewrite {
    /// The longest header.
    pub const MAX: usize = 40;
    /// No bytes: the link has no header.
    pub const EMPTY: Self = Self {
        len: 0,
        bytes: [0; Self::MAX],
    };

    /// A header of these bytes. `None` if there are more than [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(header: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..header.len())?.copy_from_slice(header);
        Some(Self {
            len: header.len() as u8,
            bytes,
        })
    }

    /// How many bytes.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len().min(Self::MAX)]
    }

    /// The bytes with zeros behind them: for a copy of constant size where there is room.
    #[inline]
    #[must_use]
    pub const fn padded(&self) -> &[u8; Self::MAX] {
        &self.bytes
    }

    pub(super) const fn from_parts(len: u8, bytes: [u8; Self::MAX]) -> Self {
        let len = if len as usize <= Self::MAX { len } else { 0 };
        Self { len, bytes }
    }
}

/// Lower-case hexadecimal without separators, as `show adj` prints it.
impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_keeps_its_bytes() {
        let rewrite = Rewrite::new(&[0xde, 0xad, 0, 1]).unwrap();
        assert_eq!(rewrite.as_bytes(), [0xde, 0xad, 0, 1]);
        assert_eq!(rewrite.padded()[4..], [0; 36]);
        assert_eq!(rewrite.to_string(), "dead0001");
    }

    #[test]
    fn a_header_that_is_too_long_is_refused() {
        assert!(Rewrite::new(&[1; 40]).is_some());
        assert!(Rewrite::new(&[1; 41]).is_none());
    }
}
