//! Reading values off a slice.

use crate::{DecodeError, DecodeErrorKind};

/// A value that can be read from its wire form.
///
/// `'a` is the life of the input: a type may borrow its text or bytes from it.
pub trait Decode<'a>: Sized {
    /// The least number of bytes any value of this type takes. Bounds what a count field may claim, and tells the
    /// shortest legal message; too small is safe, too large refuses legal input.
    const MIN_LEN: usize;

    /// Reads one value and moves `r` behind it.
    ///
    /// # Errors
    /// When the input ends early or holds no such value. `r` is then somewhere inside the value.
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError>;

    /// Reads `count` values in a row. `u8` overrides it with a copy.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); at once, before anything is allocated, if `count` values cannot fit in what is
    /// left.
    fn decode_many(r: &mut Reader<'a>, count: usize) -> Result<Vec<Self>, DecodeError> {
        const {
            assert!(
                Self::MIN_LEN > 0,
                "elements of a counted array take at least one byte"
            )
        };
        r.require((count as u64).saturating_mul(Self::MIN_LEN as u64))?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(Self::decode(r)?);
        }
        Ok(values)
    }

    /// Reads an array of fixed length. `u8` overrides it with a copy.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn decode_array<const N: usize>(r: &mut Reader<'a>) -> Result<[Self; N], DecodeError> {
        let mut slots = [const { None }; N];
        for slot in &mut slots {
            *slot = Some(Self::decode(r)?);
        }
        Ok(slots.map(|slot| slot.expect("the loop filled every slot")))
    }
}

/// A value that can be read from any input, because it borrows nothing.
pub trait DecodeOwned: for<'a> Decode<'a> {}
impl<T: for<'a> Decode<'a>> DecodeOwned for T {}

/// Reads one value from the front of `bytes`; what follows it is ignored, as the protocol demands.
///
/// # Errors
/// When the bytes hold no such value.
pub fn from_bytes<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    T::decode(&mut Reader::new(bytes))
}

/// A position in a slice of bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// How deep values of a recursive type may nest (every `Box` and counted `Vec` is one level).
    pub const MAX_DEPTH: u32 = 64;

    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: 0,
            depth: 0,
        }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.offset..]
    }

    /// Takes the next `len` bytes, without a copy.
    ///
    /// # Errors
    /// When fewer are left.
    #[inline]
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest().split_at_checked(len) {
            Some((taken, _)) => {
                self.offset += len;
                Ok(taken)
            }
            None => Err(self.truncated(len as u64)),
        }
    }

    /// Takes the next `N` bytes as an array.
    ///
    /// # Errors
    /// When fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest().first_chunk() {
            Some(chunk) => {
                self.offset += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N as u64)),
        }
    }

    /// Reads the field `name`; an error tells that name.
    ///
    /// # Errors
    /// As `T`.
    #[inline]
    pub fn field<T: Decode<'a>>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        T::decode(self).map_err(|error| error.within(name))
    }

    /// Reads the array `name`, whose elements an earlier field has counted.
    ///
    /// # Errors
    /// As `T`, and at once if `count` elements cannot fit in what is left.
    #[inline]
    pub fn elements<T: Decode<'a>>(
        &mut self,
        count: usize,
        name: &'static str,
    ) -> Result<Vec<T>, DecodeError> {
        T::decode_many(self, count).map_err(|error| error.within(name))
    }

    /// Checks that `len` bytes are left; reads nothing.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn require(&self, len: u64) -> Result<(), DecodeError> {
        if len <= self.remaining() as u64 {
            Ok(())
        } else {
            Err(self.truncated(len))
        }
    }

    /// Runs `read` one level deeper; a `Decode` that can contain itself uses this to bound its recursion.
    ///
    /// # Errors
    /// [`DecodeErrorKind::TooDeep`] beyond [`MAX_DEPTH`](Self::MAX_DEPTH), else what `read` returns.
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == Self::MAX_DEPTH {
            return Err(self.error(DecodeErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// An error at the present offset.
    #[cold]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.offset)
    }

    #[cold]
    fn truncated(&self, needed: u64) -> DecodeError {
        self.error(DecodeErrorKind::Truncated {
            needed,
            left: self.remaining(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_offset_and_field() {
        let mut r = Reader::new(&[0, 1, 2]);
        r.field::<u16>("id").unwrap();
        let error = r
            .field::<u32>("index")
            .map_err(|e| e.within("my_message"))
            .unwrap_err();
        assert_eq!(error.offset(), 2);
        assert_eq!(error.field(), "my_message.index");
        assert_eq!(
            error.kind(),
            &DecodeErrorKind::Truncated { needed: 4, left: 1 }
        );
        assert_eq!(
            error.to_string(),
            "byte 2, field my_message.index: input ends early: 4 bytes needed, 1 left"
        );
    }

    #[test]
    fn a_count_beyond_the_input_is_refused_before_anything_is_allocated() {
        let error = Reader::new(&[0; 64])
            .elements::<u64>(u32::MAX as usize, "list")
            .unwrap_err();
        let needed = u64::from(u32::MAX) * 8;
        assert_eq!(
            error.kind(),
            &DecodeErrorKind::Truncated { needed, left: 64 }
        );
        assert!(
            Reader::new(&[0; 64])
                .elements::<u8>(usize::MAX, "list")
                .is_err()
        );
    }

    #[test]
    fn a_reader_stays_where_it_is_when_bytes_are_missing() {
        let mut r = Reader::new(&[1, 2, 3]);
        assert!(r.bytes(4).is_err());
        assert!(r.array::<4>().is_err());
        assert_eq!((r.offset(), r.remaining()), (0, 3));
        assert_eq!(r.bytes(3).unwrap(), [1, 2, 3]);
    }
}
