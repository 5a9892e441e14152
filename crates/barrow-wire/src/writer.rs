//! Writing values to a vector of bytes.

use crate::EncodeError;

/// A value that has a wire form.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, w: &mut Writer<'_>);

    /// Appends the values one after the other. `u8` overrides it with a copy.
    fn encode_many(values: &[Self], w: &mut Writer<'_>)
    where
        Self: Sized,
    {
        for value in values {
            value.encode(w);
        }
    }
}

/// Appends the wire form of `value` to `out`.
///
/// # Errors
/// When the value has no wire form; `out` is then as it was.
pub fn to_vec<T: Encode + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    Writer::run(out, |w| value.encode(w))
}

/// The wire form of `value`.
///
/// # Errors
/// When the value has no wire form.
pub fn to_bytes<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    to_vec(value, &mut out)?;
    Ok(out)
}

/// Where values are written to.
///
/// Writing never fails on the way: the first value that has no wire form is remembered, and told by
/// [`Writer::run`] at the end.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    error: Option<EncodeError>,
}

impl<'a> Writer<'a> {
    /// Lets `write` append to `out`.
    ///
    /// # Errors
    /// The first [`fail`](Self::fail) of `write`; `out` is then as it was.
    pub fn run(
        out: &'a mut Vec<u8>,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Result<(), EncodeError> {
        let start = out.len();
        let mut w = Writer { out, error: None };
        write(&mut w);
        match w.error {
            None => Ok(()),
            Some(error) => {
                w.out.truncate(start);
                Err(error)
            }
        }
    }

    /// Appends bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends `len` zero bytes.
    #[inline]
    pub fn zeros(&mut self, len: usize) {
        self.out.resize(self.out.len() + len, 0);
    }

    /// Appends the number of elements that an array called `field` has; fails if a `C` cannot tell it.
    #[inline]
    pub fn count<C: Count>(&mut self, len: usize, field: &'static str) {
        match C::from_len(len) {
            Some(count) => count.encode(self),
            None => self.fail(EncodeError::TooMany {
                field,
                len,
                max: C::MAX,
            }),
        }
    }

    /// Appends the elements of an array, without their number.
    #[inline]
    pub fn elements<T: Encode>(&mut self, values: &[T]) {
        T::encode_many(values, self);
    }

    /// Remembers that the value has no wire form. The first error is kept.
    #[cold]
    pub fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }
}

/// An integer that counts the elements of an array: `u8`, `u16` or `u32`.
pub trait Count: Encode + Copy + sealed::Sealed {
    /// The largest count.
    const MAX: u64;

    /// The count of `len` elements, if it can be told.
    fn from_len(len: usize) -> Option<Self>;

    /// The number of elements.
    fn to_len(self) -> usize;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! count {
    ($($int:ty),*) => {$(
        impl sealed::Sealed for $int {}
        impl Count for $int {
            const MAX: u64 = <$int>::MAX as u64;

            #[inline]
            fn from_len(len: usize) -> Option<Self> {
                len.try_into().ok()
            }

            #[inline]
            fn to_len(self) -> usize {
                // A count that no address space can hold fails in the reader's own check.
                usize::try_from(self).unwrap_or(usize::MAX)
            }
        }
    )*};
}
count!(u8, u16, u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_as_it_was_when_a_value_has_no_wire_form() {
        let mut out = vec![1, 2];
        let error = Writer::run(&mut out, |w| {
            w.bytes(&[3; 5]);
            w.count::<u8>(256, "n_paths");
            w.count::<u8>(300, "later");
        });
        let first = EncodeError::TooMany {
            field: "n_paths",
            len: 256,
            max: 255,
        };
        assert_eq!(error, Err(first));
        assert_eq!(out, [1, 2]);
    }

    #[test]
    fn counts_are_written_in_their_own_width() {
        let mut out = Vec::new();
        Writer::run(&mut out, |w| {
            w.count::<u8>(255, "a");
            w.count::<u16>(256, "b");
            w.count::<u32>(65_536, "c");
        })
        .unwrap();
        assert_eq!(out, [255, 1, 0, 0, 1, 0, 0]);
    }
}
