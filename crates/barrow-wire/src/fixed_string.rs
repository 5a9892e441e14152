//! `string x[N]`: text in a field of fixed size.

use crate::{Decode, DecodeError, Encode, Reader, Writer};
use std::borrow::Cow;
use std::fmt;
use std::str::{FromStr, Utf8Error};

/// Text in exactly `N` bytes, ended by a NUL unless it fills them all.
///
/// Writers leave room for the NUL (at most `N - 1` bytes of text: VPP and its Python client insist), readers accept
/// text without one. What stands behind the NUL is not kept: it is stale memory when it comes from VPP. The text
/// need not be UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedString<const N: usize> {
    /// Invariant: everything behind the first NUL is NUL, so that equal texts are equal arrays.
    bytes: [u8; N],
}

/// Text that a [`FixedString`] cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FixedStringError {
    /// No room, counting the NUL at the end.
    #[error("text of {len} bytes, at most {max} fit")]
    TooLong {
        /// Bytes of the text.
        len: usize,
        /// The most that fit.
        max: usize,
    },
    /// The text contains a NUL, which would end it.
    #[error("text contains a NUL at byte {offset}")]
    Nul {
        /// Where.
        offset: usize,
    },
}

impl<const N: usize> FixedString<N> {
    /// The most bytes of text that are written: one less than the field, for the NUL.
    pub const MAX_LEN: usize = N.saturating_sub(1);

    /// The empty text.
    pub const EMPTY: Self = Self { bytes: [0; N] };

    /// `text` in a field of `N` bytes.
    ///
    /// # Errors
    /// When it is longer than [`MAX_LEN`](Self::MAX_LEN) or contains a NUL.
    pub fn new(text: &str) -> Result<Self, FixedStringError> {
        if text.len() > Self::MAX_LEN {
            return Err(FixedStringError::TooLong {
                len: text.len(),
                max: Self::MAX_LEN,
            });
        }
        match text.bytes().position(|byte| byte == 0) {
            Some(offset) => Err(FixedStringError::Nul { offset }),
            None => Ok(Self::filled(text.as_bytes())),
        }
    }

    /// As much of `text` as fits, cut between two characters and before a NUL. For servers, which have to say
    /// something.
    pub fn truncated(text: &str) -> Self {
        let end = text.floor_char_boundary(Self::MAX_LEN);
        let text = &text.as_bytes()[..end];
        Self::filled(before_nul(text))
    }

    /// The text as bytes, up to the first NUL.
    pub fn as_bytes(&self) -> &[u8] {
        before_nul(&self.bytes)
    }

    /// The text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.as_bytes())
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Bytes of text.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    fn filled(text: &[u8]) -> Self {
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text);
        Self { bytes }
    }
}

fn before_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    &bytes[..end]
}

impl<const N: usize> Encode for FixedString<N> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.bytes);
    }
}

impl<'a, const N: usize> Decode<'a> for FixedString<N> {
    const MIN_LEN: usize = N;

    #[inline]
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        r.bytes(N).map(|bytes| Self::filled(before_nul(bytes)))
    }
}

impl<const N: usize> Default for FixedString<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> TryFrom<&str> for FixedString<N> {
    type Error = FixedStringError;

    fn try_from(text: &str) -> Result<Self, FixedStringError> {
        Self::new(text)
    }
}

impl<const N: usize> TryFrom<String> for FixedString<N> {
    type Error = FixedStringError;

    fn try_from(text: String) -> Result<Self, FixedStringError> {
        Self::new(&text)
    }
}

impl<const N: usize> FromStr for FixedString<N> {
    type Err = FixedStringError;

    fn from_str(text: &str) -> Result<Self, FixedStringError> {
        Self::new(text)
    }
}

impl<const N: usize> PartialEq<str> for FixedString<N> {
    fn eq(&self, text: &str) -> bool {
        self.as_bytes() == text.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for FixedString<N> {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl<const N: usize> fmt::Display for FixedString<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl<const N: usize> fmt::Debug for FixedString<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{from_bytes, to_bytes};

    #[test]
    fn text_is_padded_with_nul() {
        let text = FixedString::<6>::new("abc").unwrap();
        assert_eq!(to_bytes(&text).unwrap(), b"abc\0\0\0");
    }

    #[test]
    fn bytes_behind_the_nul_are_not_kept() {
        let text = from_bytes::<FixedString<6>>(b"ab\0xy\0").unwrap();
        assert_eq!(text, "ab");
        assert_eq!(text, FixedString::new("ab").unwrap());
        assert_eq!(to_bytes(&text).unwrap(), b"ab\0\0\0\0");
    }

    #[test]
    fn a_field_full_to_the_brim_is_read_and_written_back() {
        let text = from_bytes::<FixedString<4>>(b"abcd").unwrap();
        assert_eq!(text.to_str(), Ok("abcd"));
        assert_eq!(to_bytes(&text).unwrap(), b"abcd");
    }

    #[test]
    fn text_without_room_for_the_nul_is_refused() {
        let too_long = FixedStringError::TooLong { len: 4, max: 3 };
        assert_eq!(FixedString::<4>::new("abcd"), Err(too_long));
        assert_eq!(
            FixedString::<4>::new("a\0"),
            Err(FixedStringError::Nul { offset: 1 })
        );
        assert_eq!(FixedString::<0>::EMPTY.as_bytes(), b"");
    }

    #[test]
    fn truncation_keeps_whole_characters() {
        assert_eq!(FixedString::<6>::truncated("abcdefgh"), "abcde");
        assert_eq!(FixedString::<4>::truncated("ab\u{e9}"), "ab");
        assert_eq!(FixedString::<8>::truncated("a\0b"), "a");
    }

    #[test]
    fn text_need_not_be_utf8() {
        let text = from_bytes::<FixedString<3>>(b"a\xff\0").unwrap();
        assert!(text.to_str().is_err());
        assert_eq!(text.to_string(), "a\u{fffd}");
        assert_eq!(to_bytes(&text).unwrap(), b"a\xff\0");
    }
}
