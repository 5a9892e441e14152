//! Integers (big-endian), `bool`, `f64` (little-endian) and IP addresses.

use crate::{Decode, DecodeError, Encode, Reader, Writer};
use std::net::{Ipv4Addr, Ipv6Addr};

macro_rules! integer {
    ($($int:ty),*) => {$(
        impl Encode for $int {
            #[inline]
            fn encode(&self, w: &mut Writer<'_>) {
                w.bytes(&self.to_be_bytes());
            }
        }

        impl<'a> Decode<'a> for $int {
            const MIN_LEN: usize = size_of::<Self>();

            #[inline]
            fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
                r.array().map(Self::from_be_bytes)
            }
        }
    )*};
}
integer!(u16, u32, u64, i8, i16, i32, i64);

impl Encode for u8 {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[*self]);
    }

    #[inline]
    fn encode_many(values: &[Self], w: &mut Writer<'_>) {
        w.bytes(values);
    }
}

impl<'a> Decode<'a> for u8 {
    const MIN_LEN: usize = 1;

    #[inline]
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        r.array().map(|[byte]| byte)
    }

    #[inline]
    fn decode_many(r: &mut Reader<'a>, count: usize) -> Result<Vec<Self>, DecodeError> {
        Ok(r.bytes(count)?.to_vec())
    }

    #[inline]
    fn decode_array<const N: usize>(r: &mut Reader<'a>) -> Result<[Self; N], DecodeError> {
        r.array()
    }
}

/// One byte: 0 or 1; any other is read as true.
impl Encode for bool {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[u8::from(*self)]);
    }
}

impl<'a> Decode<'a> for bool {
    const MIN_LEN: usize = 1;

    #[inline]
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        u8::decode(r).map(|byte| byte != 0)
    }
}

/// Little-endian, unlike everything else: VPP sends a double in the order of its machine.
impl Encode for f64 {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.to_le_bytes());
    }
}

impl<'a> Decode<'a> for f64 {
    const MIN_LEN: usize = 8;

    #[inline]
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        r.array().map(Self::from_le_bytes)
    }
}

macro_rules! address {
    ($($address:ty),*) => {$(
        impl Encode for $address {
            #[inline]
            fn encode(&self, w: &mut Writer<'_>) {
                w.bytes(&self.octets());
            }
        }

        impl<'a> Decode<'a> for $address {
            const MIN_LEN: usize = size_of::<Self>();

            #[inline]
            fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
                r.array().map(Self::from_octets)
            }
        }
    )*};
}
address!(Ipv4Addr, Ipv6Addr);

#[cfg(test)]
mod tests {
    use crate::{from_bytes, to_bytes};
    use std::net::Ipv4Addr;

    #[test]
    fn integers_are_big_endian() {
        assert_eq!(to_bytes(&0x0102_u16).unwrap(), [1, 2]);
        assert_eq!(to_bytes(&-2_i32).unwrap(), [0xff, 0xff, 0xff, 0xfe]);
        assert_eq!(from_bytes::<u64>(&[0, 0, 0, 0, 0, 0, 1, 2]).unwrap(), 258);
        assert_eq!(from_bytes::<i8>(&[0x80]).unwrap(), -128);
    }

    #[test]
    fn a_double_is_little_endian() {
        assert_eq!(to_bytes(&1.0_f64).unwrap(), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(
            from_bytes::<f64>(&[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]).unwrap(),
            1.0
        );
    }

    #[test]
    fn any_byte_but_zero_is_true() {
        assert!(from_bytes::<bool>(&[0x80]).unwrap());
        assert!(!from_bytes::<bool>(&[0]).unwrap());
        assert_eq!(to_bytes(&true).unwrap(), [1]);
    }

    #[test]
    fn addresses_are_their_octets() {
        let address = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(to_bytes(&address).unwrap(), [192, 0, 2, 1]);
        assert_eq!(from_bytes::<Ipv4Addr>(&[192, 0, 2, 1]).unwrap(), address);
    }
}
