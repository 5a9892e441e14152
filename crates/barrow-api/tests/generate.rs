//! Rust from interface files: what it looks like, and that all of VPP's files have a Rust form.

mod common;

use barrow_api::build::{BuildError, Builder};
use barrow_api::rust::{GenerateError, Json, Options, Serde, generate};
use barrow_api::{MemoryImporter, NoImports, Schema, load, parse, resolve};
use std::path::Path;

fn schema(text: &str) -> Schema {
    resolve(&parse(text).expect("grammar"), &NoImports).expect("meaning")
}

/// The generated text without its line breaks.
fn rust(text: &str) -> String {
    let text = generate(&schema(text), &Options::default()).expect("names differ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn a_subscription_can_be_switched_by_its_field() {
    let text = rust(
        "define want { u32 client_index; u32 context; u32 enable_disable; u32 pid; };
         define want_reply { u32 context; i32 retval; };
         define ask { u32 client_index; u32 context; bool enable; };
         define ask_reply { u32 context; i32 retval; };
         define told { u32 client_index; u32 pid; };
         define heard { u32 client_index; u32 pid; };
         service { rpc want returns want_reply events told; rpc ask returns ask_reply events heard; };",
    );
    let switched =
        |how: &str| format!("fn set_enabled(&mut self, on: bool) -> bool {{ {how}; true }}");
    assert_has(
        &text,
        &[
            &switched("self.enable_disable = on.into()"),
            &switched("self.enable = on"),
        ],
    );
}

#[test]
fn all_of_vpps_files_become_rust() {
    let Some(shared) = common::shared() else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let output = Builder::new()
        .json_dir(shared.join("vpp/api-json"))
        .out_dir(out.path())
        .serde(Serde::Feature("serde".into()))
        .compile()
        .unwrap();
    assert_eq!(output.modules.len(), 150);
    for module in &output.modules {
        let text = std::fs::read_to_string(out.path().join(format!("{module}.rs"))).unwrap();
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{module}: {error}"));
    }
    let interface = std::fs::read_to_string(out.path().join("interface.rs")).unwrap();
    assert!(interface.contains("super::ip_types::"));
    assert!(!interface.contains("pub struct Address "));
}

#[test]
fn the_header_is_no_field_and_its_kind_follows_the_fields() {
    let text = rust(
        "autoreply define go { u32 client_index; u32 context; u32 id; };
         define odd { u32 client_index; u32 context; };
         define odd_reply { u32 client_index; u32 context; i32 retval; };
         define told { u32 client_index; u32 pid; };
         define first { u32 context; u8 a; };
         define first_reply { u32 context; i32 retval; u32 client_index; };
         define bare { u8 a; };
         define late { u32 client_index; u32 context; };
         define late_reply { u32 context; u32 index; u32 retval; };
         service { rpc go returns go_reply events told; rpc bare returns null; };",
    );
    assert_has(
        &text,
        &[
            "pub struct Go { ///`u32` `id`. pub id: u32, }"
                .replace("///", "/// ")
                .as_str(),
            "const NAME: &'static str = \"go\"",
            "pub struct OddReply { /// `i32` `retval`. pub retval: i32, }",
            "pub struct FirstReply { /// `i32` `retval`. pub retval: i32, /// `u32` `client_index`. pub client_index: u32, }",
            "impl wire::OneWay for Bare {}",
            "impl wire::Request for Go { type Reply = GoReply; }",
            "impl wire::Subscribe for Go { type Event = Told;",
            "impl wire::EventOf<Go> for Told {}",
            "fn retval(&self) -> i32 { self.retval as i32 }",
        ],
    );
    let kind = |name: &str| {
        let at = text
            .find(&format!("impl wire::Message for {name} "))
            .unwrap();
        let kind = text[at..].split("HeaderKind::").nth(1).unwrap();
        kind.split(';').next().unwrap().to_owned()
    };
    assert!(!text.contains("fn set_enabled"), "nothing to switch");
    assert_eq!(kind("Go"), "Request");
    assert_eq!(kind("GoReply"), "Reply");
    assert_eq!(kind("OddReply"), "ClientThenContext");
    assert_eq!(kind("Told"), "Event");
    assert_eq!(kind("First"), "ContextOnly");
    assert_eq!(kind("Bare"), "None");
}

#[test]
fn counts_are_lengths_wherever_they_stand() {
    let text = rust(
        "typedef path { u32 r; };
         typedef route { u8 n_paths; u32 table; vl_api_path_t paths[n_paths]; };",
    );
    assert_has(
        &text,
        &[
            "pub table: u32, /// `vl_api_path_t` `paths`. pub paths: Vec<Path>, }",
            "w.count::<u8>(self.paths.len(), \"n_paths\"); self.table.encode(w); w.elements(&self.paths);",
            "let n_paths = r.field::<u8>(\"n_paths\")?; let table = r.field(\"table\")?; let paths = r.elements(wire::Count::to_len(n_paths), \"paths\")?;",
            "const MIN_LEN: usize = 5;",
        ],
    );
}

#[test]
fn defaults_come_from_the_schema() {
    let text = rust(
        "enum kind : u8 { A, B, }; typedef u32 index; typedef vl_api_index_t index_too;
         typedef probe {
            u32 a [default=0xffffffff]; bool b [default=true]; f64 c [default=-1.5];
            vl_api_kind_t d [default=B]; vl_api_index_t e [default=7]; u8 f[40]; string g[40];
            vl_api_index_too_t h [default=8]; i16 i [default=-3];
         };",
    );
    assert_has(
        &text,
        &[
            "a: 4294967295,",
            "b: true,",
            "c: -1.5,",
            "d: Kind(1),",
            "e: Index(7),",
            "f: [0; 40],",
            "g: Default::default(),",
            "h: Index(8),",
            "i: -3,",
        ],
    );
}

#[test]
fn comments_become_documentation() {
    let text = rust(
        "/** \\brief Sets <it>.
             @param is_add - whether to [add]
         */
         autoreply define set {
             option deprecated=\"v26\";
             u32 client_index; u32 context;
             bool is_add;
             // the tag
             string tag[8];
             u8 last; /* the last */
         };",
    );
    assert_has(
        &text,
        &[
            "/// Sets \\<it\\>. /// /// Deprecated: v26. /// /// Answered by [`SetReply`].",
            "/// whether to \\[add\\] pub is_add: bool",
            "/// the tag pub tag: wire::FixedString<8>",
            "/// the last pub last: u8",
        ],
    );
}

#[test]
fn imported_types_are_paths() {
    let importer = MemoryImporter::default()
        .with("vnet/ip_types.api", "typedef u8 ip4_address[4];")
        .with(
            "own.api",
            "import \"vnet/ip_types.api\"; typedef pair { vl_api_ip4_address_t a; };",
        );
    let schema = load("own.api", &importer).unwrap();
    let text = |options: &Options| generate(&schema, options).unwrap();
    let here = text(&Options::default());
    assert!(here.contains("pub a: super::ip_types::Ip4Address"));
    assert!(!here.contains("pub struct Ip4Address"));
    let there = text(&Options::default().module_path("ip_types", "::barrow_messages::ip_types"));
    assert!(there.contains("pub a: ::barrow_messages::ip_types::Ip4Address"));
    let all = text(
        &Options::default()
            .other_modules("crate::api")
            .json(Json::Literal),
    );
    assert!(all.contains("pub a: crate::api::ip_types::Ip4Address"));
    assert!(all.contains("vl_api_version"));
}

#[test]
fn names_that_become_one_are_refused() {
    let types = schema("typedef a_b { u8 x; }; typedef a__b { u8 x; };");
    let error = generate(&types, &Options::default()).unwrap_err();
    assert!(
        matches!(error, GenerateError::TypesCollide { .. }),
        "{error}"
    );
    let fields = schema("typedef a { u8 X; u8 x; };");
    let error = generate(&fields, &Options::default()).unwrap_err();
    assert_eq!(
        error,
        GenerateError::FieldsCollide {
            block: "a".into(),
            rust: "x".into()
        }
    );
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("in the folder")).expect("writable");
    std::fs::write(path, text).expect("writable");
}

#[test]
fn a_users_file_imports_from_another_crates_folder() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "theirs/vnet/ip_types.api",
        "typedef u8 ip4_address[4];",
    );
    write(root.path(), "mine/common.api", "typedef u32 tag;");
    write(
        root.path(),
        "mine/demo/hello.api",
        "option version = \"1.0.0\"; import \"vnet/ip_types.api\"; import \"common.api\";
         autoreply define hello {
            u32 client_index; u32 context; vl_api_ip4_address_t a; vl_api_tag_t b;
         };",
    );
    let out = root.path().join("out");
    let output = Builder::new()
        .api_dir(root.path().join("mine"))
        .import_crate(root.path().join("theirs"), "::barrow_messages")
        .cargo_features()
        .out_dir(&out)
        .compile()
        .unwrap();
    assert_eq!(output.modules, ["common", "hello"]);
    assert_eq!(output.read.len(), 3);
    let hello = std::fs::read_to_string(out.join("hello.rs")).unwrap();
    assert!(hello.contains("pub a: ::barrow_messages::ip_types::Ip4Address"));
    assert!(hello.contains("pub b: super::common::Tag"));
    assert!(hello.contains("include_str!(\"hello.api.json\")"));
    let modules = std::fs::read_to_string(out.join("mod.rs")).unwrap();
    assert!(modules.contains(
        "/// Bindings of `hello.api`, version 1.0.0.\n#[cfg(feature = \"hello\")]\npub mod hello;"
    ));
    syn::parse_file(&modules).unwrap();
    assert!(out.join("hello.api.json").is_file());
}

#[test]
fn two_files_cannot_be_one_module() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/x.api", "typedef u32 one;");
    write(root.path(), "b/x.api", "typedef u32 two;");
    let both = Builder::new()
        .api_dir(root.path().join("a"))
        .api_dir(root.path().join("b"));
    let nested = Builder::new().api_dir(root.path());
    for builder in [both, nested] {
        let error = builder
            .out_dir(root.path().join("out"))
            .compile()
            .unwrap_err();
        assert!(matches!(error, BuildError::TwoModules { .. }), "{error}");
    }
}
