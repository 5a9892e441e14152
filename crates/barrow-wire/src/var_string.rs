//! `string x[]`: text behind its length.

use crate::{Count, Decode, DecodeError, Encode, Reader, Writer};
use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

/// Text behind a `u32` length; owned.
///
/// NULs at the end, which some handlers of VPP send along, are dropped when reading, all of them, so that what was
/// read and is written again reads the same. The text need not be UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarString(Vec<u8>);

/// As [`VarString`], borrowed from the input.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarStr<'a>(&'a [u8]);

impl VarString {
    /// Text from bytes in any encoding.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A view of the text.
    pub fn as_var_str(&self) -> VarStr<'_> {
        VarStr(&self.0)
    }

    /// The text as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        self.as_var_str().to_str()
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        self.as_var_str().to_string_lossy()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of text.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> VarStr<'a> {
    /// Text from bytes in any encoding.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The text as bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn to_str(self) -> Result<&'a str, Utf8Error> {
        std::str::from_utf8(self.0)
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// The same text, owned.
    pub fn to_var_string(self) -> VarString {
        VarString(self.0.to_vec())
    }
}

impl Encode for VarStr<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.count::<u32>(self.0.len(), "string");
        w.bytes(self.0);
    }
}

impl<'de: 'a, 'a> Decode<'de> for VarStr<'a> {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'de>) -> Result<Self, DecodeError> {
        let len = u32::decode(r)?.to_len();
        let bytes = r.bytes(len)?;
        let end = bytes.iter().rposition(|&byte| byte != 0);
        Ok(Self(&bytes[..end.map_or(0, |last| last + 1)]))
    }
}

impl Encode for VarString {
    fn encode(&self, w: &mut Writer<'_>) {
        self.as_var_str().encode(w);
    }
}

impl<'a> Decode<'a> for VarString {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        VarStr::decode(r).map(VarStr::to_var_string)
    }
}

impl From<&str> for VarString {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for VarString {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl<'a> From<&'a str> for VarStr<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl PartialEq<str> for VarString {
    fn eq(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }
}

impl PartialEq<&str> for VarString {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl PartialEq<str> for VarStr<'_> {
    fn eq(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }
}

impl fmt::Display for VarString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_var_str(), f)
    }
}

impl fmt::Debug for VarString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_var_str(), f)
    }
}

impl fmt::Display for VarStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl fmt::Debug for VarStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{from_bytes, to_bytes};

    #[test]
    fn text_stands_behind_its_length() {
        let text = VarString::from("loop");
        assert_eq!(to_bytes(&text).unwrap(), b"\0\0\0\x04loop");
        assert_eq!(from_bytes::<VarString>(b"\0\0\0\x04loopX").unwrap(), text);
        assert_eq!(to_bytes(&VarString::default()).unwrap(), [0; 4]);
    }

    #[test]
    fn nuls_at_the_end_are_dropped() {
        assert_eq!(from_bytes::<VarString>(b"\0\0\0\x03ab\0").unwrap(), "ab");
        assert_eq!(from_bytes::<VarString>(b"\0\0\0\x01\0").unwrap(), "");
    }

    #[test]
    fn a_length_beyond_the_input_is_refused() {
        assert!(from_bytes::<VarString>(b"\xff\xff\xff\xfftext").is_err());
    }

    #[test]
    fn borrowed_text_is_the_input() {
        let input = b"\0\0\0\x02ab";
        let text = from_bytes::<VarStr<'_>>(input).unwrap();
        assert_eq!(text.as_bytes().as_ptr(), input[4..].as_ptr());
    }
}
