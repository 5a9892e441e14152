//! The interface language: what it means.

use barrow_api::schema::{Answer, Bounds, Primitive, TypeName, Value};
use barrow_api::{
    Error, ErrorKind, MeaningError, MemoryImporter, NoImports, Schema, crc, json, load,
    parse_named, resolve,
};

fn schema(text: &str) -> Result<Schema, Error> {
    resolve(&parse_named("test.api", text)?, &NoImports)
}

/// The messages with their CRCs, which VPP 26.06 has too.
#[test]
fn crcs_are_those_of_vpp() {
    let text = "
        option version = \"1.0.1\";
        enum crypto_dispatch_mode : u8 {
          CRYPTO_ASYNC_DISPATCH_POLLING = 0,
          CRYPTO_ASYNC_DISPATCH_INTERRUPT = 1,
        };
        enum crypto_op_class_type : u8 {
          CRYPTO_API_OP_SIMPLE,
          CRYPTO_API_OP_CHAINED,
          CRYPTO_API_OP_BOTH,
        };
        autoreply define crypto_set_async_dispatch {
          option deprecated;
          option replaced_by=\"crypto_set_async_dispatch_v2\";
          u32 client_index; u32 context;
          vl_api_crypto_dispatch_mode_t mode;
        };
        autoreply define crypto_set_async_dispatch_v2 {
          u32 client_index; u32 context;
          vl_api_crypto_dispatch_mode_t mode;
          bool adaptive;
        };
        autoreply define crypto_set_handler {
          u32 client_index; u32 context;
          string alg_name[32]; string engine[16];
          vl_api_crypto_op_class_type_t oct;
          u8 is_async;
        };";
    let schema = resolve(
        &parse_named("vnet/crypto/crypto.api", text).unwrap(),
        &NoImports,
    )
    .unwrap();
    let names: Vec<_> = schema
        .messages()
        .iter()
        .map(|message| message.name_crc())
        .collect();
    assert_eq!(
        names,
        [
            "crypto_set_async_dispatch_5ca4adc0",
            "crypto_set_async_dispatch_reply_e8d4e804",
            "crypto_set_async_dispatch_v2_667d2d54",
            "crypto_set_async_dispatch_v2_reply_e8d4e804",
            "crypto_set_handler_ce9ad00d",
            "crypto_set_handler_reply_e8d4e804",
        ]
    );
    assert_eq!(schema.range_name().as_deref(), Some("crypto_2a68080c"));
    assert_eq!(schema.crc(), 0x2a68_080c);
    assert_eq!(schema.messages()[1].options, schema.messages()[0].options);
}

#[test]
fn items_added_compatibly_do_not_change_the_crc() {
    let with = |more: &str| {
        let text = format!(
            "enum kind {{ A, B = 4, {more} }};
             autoreply define go {{ u32 client_index; u32 context; vl_api_kind_t kind; }};"
        );
        schema(&text).unwrap().messages()[0].crc
    };
    assert_eq!(
        with(""),
        with("C [backwards_compatible], D = 0x10 [backwards_compatible],")
    );
    assert_ne!(with(""), with("C,"));
}

#[test]
fn types_met_twice_count_twice_and_cost_once() {
    let mut text = String::from("typedef t0 { u8 a; };");
    for i in 0..60 {
        let next = i + 1;
        text += &format!("union any{i} {{ vl_api_t{i}_t a; vl_api_t{i}_t b; }};");
        text += &format!("typedef t{next} {{ vl_api_any{i}_t a; }};");
    }
    // 2^60 texts, were they hashed one by one; the nesting is beyond what is allowed.
    let error = schema(&text).unwrap_err();
    assert!(
        matches!(error.kind, ErrorKind::Meaning(MeaningError::TooDeep(_))),
        "{error}"
    );

    let text = text
        .split_inclusive(';')
        .take(2 + 30 * 5)
        .collect::<String>();
    let text = text + "autoreply define go { u32 client_index; u32 context; vl_api_t30_t t; };";
    let schema = schema(&text).unwrap();
    assert_eq!(
        crc::message(&schema, &schema.messages()[0]),
        schema.messages()[0].crc
    );
}

#[test]
fn fields_say_how_many_values_they_hold() {
    let text = "
        typedef u8 mac[6];
        typedef probe {
            u32 a; u8 b[0x10]; string c[64]; u16 n; vl_api_mac_t type[n];
        };
        typedef last { string d[]; };";
    let schema = schema(text).unwrap();
    let bounds: Vec<_> = schema.types()[0]
        .fields
        .iter()
        .map(|f| f.bounds.clone())
        .collect();
    let counted = Bounds::Counted("n".into());
    assert_eq!(
        bounds,
        [
            Bounds::Scalar,
            Bounds::Fixed(16),
            Bounds::Fixed(64),
            Bounds::Scalar,
            counted
        ]
    );
    assert_eq!(
        schema.types()[0].fields[4].ty,
        TypeName::Defined("mac".into())
    );
    assert_eq!(schema.types()[1].fields[0].bounds, Bounds::Open);
    assert_eq!(schema.layout("probe").min_len, 4 + 16 + 64 + 2);
    assert!(schema.layout("probe").variable && schema.layout("last").variable);
}

#[test]
fn enumerations_count_on_from_the_last_value() {
    let text = "enum a : i8 { X = -2, Y, Z, }; enumflag b : u16 { P = 0x1, Q = 2, };";
    let schema = schema(text).unwrap();
    let values: Vec<_> = schema.enums()[0]
        .items
        .iter()
        .map(|item| item.value)
        .collect();
    assert_eq!(values, [-2, -1, 0]);
    assert_eq!(schema.enums()[0].base, Primitive::I8);
    assert_eq!(schema.enumflags()[0].value("Q"), Some(2));
}

#[test]
fn services_are_derived_unless_written() {
    let text = "
        autoreply define set { u32 client_index; u32 context; };
        define thing_dump { u32 client_index; u32 context; };
        define thing_details { u32 context; };
        define list_get { u32 client_index; u32 context; u32 cursor; };
        define list_get_reply { u32 context; i32 retval; u32 cursor; };
        define list_details { u32 context; };
        autoreply define want { u32 client_index; u32 context; };
        define one { u32 client_index; }; define two { u32 client_index; };
        define quiet { u32 client_index; u32 context; };
        service {
            rpc list_get returns list_get_reply stream list_details;
            rpc want returns want_reply events one, two;
            rpc quiet returns null;
        };";
    let schema = schema(text).unwrap();
    let requests: Vec<_> = schema
        .services()
        .iter()
        .map(|s| s.request.as_str())
        .collect();
    assert_eq!(requests, ["list_get", "want", "quiet", "set", "thing_dump"]);
    let answer = |name: &str| schema.service(name).unwrap().answer.clone();
    assert_eq!(answer("set"), Answer::Reply("set_reply".into()));
    assert_eq!(
        answer("thing_dump"),
        Answer::Dump {
            details: "thing_details".into()
        }
    );
    assert_eq!(answer("quiet"), Answer::Nothing);
    assert_eq!(schema.service("want").unwrap().events, ["one", "two"]);
}

#[test]
fn counters_and_paths_are_kept() {
    let text = r#"
        counters demo { none { severity info; type counter64; units "packets"; description "ok"; };
                        drop { severity error; type counter64; units "packets"; description ""; }; };
        paths { "/err/demo" "demo"; "/err/demo2" "demo"; };"#;
    let schema = schema(text).unwrap();
    assert_eq!(schema.counters()[0].elements[0].kind, "counter64");
    assert_eq!(schema.paths()[0][1].path, "/err/demo2");
    let again = json::read(&json::to_string(&schema)).unwrap();
    assert_eq!(again.counters(), schema.counters());
    assert_eq!(again.paths(), schema.paths());
}

#[test]
fn imports_bring_types_from_any_depth_and_count_in_one_of_two_crcs() {
    let importer = MemoryImporter::default()
        .with(
            "a/base.api",
            "option version = \"9\"; typedef u32 index; define no { u32 context; };",
        )
        .with(
            "a/mid.api",
            "import \"a/base.api\"; typedef pair { vl_api_index_t a; };",
        )
        .with(
            "top.api",
            "import \"a/mid.api\"; import \"a/base.api\";
             autoreply define go { u32 client_index; u32 context; vl_api_pair_t p; };",
        );
    let schema = load("top.api", &importer).unwrap();
    assert_eq!(schema.imports(), ["a/mid.api", "a/base.api"]);
    assert_eq!(
        schema
            .definition("index")
            .unwrap()
            .origin()
            .module()
            .as_deref(),
        Some("base")
    );
    assert_eq!(schema.messages().len(), 2);
    assert!(schema.options().is_empty());
    // Imported types count at each import: "[]" of the alias, the block, and the alias again.
    let text = |text: &str| crc::Text::new(text);
    let block = text("[['vl_api_index_t', 'a']]");
    let own = text("[['u32', 'client_index'], ['u32', 'context'], ['vl_api_pair_t', 'p']]");
    let whole = text("[]").then(block).then(text("[]")).then(own);
    assert_eq!(
        (schema.crc(), schema.own_crc()),
        (whole.crc(), Some(own.crc()))
    );
}

#[test]
fn true_is_a_string_and_false_a_truth_as_in_vpps_json() {
    let text = "typedef a { bool x [default=true]; bool y [default=false]; u8 z [limit=3, default=0x7]; };";
    let schema = schema(text).unwrap();
    let json = json::to_value(&schema);
    let fields = &json["types"][0];
    assert_eq!(fields[1][2]["default"], "true");
    assert_eq!(fields[2][2]["default"], false);
    assert_eq!(fields[3][2]["default"], 7);
    let option = |at: usize| schema.types()[0].fields[at].options.get("default").cloned();
    assert_eq!(
        option(0).and_then(|value: Value| value.as_bool()),
        Some(true)
    );
}

#[test]
fn json_of_text_is_read_back_as_the_same_schema() {
    let text = "
        /* A pair. */
        typedef pair { u8 a; u16 b; };
        union any { vl_api_pair_t p [case=P]; u32 q [case=Q]; };
        enum which : u8 { P, Q, };
        typedef both { vl_api_which_t w; vl_api_any_t any [discriminator=w]; };
        /** \\brief Goes. */
        autoreply define go { option in_progress; u32 client_index; u32 context; vl_api_both_t b; };";
    let schema = schema(text).unwrap();
    let read = json::read_named("test.api.json", &json::to_string(&schema)).unwrap();
    assert_eq!(json::to_value(&read), json::to_value(&schema));
    assert_eq!(read.messages(), schema.messages());
    assert_eq!(read.types(), schema.types());
    assert_eq!(read.own_crc(), None);
}

#[test]
fn json_of_older_releases_is_read() {
    let text = r#"{
        "types": [["a", ["u8", "x"], {"crc": "0x1"}]],
        "enums": [["e", ["A", 1]]],
        "messages": [["m", ["u16", "_vl_msg_id"], ["string", "s", 0, {"limit": 64}], {"crc": "0x2"}]],
        "later": {"nobody": "knows"}
    }"#;
    let schema = json::read_named("old.api.json", text).unwrap();
    assert_eq!(schema.module(), "old");
    assert_eq!(schema.enums()[0].base, Primitive::U32);
    assert_eq!(
        schema.messages()[0].fields[0].options.get("limit"),
        Some(&Value::Integer(64))
    );
}
