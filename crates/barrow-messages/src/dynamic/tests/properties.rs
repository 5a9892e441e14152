//! What holds for every message.

use barrow_wire::Header;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::super::plan::{Element, Kind, Length, Shape};
use super::super::*;
use super::codec;
use super::maker::Maker;

/// The codecs to test: that of this file and that of the crate.
fn codecs() -> &'static [Codec] {
    static CODECS: std::sync::OnceLock<Vec<Codec>> = std::sync::OnceLock::new();
    CODECS.get_or_init(|| vec![codec(), Codec::of_this_crate()])
}

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    // SplitMix64.
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn random_message(codec: &Codec, index: usize, seed: u64) -> Message {
    let definitions: Vec<_> = codec.plan().messages.iter().collect();
    let plan = definitions[index % definitions.len()];
    let mut random = random(seed);
    let mut maker = Maker {
        plan: codec.plan(),
        random: &mut random,
    };
    let fields = maker.fields(&plan.body);
    Message {
        name: plan.name.clone(),
        header: Header::default(),
        fields,
    }
}

/// JSON of any shape, with names and texts that the definitions know.
fn any_json() -> impl Strategy<Value = Json> {
    let word = prop_oneof![
        Just("color"),
        Just("route"),
        Just("hops"),
        Just("via"),
        Just("af"),
        Just("un"),
        Just("ip4"),
        Just("0x0102"),
        Just("RED"),
        Just("::1"),
        Just("hex"),
        Just("10.0.0.0/8"),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        word.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn every_message_survives_bytes(index: usize, seed: u64) {
        for codec in codecs() {
            let message = random_message(codec, index, seed);
            let bytes = codec.encode(&message).unwrap();
            prop_assert_eq!(codec.decode(&message.name, &bytes).unwrap(), message);
        }
    }

    #[test]
    fn every_message_survives_json_text(index: usize, seed: u64) {
        for codec in codecs() {
            let message = random_message(codec, index, seed);
            let text = serde_json::to_string(&codec.to_json(&message).unwrap()).unwrap();
            let json: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(codec.from_json(&json, JsonRules::REPLAY).unwrap(), message);
        }
    }

    #[test]
    fn a_message_cut_short_is_truncated(index: usize, seed: u64, cut: usize) {
        for codec in codecs() {
            let message = random_message(codec, index, seed);
            let bytes = codec.encode(&message).unwrap();
            let error = codec.decode(&message.name, &bytes[..cut % bytes.len()]).unwrap_err();
            let truncated = matches!(error.kind(), CodecErrorKind::Truncated { .. });
            prop_assert!(truncated, "{}", error);
        }
    }

    #[test]
    fn whatever_decodes_encodes_and_has_a_json_form(
        index: usize, seed: u64, junk: Vec<u8>, at: usize,
    ) {
        for codec in codecs() {
            let message = random_message(codec, index, seed);
            let mut bytes = codec.encode(&message).unwrap();
            let at = at % (bytes.len() + 1);
            let end = bytes.len().min(at + junk.len());
            bytes.splice(at..end, junk.iter().copied());
            let Ok(decoded) = codec.decode(&message.name, &bytes) else { continue };
            let again = codec.encode(&decoded).unwrap();
            let twice = codec.decode(&message.name, &again).unwrap();
            prop_assert_eq!(codec.encode(&twice).unwrap(), again);
            codec.to_json(&decoded).unwrap();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(index: usize, bytes: Vec<u8>) {
        for codec in codecs() {
            let messages = &codec.plan().messages;
            let _ = codec.decode(&messages[index % messages.len()].name, &bytes);
        }
    }

    #[test]
    fn arbitrary_json_never_panics(index: usize, mut json in any_json(), fill: bool) {
        for codec in codecs() {
            let messages = &codec.plan().messages;
            let name = &messages[index % messages.len()].name;
            if let Some(object) = json.as_object_mut() {
                object.insert("_msgname".into(), Json::from(&**name));
            }
            let rules = JsonRules { fill_missing: fill, ignore_unknown: true, other_crc: true };
            if let Ok(message) = codec.from_json(&json, rules) {
                let _ = codec.encode(&message);
            }
        }
    }
}

/// Every kind of element occurs in the definitions above, so that the properties cover them.
#[test]
fn the_definitions_cover_all_shapes() {
    let codec = codec();
    let shapes = |wanted: fn(&Shape) -> bool| {
        let bodies = codec.plan().messages.iter().map(|message| &message.body);
        let types = codec
            .plan()
            .types
            .iter()
            .filter_map(|this| match &this.kind {
                Kind::Struct(plan) => Some(plan),
                _ => None,
            });
        bodies
            .chain(types)
            .flat_map(|plan| &plan.fields)
            .any(|field| wanted(&field.shape))
    };
    assert!(shapes(|shape| matches!(shape, Shape::FixedText(_))));
    assert!(shapes(|shape| matches!(shape, Shape::VarText)));
    assert!(shapes(|shape| matches!(
        shape,
        Shape::Bytes(Length::Fixed(_))
    )));
    assert!(shapes(|shape| matches!(
        shape,
        Shape::Bytes(Length::Counted(_))
    )));
    assert!(shapes(|shape| matches!(
        shape,
        Shape::Array(Element::Scalar(_), _)
    )));
    assert!(shapes(|shape| matches!(
        shape,
        Shape::Array(Element::Type(_), Length::Counted(_))
    )));
}
