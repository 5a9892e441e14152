//! What holds for every input: reading ends with a schema or an error, and what was read is written back.

use barrow_api::rust::{Options, generate};
use barrow_api::{NoImports, json, parse, resolve};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const WORDS: [&str; 48] = [
    "typedef",
    "union",
    "enum",
    "enumflag",
    "define",
    "service",
    "rpc",
    "returns",
    "null",
    "stream",
    "events",
    "option",
    "import",
    "autoreply",
    "typeonly",
    "counters",
    "paths",
    "type",
    "u8",
    "u32",
    "i16",
    "f64",
    "bool",
    "string",
    "vl_api_a_t",
    "vl_api_b_t",
    "a",
    "b",
    "a_reply",
    "a_dump",
    "a_details",
    "client_index",
    "context",
    "default",
    "discriminator",
    "case",
    "{",
    "}",
    "[",
    "]",
    ";",
    "=",
    ",",
    ":",
    "0x10",
    "-3",
    "\"text\"",
    "// c\n",
];

/// Reads the text in every way there is.
fn read(text: &str) {
    if let Ok(schema) = parse(text).and_then(|file| resolve(&file, &NoImports)) {
        let written = json::to_string(&schema);
        let again = json::read(&written).expect("what is written can be read");
        assert_eq!(json::to_string(&again), written);
        if let Ok(rust) = generate(&schema, &Options::default()) {
            syn::parse_file(&rust).expect("what is generated is Rust");
        }
    }
}

prop_compose! {
    /// Declarations of a structure.
    fn fields()(kinds in vec((0..7_usize, 1..40_u32), 1..8)) -> String {
        let mut text = String::new();
        for (at, (kind, len)) in kinds.into_iter().enumerate() {
            text += &match kind {
                0 => format!("u32 f{at};"),
                1 => format!("bool f{at} [default=true];"),
                2 => format!("u16 f{at}[{len}];"),
                3 => format!("string f{at}[{len}];"),
                4 => format!("vl_api_kind_t f{at} [default={len}];"),
                5 => format!("f64 f{at} [default=-{len}.5];"),
                _ => format!("vl_api_index_t F{at}[{len}];"),
            };
        }
        text
    }
}

prop_compose! {
    /// A file that holds together.
    fn file()(
        structures in vec(fields(), 1..5),
        messages in vec((fields(), any::<bool>(), "[ -~]{0,30}"), 1..5),
    ) -> String {
        let mut text = String::from("enum kind : u8 { A, B = 7, }; typedef u32 index;");
        for (at, fields) in structures.iter().enumerate() {
            text += &format!("typedef s{at} {{ {fields} }};");
        }
        for (at, (fields, variable, comment)) in messages.iter().enumerate() {
            let comment = comment.replace("*/", "");
            let tail = if *variable { "u8 n; u32 m; vl_api_s0_t all[n];" } else { "vl_api_s0_t one;" };
            text += &format!(
                "\n/* {comment} */\nautoreply define m{at} {{ u32 client_index; u32 context; {fields} {tail} }};"
            );
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        read(&text);
        let _ = json::read(&text);
    }

    #[test]
    fn any_words_of_the_language_are_read_or_refused(words in vec(select(WORDS.to_vec()), 0..60)) {
        read(&words.join(" "));
    }

    #[test]
    fn a_file_that_holds_together_is_read(text in file()) {
        prop_assert!(parse(&text).and_then(|file| resolve(&file, &NoImports)).is_ok());
        read(&text);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        text in file(),
        at: prop::sample::Index,
        word in select(WORDS.to_vec()),
        cut in 0..20_usize,
    ) {
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        read(&format!("{} {word} {}", &text[..at], &text[end..]));
    }

    #[test]
    fn damaged_json_is_read_or_refused(
        text in file(),
        at: prop::sample::Index,
        byte in select(b"[]{},:\"0a ".to_vec()),
    ) {
        let schema = parse(&text).and_then(|file| resolve(&file, &NoImports)).expect("holds together");
        let mut json = json::to_string(&schema).into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        let _ = json::read(std::str::from_utf8(&json).expect("ASCII"));
    }
}
