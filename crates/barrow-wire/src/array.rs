//! Arrays of fixed length: their elements, nothing else.

use crate::{Decode, DecodeError, Encode, Reader, Writer};

impl<T: Encode, const N: usize> Encode for [T; N] {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.elements(self);
    }
}

impl<'a, T: Decode<'a>, const N: usize> Decode<'a> for [T; N] {
    const MIN_LEN: usize = N * T::MIN_LEN;

    #[inline]
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        T::decode_array(r)
    }
}

macro_rules! tuple {
    ($($field:ident),+) => {
        #[expect(non_snake_case, reason = "a type parameter's name serves for its value")]
        impl<$($field: Encode),+> Encode for ($($field,)+) {
            fn encode(&self, w: &mut Writer<'_>) {
                let ($($field,)+) = self;
                $($field.encode(w);)+
            }
        }

        impl<'a, $($field: Decode<'a>),+> Decode<'a> for ($($field,)+) {
            const MIN_LEN: usize = 0 $(+ $field::MIN_LEN)+;

            fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
                Ok(($($field::decode(r)?,)+))
            }
        }
    };
}
tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);

impl Encode for () {
    fn encode(&self, _: &mut Writer<'_>) {}
}

impl<'a> Decode<'a> for () {
    const MIN_LEN: usize = 0;

    fn decode(_: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Decode, from_bytes, to_bytes};

    #[test]
    fn arrays_and_tuples_are_packed() {
        let value = ([1_u16, 2], [7_u8; 3], true);
        let bytes = to_bytes(&value).unwrap();
        assert_eq!(bytes, [0, 1, 0, 2, 7, 7, 7, 1]);
        assert_eq!(
            from_bytes::<([u16; 2], [u8; 3], bool)>(&bytes).unwrap(),
            value
        );
        assert_eq!(<([u16; 2], [u8; 3], bool)>::MIN_LEN, bytes.len());
    }
}
