//! Members of unions, for generated code.

use crate::{DecodeOwned, Encode, Writer, from_bytes};

/// The bytes of a union as one of its members.
///
/// # Panics
/// When the bytes hold no such value: the member must be no longer than the union, and of a type whose decoding
/// cannot fail otherwise. What the interface language allows in a union is.
pub fn from_union<T: DecodeOwned>(bytes: &[u8]) -> T {
    from_bytes(bytes).expect("a union holds each of its members")
}

/// The bytes of a union that holds `member`; what is behind it is zero.
///
/// # Panics
/// When the member is longer than the union.
pub fn to_union<T: Encode, const N: usize>(member: &T) -> [u8; N] {
    let mut bytes = Vec::with_capacity(N);
    Writer::run(&mut bytes, |w| member.encode(w)).expect("members of unions count nothing");
    assert!(
        bytes.len() <= N,
        "a union is as large as its largest member"
    );
    let mut union = [0; N];
    union[..bytes.len()].copy_from_slice(&bytes);
    union
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_stands_at_the_front_and_zeros_behind() {
        let union: [u8; 8] = to_union(&0x0102_0304_u32);
        assert_eq!(union, [1, 2, 3, 4, 0, 0, 0, 0]);
        assert_eq!(from_union::<u32>(&union), 0x0102_0304);
        assert_eq!(from_union::<[u16; 2]>(&union), [0x0102, 0x0304]);
    }
}
