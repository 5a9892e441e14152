//! Frames that VPP's own Python client made, through the dynamic codec and the generated types.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

#[macro_use]
mod all_messages;
mod shared;

use barrow_api::Schema;
use barrow_messages::dynamic::{Codec, JsonRules, Message};
use barrow_wire::{Header, HeaderKind};
use serde_json::{Map, Value as Json};

/// A frame of `golden-frames.json`.
struct Golden {
    name: String,
    crc: u32,
    header: Header,
    /// The fields, in the form that the codec reads.
    fields: Json,
    /// The message, without the header of the frame.
    message: Vec<u8>,
}

impl Golden {
    /// What of the header there is in a message of this kind.
    fn header(&self, kind: HeaderKind) -> Header {
        let if_any = |there: bool, value: u32| if there { value } else { 0 };
        Header {
            client_index: if_any(kind.has_client_index(), self.header.client_index),
            context: if_any(kind.has_context(), self.header.context),
            ..self.header
        }
    }
}

fn golden_frames() -> Option<Vec<Golden>> {
    let text = shared::read(&shared::vpp()?.join("golden-frames.json"));
    let frames: Vec<Json> = serde_json::from_str(&text).unwrap();
    Some(frames.iter().map(golden_frame).collect())
}

fn golden_frame(json: &Json) -> Golden {
    let name = json["message"].as_str().unwrap().to_owned();
    let crc = json["crc"].as_str().unwrap().trim_start_matches("0x");
    let hex = json["hex"].as_str().unwrap();
    let frame: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let (frame_header, message) = frame.split_at(16);
    assert_eq!(
        frame_header[8..12],
        u32::try_from(message.len()).unwrap().to_be_bytes()
    );

    let mut fields = json["fields"].as_object().unwrap().clone();
    let number = |name: &str| fields.get(name).and_then(Json::as_u64).unwrap_or(0);
    let header = Header {
        id: number("_vl_msg_id").try_into().unwrap(),
        client_index: number("client_index").try_into().unwrap(),
        context: number("context").try_into().unwrap(),
    };
    fields.remove("_vl_msg_id");
    fields.insert("_msgname".into(), Json::from(name.as_str()));
    Golden {
        crc: u32::from_str_radix(crc, 16).unwrap(),
        name,
        header,
        fields: octets_as_ours(Json::Object(fields)),
        message: message.to_vec(),
    }
}

/// `hex:` before octets becomes `0x`.
fn octets_as_ours(json: Json) -> Json {
    match json {
        Json::String(text) => match text.strip_prefix("hex:") {
            Some(digits) => Json::String(format!("0x{digits}")),
            None => Json::String(text),
        },
        Json::Array(elements) => elements.into_iter().map(octets_as_ours).collect(),
        Json::Object(members) => {
            let members = members.into_iter();
            Json::Object(
                members
                    .map(|(name, json)| (name, octets_as_ours(json)))
                    .collect(),
            )
        }
        json => json,
    }
}

/// All schemas of VPP 26.06.
fn vpp_schemas() -> Option<Vec<Schema>> {
    let api = shared::vpp()?.join("api-json");
    let mut schemas = Vec::new();
    for folder in ["core", "plugins"] {
        for entry in std::fs::read_dir(api.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let schema = barrow_api::json::read(&shared::read(&path));
            schemas.push(schema.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
    Some(schemas)
}

#[test]
fn all_frames_encode_and_decode_through_the_dynamic_codec() {
    let (Some(frames), Some(schemas)) = (golden_frames(), vpp_schemas()) else {
        return;
    };
    assert_eq!(frames.len(), 119);
    assert_eq!(schemas.len(), 150);
    let codec = Codec::new(&schemas).unwrap();
    assert_eq!(codec.definitions().count(), 2093);
    // The fields of the header are in the list of fields, too.
    let rules = JsonRules {
        fill_missing: false,
        ignore_unknown: true,
        other_crc: false,
    };
    for frame in frames {
        let name = &frame.name;
        let definition = codec.definition(name).unwrap();
        assert_eq!(definition.crc(), frame.crc, "{name}");
        let header = frame.header(definition.header());
        let message = codec.from_json(&frame.fields, rules).unwrap();
        let message = Message { header, ..message };
        assert_eq!(codec.encode(&message).unwrap(), frame.message, "{name}");
        let decoded = codec.decode(name, &frame.message).unwrap();
        assert_eq!(decoded, message, "{name}");

        let json = codec.to_json(&decoded).unwrap();
        let text = serde_json::to_string(&json).unwrap();
        let read: Json = serde_json::from_str(&text).unwrap();
        let read = codec.from_json(&read, JsonRules::REPLAY).unwrap();
        let read = Message { header, ..read };
        assert_eq!(codec.encode(&read).unwrap(), frame.message, "{name}");

        for end in 0..frame.message.len() {
            codec.decode(name, &frame.message[..end]).unwrap_err();
        }
    }
}

#[test]
fn every_message_of_vpp_has_a_default_that_survives() {
    let Some(schemas) = vpp_schemas() else { return };
    let codec = Codec::new(&schemas).unwrap();
    for definition in codec.definitions() {
        let message = definition.default_message();
        let bytes = codec.encode(&message).unwrap();
        assert_eq!(bytes.len(), definition.min_len(), "{}", definition.name());
        assert_eq!(codec.decode(definition.name(), &bytes).unwrap(), message);
        let json = codec.to_json(&message).unwrap();
        assert_eq!(codec.from_json(&json, JsonRules::REPLAY).unwrap(), message);
        let by_hand = Json::Object(Map::from_iter([(
            "_msgname".into(),
            definition.name().into(),
        )]));
        assert_eq!(
            codec.from_json(&by_hand, JsonRules::BY_HAND).unwrap(),
            message
        );
    }
}

#[test]
fn frames_of_our_messages_pass_through_the_generated_types() {
    fn check<M: barrow_wire::Message>(frames: &[Golden], checked: &mut usize) {
        for frame in frames.iter().filter(|frame| frame.name == M::NAME) {
            assert_eq!(M::CRC, frame.crc, "{}", M::NAME);
            let (header, message) = barrow_wire::decode_message::<M>(&frame.message).unwrap();
            assert_eq!(header, frame.header(M::HEADER), "{}", M::NAME);
            let mut bytes = Vec::new();
            barrow_wire::encode_message(header, &message, &mut bytes).unwrap();
            assert_eq!(bytes, frame.message, "{}", M::NAME);
            *checked += 1;
        }
    }
    let Some(frames) = golden_frames() else {
        return;
    };
    let mut checked = 0;
    for_each_message!(check(&frames, &mut checked));
    assert_eq!(checked, 60, "frames of our messages");
}
