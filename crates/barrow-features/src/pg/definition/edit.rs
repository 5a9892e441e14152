//! Fields that change from packet to packet.

use super::Random;

/// Where a field lies: bits counted from the first bit of the packet, the field's first bit being its
/// most significant one, as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) bit: usize,
    pub(super) bits: u32,
}

impl Place {
    /// A field of whole bytes.
    pub(super) const fn bytes(at: usize, len: u32) -> Self {
        Self {
            bit: at * 8,
            bits: len * 8,
        }
    }

    /// A field of `bits` bits that begins `skip` bits into byte `at`.
    pub(super) const fn bits(at: usize, skip: usize, bits: u32) -> Self {
        Self {
            bit: at * 8 + skip,
            bits,
        }
    }

    /// The bytes it touches.
    fn span(self) -> std::ops::Range<usize> {
        self.bit / 8..(self.bit + self.bits as usize).div_ceil(8)
    }

    /// Writes the field; what of it lies beyond the packet is left out.
    #[inline]
    pub(super) fn write(self, packet: &mut [u8], value: u128) {
        let span = self.span();
        let Some(bytes) = packet.get_mut(span.clone()) else {
            return;
        };
        if self.bit.is_multiple_of(8) && self.bits.is_multiple_of(8) {
            let value = value.to_be_bytes();
            bytes.copy_from_slice(&value[16 - bytes.len()..]);
            return;
        }
        // At most 17 bytes for 128 bits off the boundary; such fields have 20 bits at most.
        let mut word = bytes
            .iter()
            .fold(0u128, |word, byte| word << 8 | u128::from(*byte));
        let shift = span.len() * 8 - self.bit % 8 - self.bits as usize;
        let mask = ((1u128 << self.bits) - 1) << shift;
        word = word & !mask | value << shift & mask;
        let word = word.to_be_bytes();
        bytes.copy_from_slice(&word[16 - bytes.len()..]);
    }

    /// Whether any of its bits lies in these bytes.
    pub(super) fn touches(self, bytes: &std::ops::Range<usize>) -> bool {
        let own = self.span();
        own.start < bytes.end && bytes.start < own.end
    }
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// Always this.
    Fixed(u128),
    /// From low to high and again from low.
    Increment { low: u128, high: u128 },
    /// Any between low and high.
    Random { low: u128, high: u128 },
}

/// One field that changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Edit {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// How far one [`Edit`] has got.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    next: u128,
}

impl Edit {
    /// Before the first packet.
    pub(super) fn progress(&self) -> Progress {
        match self.value {
            Value::Fixed(low) | Value::Increment { low, .. } | Value::Random { low, .. } => {
                Progress { next: low }
            }
        }
    }

    /// Writes the field of the next packet.
    #[inline]
    pub(super) fn apply(&self, progress: &Progress, random: &mut Random, packet: &mut [u8]) {
        let value = match self.value {
            Value::Fixed(value) => value,
            Value::Increment { .. } => progress.next,
            Value::Random { low, high } => random.between(low, high),
        };
        self.place.write(packet, value);
    }

    /// Goes on to the packet after.
    #[inline]
    pub(super) fn advance(&self, progress: &mut Progress) {
        if let Value::Increment { low, high } = self.value {
            progress.next = if progress.next >= high {
                low
            } else {
                progress.next + 1
            };
        }
    }
}
