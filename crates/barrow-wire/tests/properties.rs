//! What holds for every input: decoding is total, framing loses and invents nothing.

use barrow_wire::frame::{FrameDecoder, append};
use barrow_wire::{Decode, Encode, FixedString, VarString, from_bytes, to_bytes};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Encode, Decode, Debug, PartialEq, Clone)]
struct Everything {
    a: u8,
    b: i16,
    c: u32,
    d: i64,
    e: bool,
    name: FixedString<9>,
    pairs: [(u16, u8); 3],
    #[wire(count = u16)]
    words: Vec<u32>,
    boxed: Option<Box<u8>>,
    text: VarString,
}

prop_compose! {
    fn everything()(
        a: u8, b: i16, c: u32, d: i64, e: bool,
        name in "[a-z]{0,8}",
        pairs: [(u16, u8); 3],
        words in vec(any::<u32>(), 0..20),
        boxed: Option<u8>,
        text in "\\PC{0,20}",
    ) -> Everything {
        let name = name.as_str().try_into().expect("at most 8 bytes");
        Everything { a, b, c, d, e, name, pairs, words, boxed: boxed.map(Box::new), text: text.into() }
    }
}

proptest! {
    #[test]
    fn a_value_survives_the_wire(value in everything()) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert!(bytes.len() >= Everything::MIN_LEN);
        prop_assert_eq!(from_bytes::<Everything>(&bytes).unwrap(), value);
    }

    #[test]
    fn no_prefix_of_a_value_is_a_value(value in everything(), cut: prop::sample::Index) {
        let bytes = to_bytes(&value).unwrap();
        let cut = cut.index(bytes.len());
        let error = from_bytes::<Everything>(&bytes[..cut]).unwrap_err();
        prop_assert!(error.offset() <= cut);
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(value) = from_bytes::<Everything>(&bytes) {
            // What was understood is written back the same, up to stale bytes that readers drop.
            let again = to_bytes(&value).unwrap();
            prop_assert_eq!(from_bytes::<Everything>(&again).unwrap(), value);
        }
    }

    #[test]
    fn frames_survive_any_cutting_of_the_stream(
        messages in vec(vec(any::<u8>(), 2..300), 0..20),
        cuts in vec(1_usize..70, 1..50),
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            append(message, &mut stream).unwrap();
        }
        let mut decoder = FrameDecoder::new(300);
        let mut found = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            decoder.push(now);
            while let Some(message) = decoder.next_message().unwrap() {
                found.push(message.to_vec());
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, messages);
        prop_assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn any_stream_is_frames_or_an_error(bytes in vec(any::<u8>(), 0..400)) {
        let mut decoder = FrameDecoder::new(64);
        decoder.push(&bytes);
        let mut total = 0;
        while let Ok(Some(message)) = decoder.next_message() {
            prop_assert!((2..=64).contains(&message.len()));
            total += 16 + message.len();
        }
        prop_assert!(total <= bytes.len());
    }
}
