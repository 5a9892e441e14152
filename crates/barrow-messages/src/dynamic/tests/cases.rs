//! One case a test.

use barrow_api::{NoImports, parse, resolve};
use barrow_wire::{Header, HeaderKind, ModuleInfo};
use serde_json::{Value as Json, json};

use super::super::*;
use super::{API, codec, schema};

fn by_hand(codec: &Codec, json: &Json) -> Message {
    codec.from_json(json, JsonRules::BY_HAND).unwrap()
}

/// The error of reading `json`, as field and text.
fn refused(json: &Json, rules: JsonRules) -> String {
    codec().from_json(json, rules).unwrap_err().to_string()
}

#[test]
fn integers_are_big_endian_and_floats_little_endian() {
    let codec = codec();
    let message = by_hand(
        &codec,
        &json!({
            "_msgname": "numbers", "yes": true, "a": 1, "b": 2, "c": 3, "d": 4,
            "e": -1, "f": -2, "g": -3, "h": -4, "i": 1.0, "j": -2.0, "k": 5,
        }),
    );
    let header = Header {
        id: 7,
        client_index: 0x8000_0001,
        context: 9,
    };
    let bytes = codec
        .encode(&Message {
            header,
            ..message.clone()
        })
        .unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "0007800000010000000901010002000000030000000000000004fffffefffffffdfffffffffffffffc\
         000000000000f03f00000000000000c000000005"
    );
    let read = codec.decode("numbers", &bytes).unwrap();
    assert_eq!(read.header, header);
    assert_eq!(read.fields, message.fields);
}

#[test]
fn headers_are_told_by_fields_and_services() {
    let codec = codec();
    let header = |name| codec.definition(name).unwrap().header();
    assert_eq!(header("numbers"), HeaderKind::Request);
    assert_eq!(header("numbers_reply"), HeaderKind::Reply);
    assert_eq!(header("odd"), HeaderKind::ContextOnly);
    assert_eq!(header("odd_reply"), HeaderKind::ClientThenContext);
    assert_eq!(header("shout_event"), HeaderKind::Event);
    assert_eq!(codec.definition("odd").unwrap().min_len(), 2 + 4 + 1);
    assert!(codec.definition("absent").is_none());
}

#[test]
fn sixty_four_bit_integers_keep_all_digits_in_json() {
    let codec = codec();
    let definition = codec.definition("numbers").unwrap();
    let mut message = definition.default_message();
    message.fields.set("d", u64::MAX);
    message.fields.set("h", i64::MIN);
    let json = codec.to_json(&message).unwrap();
    let text = serde_json::to_string(&json).unwrap();
    assert!(text.contains("\"d\":18446744073709551615"), "{text}");
    assert!(text.contains("\"h\":-9223372036854775808"), "{text}");
    let read: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(codec.from_json(&read, JsonRules::REPLAY).unwrap(), message);
}

#[test]
fn what_is_missing_takes_its_default_when_written_by_hand() {
    let codec = codec();
    let message = by_hand(&codec, &json!({"_msgname": "numbers"}));
    assert_eq!(
        message,
        codec.definition("numbers").unwrap().default_message()
    );
    assert_eq!(
        message.fields.get("yes").and_then(Value::as_bool),
        Some(true)
    );
    assert_eq!(
        message.fields.get("c").and_then(Value::as_u64),
        Some(0xffff_ffff)
    );
    assert_eq!(message.fields.get("i").and_then(Value::as_f64), Some(1.5));
    let hop = json!({"_msgname": "add_route", "route": {"hops": [{"via": "::1"}]}});
    let hop = by_hand(&codec, &hop);
    let hops = hop
        .fields
        .get("route")
        .and_then(|route| route.get("hops"))
        .unwrap();
    assert_eq!(
        hops.as_array().unwrap()[0].get("weight"),
        Some(&Value::Unsigned(1))
    );
}

#[test]
fn enumerations_and_flags_are_names_and_what_has_no_name_survives() {
    let codec = codec();
    let mut message = codec.definition("names").unwrap().default_message();
    let json = |message: &Message| codec.to_json(message).unwrap();
    assert_eq!(json(&message)["color"], "GREEN");
    assert_eq!(json(&message)["depth"], "FLAT");
    assert_eq!(json(&message)["options"], json!([]));
    message.fields.set("color", 3_u8);
    message.fields.set("depth", -6_i32);
    message.fields.set("options", 0x8005_u16);
    assert_eq!(json(&message)["color"], 3);
    assert_eq!(json(&message)["depth"], -6);
    assert_eq!(
        json(&message)["options"],
        json!(["OPTION_A", "OPTION_C", 4])
    );
    assert_eq!(
        codec.from_json(&json(&message), JsonRules::REPLAY).unwrap(),
        message
    );
    let names = json!({"_msgname": "names", "color": "BLUE", "depth": "DEEP", "options": 3});
    let message = by_hand(&codec, &names);
    assert_eq!(message.fields.get("color"), Some(&Value::Unsigned(200)));
    assert_eq!(message.fields.get("depth"), Some(&Value::Signed(-5)));
    assert_eq!(message.fields.get("options"), Some(&Value::Unsigned(3)));
}

#[test]
fn text_survives_even_when_it_is_not_utf8() {
    let codec = codec();
    let mut message = codec.definition("names").unwrap().default_message();
    message.fields.set("fixed", "eight ch");
    message
        .fields
        .set("text", Value::Text(vec![b'a', 0xff, 0, b'b']));
    let bytes = codec.encode(&message).unwrap();
    assert_eq!(codec.decode("names", &bytes).unwrap(), message);
    let json = codec.to_json(&message).unwrap();
    assert_eq!(json["fixed"], "eight ch");
    assert_eq!(json["text"], json!({"hex": "0x61ff0062"}));
    assert_eq!(codec.from_json(&json, JsonRules::REPLAY).unwrap(), message);
}

#[test]
fn stale_bytes_behind_text_and_a_closing_nul_are_dropped() {
    let codec = codec();
    let mut message = codec.definition("names").unwrap().default_message();
    message.fields.set("fixed", "abc");
    message.fields.set("text", "abc");
    let mut bytes = codec.encode(&message).unwrap();
    let fixed = bytes
        .windows(3)
        .position(|window| window == b"abc")
        .unwrap();
    bytes[fixed + 5] = b'x';
    let len = bytes.len();
    bytes[len - 4] = 4;
    bytes.push(0);
    assert_eq!(codec.decode("names", &bytes).unwrap(), message);
}

#[test]
fn addresses_are_text_and_others_stay_readable() {
    let codec = codec();
    let json = json!({
        "_msgname": "add_route", "_crc": format!("{:08x}", codec.definition("add_route").unwrap().crc()),
        "is_add": false,
        "route": {
            "prefix": "192.0.2.0/24", "n_hops": 2,
            "hops": [{"via": "192.0.2.1", "weight": 1}, {"via": "2001:db8::1", "weight": 2}],
        },
    });
    let message = codec.from_json(&json, JsonRules::REPLAY).unwrap();
    assert_eq!(codec.to_json(&message).unwrap(), json);
    let names = json!({"_msgname": "names", "macs": ["02:fe:00:00:00:01", "0x02fe00000002"]});
    let macs = by_hand(&codec, &names).fields.get("macs").cloned();
    let mac = |last| Value::Bytes(vec![2, 0xfe, 0, 0, 0, last]);
    assert_eq!(macs, Some(Value::Array(vec![mac(1), mac(2)])));
    let mut bytes = codec.encode(&message).unwrap();
    assert_eq!(bytes[11..16], [0, 192, 0, 2, 0]);
    // An address family nobody knows.
    bytes[11] = 9;
    let message = codec.decode("add_route", &bytes).unwrap();
    let json = codec.to_json(&message).unwrap();
    assert_eq!(json["route"]["prefix"]["address"]["af"], 9);
    assert_eq!(json["route"]["prefix"]["len"], 24);
    let read = codec.from_json(&json, JsonRules::REPLAY).unwrap();
    assert_eq!(codec.encode(&read).unwrap()[10..], bytes[10..]);
}

#[test]
fn a_union_without_discriminator_shows_all_members_and_takes_any() {
    let codec = codec();
    let either = |value: Json| by_hand(&codec, &json!({"_msgname": "either", "value": value}));
    let message = either(json!({"number": 0x0102_0304}));
    assert_eq!(
        message.fields.get("value").and_then(Value::as_bytes),
        Some(&[1, 2, 3, 4, 0, 0][..])
    );
    let json = codec.to_json(&message).unwrap();
    let all = json!({"number": 0x0102_0304, "mac": "01:02:03:04:00:00", "octet": 1});
    assert_eq!(json["value"], all);
    assert_eq!(either(all), message);
    assert_eq!(either(json!({"mac": "01:02:03:04:00:00"})), message);
    let refused = |value: Json, rules| {
        let json = json!({"_msgname": "either", "value": value});
        codec.from_json(&json, rules).unwrap_err().to_string()
    };
    assert_eq!(
        refused(json!({}), JsonRules::REPLAY),
        "either.value: field missing"
    );
    let unknown = refused(json!({"other": 1}), JsonRules::BY_HAND);
    assert_eq!(unknown, "either.value: unknown name \"other\"");
}

#[test]
fn counts_are_computed_and_checked() {
    let codec = codec();
    let json = json!({"_msgname": "blob", "size": 999, "kind": 1, "data": "0x010203"});
    let mut message = by_hand(&codec, &json);
    assert_eq!(message.fields.get("size"), Some(&Value::Unsigned(3)));
    message.fields.set("size", 77_u16);
    let bytes = codec.encode(&message).unwrap();
    assert_eq!(bytes[10..], [0, 3, 1, 1, 2, 3]);
    message.fields.set("data", Value::Bytes(vec![0; 65_536]));
    let error = codec.encode(&message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "blob.size: 65536 elements, at most 65535 can be counted"
    );
}

#[test]
fn unusual_floats_survive_json() {
    let codec = codec();
    let mut message = codec.definition("numbers").unwrap().default_message();
    for value in [
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        5e-324,
        0.1,
        -0.0,
    ] {
        message.fields.set("i", value);
        let text = serde_json::to_string(&codec.to_json(&message).unwrap()).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap();
        let read = codec.from_json(&json, JsonRules::REPLAY).unwrap();
        let read = read.fields.get("i").and_then(Value::as_f64).unwrap();
        assert_eq!(read.to_bits(), value.to_bits(), "{text}");
    }
    message.fields.set("i", f64::NAN);
    assert_eq!(codec.to_json(&message).unwrap()["i"], "NaN");
}

#[test]
fn integers_that_a_tool_wrote_as_doubles_are_taken_when_exact() {
    let codec = codec();
    let message = by_hand(
        &codec,
        &json!({"_msgname": "numbers", "c": 4_294_967_295.0, "g": -3.0}),
    );
    assert_eq!(message.fields.get("c"), Some(&Value::Unsigned(0xffff_ffff)));
    assert_eq!(message.fields.get("g"), Some(&Value::Signed(-3)));
    let halves = refused(
        &json!({"_msgname": "numbers", "c": 1.5}),
        JsonRules::BY_HAND,
    );
    assert_eq!(halves, "numbers.c: 1.5 does not fit into 32 bits");
}

#[test]
fn errors_name_the_field_and_the_reason() {
    let case =
        |json: Json, expected: &str| assert_eq!(refused(&json, JsonRules::BY_HAND), expected);
    case(json!([]), "_msgname: field missing");
    case(
        json!({"_msgname": "absent"}),
        "absent: no message of this name",
    );
    case(
        json!({"_msgname": "numbers", "z": 1}),
        "numbers.z: no field of this name",
    );
    case(
        json!({"_msgname": "numbers", "a": 256}),
        "numbers.a: 256 does not fit into 8 bits",
    );
    case(
        json!({"_msgname": "numbers", "e": 128}),
        "numbers.e: 128 does not fit into 8 bits with a sign",
    );
    case(
        json!({"_msgname": "numbers", "a": -1}),
        "numbers.a: -1 does not fit into 8 bits",
    );
    case(
        json!({"_msgname": "numbers", "a": "1"}),
        "numbers.a: a number expected, text found",
    );
    case(
        json!({"_msgname": "numbers", "yes": 2}),
        "numbers.yes: true or false expected, a number found",
    );
    case(
        json!({"_msgname": "names", "color": "PINK"}),
        "names.color: unknown name \"PINK\"",
    );
    case(
        json!({"_msgname": "names", "options": ["OPTION_A", ["OPTION_B"]]}),
        "names.options[1]: a name or number expected, an array found",
    );
    case(
        json!({"_msgname": "names", "tag": "0x0g"}),
        "names.tag: \"0x0g\" is not 0x and an even number of hexadecimal digits",
    );
    case(
        json!({"_msgname": "add_route", "route": {"hops": [{}, {"via": "here"}]}}),
        "add_route.route.hops[1].via: \"here\" is not an IP address",
    );
    case(
        json!({"_msgname": "numbers", "_crc": "0"}),
        &format!(
            "numbers: made for CRC \"0\", the definition has {:08x}",
            codec().definition("numbers").unwrap().crc()
        ),
    );
    let missing = json!({"_msgname": "names", "color": 1});
    assert_eq!(
        refused(&missing, JsonRules::REPLAY),
        "names.depth: field missing"
    );
}

#[test]
fn values_that_do_not_suit_are_refused_when_encoding() {
    let codec = codec();
    let error = |field: &str, value: Value| {
        let mut message = codec.definition("names").unwrap().default_message();
        message.fields.set(field, value);
        codec.encode(&message).unwrap_err().to_string()
    };
    assert_eq!(
        error("fixed", "nine char".into()),
        "names.fixed: text of 9 bytes, at most 8 fit"
    );
    assert_eq!(
        error("fixed", "a\0b".into()),
        "names.fixed: text contains a NUL"
    );
    assert_eq!(
        error("fixed", 1_u8.into()),
        "names.fixed: text expected, an integer found"
    );
    assert_eq!(
        error("color", 256_u16.into()),
        "names.color: 256 does not fit into 8 bits"
    );
    assert_eq!(
        error("tag", Value::Bytes(vec![1])),
        "names.tag: length 1, exactly 3 expected"
    );
    let words = Value::Array(vec![1_u8.into(), "x".into()]);
    assert_eq!(
        error("words", words),
        "names.words[1]: an integer expected, text found"
    );
    let mut message = codec.definition("names").unwrap().default_message();
    message.fields = Fields::new();
    assert_eq!(
        codec.encode(&message).unwrap_err().to_string(),
        "names.color: field missing"
    );
}

#[test]
fn a_count_that_claims_more_than_there_is_is_refused_before_any_room_is_made() {
    let codec = codec();
    let mut bytes = vec![0; 10];
    bytes.extend([1, 0, 192, 0, 2, 0]);
    bytes.extend([0; 12]);
    bytes.extend([24, 255]);
    let error = codec.decode("add_route", &bytes).unwrap_err();
    let needed = 255 * 18;
    assert_eq!(error.kind(), &CodecErrorKind::Truncated { needed, left: 0 });
    assert_eq!(error.field(), "add_route.route.hops");
    let mut names = codec
        .encode(&codec.definition("names").unwrap().default_message())
        .unwrap();
    let len = names.len();
    names[len - 4..].fill(0xff);
    let error = codec.decode("names", &names).unwrap_err();
    assert!(matches!(
        error.kind(),
        CodecErrorKind::Truncated {
            needed: 0xffff_ffff,
            left: 0
        }
    ));
}

#[test]
fn a_message_of_too_many_values_is_refused() {
    let codec = codec().with_limits(Limits { values: 20 });
    let hops: Vec<Json> = (0..20).map(|_| json!({"via": "::1"})).collect();
    let json = json!({"_msgname": "add_route", "route": {"hops": hops}});
    let error = codec.from_json(&json, JsonRules::BY_HAND).unwrap_err();
    assert_eq!(error.kind(), &CodecErrorKind::TooManyValues(20));
    let full = Codec::new([&schema()]).unwrap();
    let bytes = full.encode(&by_hand(&full, &json)).unwrap();
    let error = codec.decode("add_route", &bytes).unwrap_err();
    assert_eq!(error.kind(), &CodecErrorKind::TooManyValues(20));
    let error = codec.to_json(&by_hand(&full, &json)).unwrap_err();
    assert_eq!(error.kind(), &CodecErrorKind::TooManyValues(20));
}

#[test]
fn schemas_agree_or_are_refused() {
    let other = API.replace("bool is_add [default=true]", "u32 is_add");
    let other = resolve(&parse(&other).unwrap(), &NoImports).unwrap();
    assert_eq!(
        Codec::new([&schema(), &schema()])
            .unwrap()
            .definitions()
            .count(),
        17
    );
    let error = Codec::new([&schema(), &other]).unwrap_err();
    assert_eq!(error.to_string(), "add_route: defined twice, differently");
    let empty = ModuleInfo {
        name: "mine",
        version: "",
        crc: 0,
        range_name: "",
        json: "",
        messages: &[],
        services: &[],
    };
    let error = Codec::of_modules([&empty]).unwrap_err();
    assert!(matches!(error.problem(), Problem::Unreadable(_)));
    assert_eq!(error.item(), "mine");
}
