//! What the codec does with well-formed and with hostile input, on definitions made for it.

use barrow_api::{NoImports, Schema, parse, resolve};
use barrow_wire::{Header, HeaderKind};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::plan::{Element, Kind, Length, Plan, Scalar, Shape, StructPlan};
use super::*;

const API: &str = r#"
    option version = "1.0.0";
    enum color : u8 { RED = 1, GREEN = 2, BLUE = 200, };
    enum depth : i32 { DEEP = -5, FLAT = 0, };
    enumflag options : u16 { OPTION_A = 1, OPTION_B = 2, OPTION_C = 0x8000, };
    enum address_family : u8 { ADDRESS_IP4 = 0, ADDRESS_IP6 = 1, };
    typedef u8 ip4_address[4];
    typedef u8 ip6_address[16];
    typedef u8 mac_address[6];
    typedef u32 interface_index;
    typedef f64 timestamp;
    union address_union {
        vl_api_ip4_address_t ip4 [case=ADDRESS_IP4];
        vl_api_ip6_address_t ip6 [case=ADDRESS_IP6];
    };
    typedef address {
        vl_api_address_family_t af;
        vl_api_address_union_t un [discriminator=af];
    };
    typedef prefix { vl_api_address_t address; u8 len; };
    union any { u32 number; vl_api_mac_address_t mac; u8 octet; };
    typedef hop { vl_api_address_t via; u8 weight [default=1]; };
    typedef route { vl_api_prefix_t prefix; u8 n_hops; vl_api_hop_t hops[n_hops]; };
    define numbers {
        u32 client_index; u32 context;
        bool yes [default=true]; u8 a; u16 b; u32 c [default=0xffffffff]; u64 d;
        i8 e; i16 f; i32 g; i64 h; f64 i [default=1.5]; vl_api_timestamp_t j;
        vl_api_interface_index_t k [default=0xffffffff];
    };
    define numbers_reply { u32 context; i32 retval; };
    autoreply define names {
        u32 client_index; u32 context;
        vl_api_color_t color [default=2]; vl_api_depth_t depth; vl_api_options_t options;
        string fixed[8]; u8 tag[3]; u16 words[2]; vl_api_mac_address_t macs[2]; string text[];
    };
    autoreply define add_route {
        u32 client_index; u32 context; bool is_add [default=true]; vl_api_route_t route;
    };
    autoreply define either { u32 client_index; u32 context; vl_api_any_t value; };
    autoreply define blob {
        u32 client_index; u32 context; u16 size; u8 kind; u8 data[size];
    };
    autoreply define nothing { u32 client_index; u32 context; };
    define odd_reply { u32 client_index; u32 context; i32 retval; };
    define odd { u32 context; u8 x; };
    define shout_event { u32 client_index; u32 pid; };
    autoreply define want_shouts { u32 client_index; u32 context; };
    service { rpc want_shouts returns want_shouts_reply events shout_event; };
"#;

fn schema() -> Schema {
    resolve(&parse(API).unwrap(), &NoImports).unwrap()
}

fn codec() -> Codec {
    Codec::new([&schema()]).unwrap()
}

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
}

/// A value of every field, made from random numbers. Unions are what their discriminator says,
/// which is what a sender would send.
struct Maker<'p, 'r> {
    plan: &'p Plan,
    random: &'r mut dyn FnMut() -> u64,
}

impl Maker<'_, '_> {
    fn fields(&mut self, plan: &StructPlan) -> Fields {
        let mut fields = Fields::new();
        for field in &plan.fields {
            let value = match field.discriminator {
                Some(at) => {
                    let case = fields.at(at).and_then(|(_, value)| value.as_i64());
                    self.union(&field.shape, case)
                }
                None => self.value(&field.shape),
            };
            fields.set(&field.name, value);
        }
        for field in plan.fields.iter().filter(|field| field.counts.is_some()) {
            let array = &plan.fields[field.counts.unwrap()].name;
            let len = match fields.get(array) {
                Some(Value::Bytes(bytes)) => bytes.len(),
                Some(Value::Array(elements)) => elements.len(),
                _ => unreachable!("only arrays are counted"),
            };
            fields.set(&field.name, u64::try_from(len).unwrap());
        }
        fields
    }

    fn union(&mut self, shape: &Shape, case: Option<i64>) -> Value {
        let Shape::Type(index) = shape else {
            unreachable!("a union is a type")
        };
        let this = &self.plan.types[*index];
        let Kind::Union(union) = &this.kind else {
            unreachable!("a discriminator is for a union")
        };
        let chosen = union.members.iter().find(|member| member.case == case);
        let size = chosen.map_or(this.size.min, |member| self.plan.size(&member.shape).min);
        let mut bytes = self.bytes(size);
        bytes.resize(this.size.min, 0);
        Value::Bytes(bytes)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.random)() as u8).collect()
    }

    fn value(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Scalar(scalar) => self.scalar(*scalar),
            Shape::FixedText(size) => {
                let len = (self.random)() as usize % (size + 1);
                Value::Text(
                    self.bytes(len)
                        .into_iter()
                        .map(|byte| byte.max(1))
                        .collect(),
                )
            }
            Shape::VarText => {
                let len = (self.random)() as usize % 5;
                Value::Text(
                    self.bytes(len)
                        .into_iter()
                        .map(|byte| byte.max(1))
                        .collect(),
                )
            }
            Shape::Bytes(length) => {
                let len = self.length(*length);
                Value::Bytes(self.bytes(len))
            }
            Shape::Array(element, length) => {
                let shape = element.shape();
                let len = self.length(*length);
                Value::Array((0..len).map(|_| self.value(&shape)).collect())
            }
            Shape::Type(index) => {
                let plan = self.plan;
                match &plan.types[*index].kind {
                    Kind::Struct(plan) => Value::Struct(self.fields(plan)),
                    Kind::Union(_) => Value::Bytes(self.bytes(plan.types[*index].size.min)),
                    // Often a value with a name.
                    Kind::Enum(plan) => match (self.random)() as usize % (plan.items.len() + 2) {
                        item if item < plan.items.len() => {
                            plan.value_of(&plan.items[item].0).unwrap()
                        }
                        _ => self.scalar(plan.base),
                    },
                    Kind::Alias(shape) => self.value(shape),
                }
            }
        }
    }

    fn length(&mut self, length: Length) -> usize {
        match length {
            Length::Fixed(length) => length,
            Length::Counted(_) => (self.random)() as usize % 4,
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Value {
        let random = (self.random)();
        match scalar {
            Scalar::Bool => Value::Bool(random & 1 == 1),
            // Values are compared with ==, which NaN has none of.
            Scalar::F64 => Value::Float(f64::from_bits(random)).pipe_finite(),
            Scalar::Unsigned(_) => Value::Unsigned(random & scalar.max_unsigned()),
            Scalar::Signed(width) => {
                let unused = 64 - 8 * width as u32;
                Value::Signed((random << unused).cast_signed() >> unused)
            }
        }
    }
}

impl Value {
    fn pipe_finite(self) -> Self {
        match self {
            Self::Float(value) if value.is_nan() => Self::Float(f64::INFINITY),
            value => value,
        }
    }
}

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
