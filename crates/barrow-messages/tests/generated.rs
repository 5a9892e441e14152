//! The generated types and the dynamic codec agree, on sound and on corrupt messages.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

#[macro_use]
mod all_messages;

use barrow_messages::dynamic::Codec;
use barrow_wire::{Header, Message, decode_message, encode_message};
use proptest::prelude::*;

/// Decodes `bytes` both ways, and encodes again what came out.
fn agree<M: Message>(codec: &Codec, bytes: &[u8]) {
    let generated = decode_message::<M>(bytes);
    let dynamic = codec.decode(M::NAME, bytes);
    match (generated, dynamic) {
        (Ok((header, message)), Ok(dynamic)) => {
            assert_eq!(header, dynamic.header, "{}", M::NAME);
            let mut again = Vec::new();
            encode_message(header, &message, &mut again).unwrap();
            assert_eq!(again, codec.encode(&dynamic).unwrap(), "{}", M::NAME);
            // What was read may hold what is not written, such as bytes behind a NUL; what was
            // written may not.
            let (_, twice) = decode_message::<M>(&again).unwrap();
            let mut once_more = Vec::new();
            encode_message(header, &twice, &mut once_more).unwrap();
            assert_eq!(once_more, again, "{}", M::NAME);
        }
        (Err(_), Err(_)) => {}
        (generated, dynamic) => {
            panic!("{}: generated {generated:?}, dynamic {dynamic:?}", M::NAME)
        }
    }
}

/// The default of the generated type and that of the definition are the same bytes.
fn same_default<M: Message>(codec: &Codec) {
    let mut generated = Vec::new();
    encode_message(Header::default(), &M::default(), &mut generated).unwrap();
    let definition = codec.definition(M::NAME).unwrap();
    assert_eq!(definition.header(), M::HEADER, "{}", M::NAME);
    assert_eq!(definition.min_len(), M::MIN_MESSAGE_LEN, "{}", M::NAME);
    assert_eq!(definition.crc(), M::CRC, "{}", M::NAME);
    let dynamic = codec.encode(&definition.default_message()).unwrap();
    assert_eq!(generated, dynamic, "{}", M::NAME);
    agree::<M>(codec, &generated);
    for end in 0..generated.len() {
        agree::<M>(codec, &generated[..end]);
    }
}

#[test]
fn defaults_are_those_of_the_definitions() {
    let codec = Codec::of_this_crate();
    for_each_message!(same_default(&codec));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_read_the_same_both_ways(
        bytes in prop::collection::vec(any::<u8>(), 0..1200),
    ) {
        let codec = Codec::of_this_crate();
        for_each_message!(agree(&codec, &bytes));
    }

    /// Small numbers make small counts, which random bytes hardly ever are.
    #[test]
    fn small_numbers_read_the_same_both_ways(
        bytes in prop::collection::vec(
            prop_oneof![8 => Just(0_u8), 2 => 0_u8..4, 1 => any::<u8>()],
            0..1200,
        ),
    ) {
        let codec = Codec::of_this_crate();
        for_each_message!(agree(&codec, &bytes));
    }
}
