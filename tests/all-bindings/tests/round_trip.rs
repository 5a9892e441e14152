//! Every message of VPP 26.06: the generated code and the dynamic codec agree on its bytes.

use barrow_all_bindings::{MODULES, Visitor, each};
use barrow_messages::dynamic::Codec;
use barrow_wire::{Header, Message, decode_message, encode_message};

fn codec() -> Option<Codec> {
    if MODULES.is_empty() {
        eprintln!("skipped: no facts about VPP beside the project");
        return None;
    }
    let codec = Codec::of_modules(MODULES.iter().copied());
    Some(codec.expect("every definition has a form as bytes"))
}

/// Encodes with the generated code, reads with the dynamic codec, and the other way round.
struct Compare {
    codec: Codec,
    random: u64,
    compared: usize,
    read: usize,
}

impl Visitor for Compare {
    fn visit<M: Message>(&mut self) {
        let header = Header::default();
        let mut bytes = Vec::new();
        encode_message(header, &M::default(), &mut bytes).expect("defaults have a form as bytes");
        let read = self.codec.decode(M::NAME, &bytes).expect(M::NAME);
        let again = self.codec.encode(&read).expect(M::NAME);
        assert_eq!(again, bytes, "{}", M::NAME);
        for _ in 0..20 {
            self.any_bytes::<M>();
        }
        self.compared += 1;
    }
}

impl Compare {
    /// Both codecs read the same bytes, or both refuse them; what was read is written alike.
    fn any_bytes<M: Message>(&mut self) {
        let len = M::MIN_MESSAGE_LEN + self.next() as usize % 64;
        // Small numbers are likelier to be counts that fit.
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                if self.next().is_multiple_of(4) {
                    self.next() as u8
                } else {
                    0
                }
            })
            .collect();
        let typed = decode_message::<M>(&bytes);
        let dynamic = self.codec.decode(M::NAME, &bytes);
        let (Ok((header, typed)), Ok(dynamic)) = (&typed, &dynamic) else {
            assert_eq!(typed.is_ok(), dynamic.is_ok(), "{}: {bytes:02x?}", M::NAME);
            return;
        };
        let mut written = Vec::new();
        encode_message(*header, typed, &mut written).expect(M::NAME);
        assert_eq!(
            self.codec.encode(dynamic).expect(M::NAME),
            written,
            "{}",
            M::NAME
        );
        let (_, again) = decode_message::<M>(&written).expect(M::NAME);
        let mut twice = Vec::new();
        encode_message(*header, &again, &mut twice).expect(M::NAME);
        assert_eq!(twice, written, "{}", M::NAME);
        self.read += 1;
    }

    /// The next number of a xorshift generator: the same in every run.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[test]
fn generated_and_dynamic_code_agree_on_every_message() {
    let Some(codec) = codec() else { return };
    let mut compare = Compare {
        codec,
        random: 0x9e37_79b9_7f4a_7c15,
        compared: 0,
        read: 0,
    };
    each(&mut compare);
    assert_eq!(compare.compared, 2093);
    assert!(
        compare.read > 20_000,
        "{} of 41,860 were messages",
        compare.read
    );
}

#[test]
fn all_messages_are_there_or_none() {
    let count: usize = MODULES.iter().map(|module| module.messages.len()).sum();
    match count {
        0 => eprintln!("skipped: no facts about VPP beside the project"),
        count => assert_eq!(count, 2093),
    }
}

#[test]
fn names_crcs_and_shortest_lengths_are_those_of_the_definitions() {
    let Some(codec) = codec() else { return };
    for message in MODULES.iter().flat_map(|module| module.messages) {
        let definition = codec.definition(message.name).expect("it is defined");
        assert_eq!(definition.crc(), message.crc, "{}", message.name);
        assert_eq!(definition.header(), message.header, "{}", message.name);
        assert_eq!(definition.min_len(), message.min_len, "{}", message.name);
        let default = definition.default_message();
        let bytes = codec
            .encode(&default)
            .expect("defaults have a form as bytes");
        let read = codec.decode(message.name, &bytes).expect("it is whole");
        assert_eq!(read.fields, default.fields, "{}", message.name);
    }
}
