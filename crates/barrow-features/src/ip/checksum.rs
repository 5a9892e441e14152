//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).

/// Adds up 16-bit words; folded and inverted it is the checksum.
///
/// Sums of pieces may be added in any order as long as every piece but the last has even length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Nothing added yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds bytes, padded with a zero when their number is odd.
    #[inline]
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        let mut words = bytes.chunks_exact(4);
        for word in &mut words {
            self.0 += u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        }
        match *words.remainder() {
            [a] => self.0 += u64::from(a) << 8,
            [a, b] => self.0 += u64::from(u16::from_be_bytes([a, b])),
            [a, b, c] => {
                self.0 += u64::from(u16::from_be_bytes([a, b])) + (u64::from(c) << 8);
            }
            _ => {}
        }
        self
    }

    /// Adds one 16-bit word.
    #[inline]
    #[must_use]
    pub const fn word(mut self, word: u16) -> Self {
        self.0 += word as u64;
        self
    }

    /// Adds the pseudo-header of a transport protocol over IPv4 (RFC 9293 section 3.1).
    #[inline]
    #[must_use]
    pub fn pseudo_ip4(self, source: [u8; 4], destination: [u8; 4], protocol: u8, len: u16) -> Self {
        self.bytes(&source)
            .bytes(&destination)
            .word(u16::from(protocol))
            .word(len)
    }

    /// The sum as 16 bits, not inverted: 0xffff over data that holds its own right checksum.
    #[inline]
    #[must_use]
    pub const fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    /// The checksum: the folded sum, inverted.
    #[inline]
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.fold()
    }
}

/// The checksum after one 16-bit word it covers has changed (RFC 1624, equation 3).
#[inline]
#[must_use]
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = !checksum as u32 + !old as u32 + new as u32;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_1071_example_sums_to_ddf2() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::new().bytes(&bytes).fold(), 0xddf2);
    }

    #[test]
    fn an_odd_tail_counts_as_if_padded() {
        for n in 0..9 {
            let bytes: Vec<u8> = (1..=n).collect();
            let mut padded = bytes.clone();
            padded.resize(bytes.len().next_multiple_of(2), 0);
            assert_eq!(
                Sum::new().bytes(&bytes).fold(),
                Sum::new().bytes(&padded).fold()
            );
        }
    }

    #[test]
    fn updating_agrees_with_summing_anew() {
        let mut bytes = [
            0x45u8, 0, 0, 84, 0, 0, 0x40, 0, 64, 1, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        for ttl in 1..=255u8 {
            let before = Sum::new().bytes(&bytes).finish();
            let old = u16::from_be_bytes([bytes[8], bytes[9]]);
            bytes[8] = ttl;
            let new = u16::from_be_bytes([bytes[8], bytes[9]]);
            assert_eq!(update(before, old, new), Sum::new().bytes(&bytes).finish());
        }
    }
}
