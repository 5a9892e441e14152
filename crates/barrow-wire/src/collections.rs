//! Rust's own growing types, for a user's own messages.
//!
//! The `.api` language keeps the count of an array in a field of its own, so generated bindings do not use the
//! implementations here. Types of yours may: `Vec<T>` and `&[u8]` are a `u32` count and the elements, `String` and
//! `&str` a `u32` length and UTF-8, `Option<T>` a byte 0 or 1 and the value.

use crate::{Count, Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

impl<T: Encode> Encode for [T] {
    fn encode(&self, w: &mut Writer<'_>) {
        w.count::<u32>(self.len(), "length");
        w.elements(self);
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.as_slice().encode(w);
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = u32::decode(r)?.to_len();
        r.nested(|r| T::decode_many(r, count))
    }
}

impl<'de: 'a, 'a> Decode<'de> for &'a [u8] {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'de>) -> Result<Self, DecodeError> {
        let len = u32::decode(r)?.to_len();
        r.bytes(len)
    }
}

impl Encode for str {
    fn encode(&self, w: &mut Writer<'_>) {
        self.as_bytes().encode(w);
    }
}

impl Encode for String {
    fn encode(&self, w: &mut Writer<'_>) {
        self.as_str().encode(w);
    }
}

impl<'de: 'a, 'a> Decode<'de> for &'a str {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'de>) -> Result<Self, DecodeError> {
        let at = r.clone();
        let bytes = <&[u8]>::decode(r)?;
        std::str::from_utf8(bytes).map_err(|_| at.error(DecodeErrorKind::NotUtf8))
    }
}

impl<'a> Decode<'a> for String {
    const MIN_LEN: usize = u32::MIN_LEN;

    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        <&str>::decode(r).map(str::to_owned)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.is_some().encode(w);
        if let Some(value) = self {
            value.encode(w);
        }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    const MIN_LEN: usize = 1;

    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let present = bool::decode(r)?;
        present.then(|| T::decode(r)).transpose()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, w: &mut Writer<'_>) {
        (**self).encode(w);
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        (**self).encode(w);
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Box<T> {
    // Not `T::MIN_LEN`: a recursive type would then need its own.
    const MIN_LEN: usize = 0;

    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        r.nested(T::decode).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use crate::{DecodeErrorKind, from_bytes, to_bytes};

    #[test]
    fn growing_types_carry_their_length() {
        let value = (vec![1_u16, 2], "ab".to_owned(), Some(9_u8), None::<u32>);
        let bytes = to_bytes(&value).unwrap();
        assert_eq!(bytes, b"\0\0\0\x02\0\x01\0\x02\0\0\0\x02ab\x01\x09\0");
        assert_eq!(
            from_bytes::<(Vec<u16>, String, Option<u8>, Option<u32>)>(&bytes).unwrap(),
            value
        );
    }

    #[test]
    fn text_and_bytes_can_be_borrowed_from_the_input() {
        let bytes = b"\0\0\0\x02hi\0\0\0\x01\xff";
        let (text, raw) = from_bytes::<(&str, &[u8])>(bytes).unwrap();
        assert_eq!((text, raw), ("hi", &[0xff][..]));
        let error = from_bytes::<&str>(&bytes[6..]).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::NotUtf8);
    }

    #[test]
    fn recursion_ends_before_the_stack_does() {
        #[derive(crate::Encode, crate::Decode, Debug)]
        struct Chain {
            _next: Option<Box<Self>>,
        }
        let error = from_bytes::<Chain>(&vec![1; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep);
        assert!(from_bytes::<Chain>(&[1, 1, 1, 0]).is_ok());
    }
}
