//! What is no interface file: the error tells what is wrong, and where.

use barrow_api::{
    Error, ErrorKind, ImportError, MeaningError, MemoryImporter, NoImports, Schema, SyntaxError,
    json, load, parse_named, resolve,
};

fn schema(text: &str) -> Result<Schema, Error> {
    resolve(&parse_named("test.api", text)?, &NoImports)
}

/// Where the first error is, and what.
fn failure(text: &str) -> (u32, u32, ErrorKind) {
    let error = schema(text).expect_err(text);
    assert_eq!(&*error.file, "test.api");
    (error.line, error.column, error.kind)
}

#[test]
fn errors_tell_line_and_column() {
    let error = schema("typedef a {\n  u32 b\n};").unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.api:3:1: expected `[` or `;`, found `}`"
    );
    let error = schema("typedef a { u32 b; };\n  define c { vl_api_x_t d; };").unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.api:2:14: unknown type `vl_api_x_t`"
    );
}

#[test]
fn text_outside_the_grammar_is_refused() {
    let syntax = |text: &str| match failure(text) {
        (_, _, ErrorKind::Syntax(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        syntax("typedef a { u32 b; } $"),
        SyntaxError::Character('$')
    );
    assert_eq!(syntax("/* open"), SyntaxError::OpenComment);
    assert_eq!(syntax("import \"open\n"), SyntaxError::OpenString);
    assert_eq!(syntax("typedef a { };"), SyntaxError::Empty("block"));
    assert_eq!(syntax("enum a { };"), SyntaxError::Empty("enumeration"));
    assert_eq!(
        syntax("typedef a { u32 stream; };"),
        SyntaxError::Reserved("stream".into())
    );
    assert_eq!(
        syntax("typedef a { u32 lambda; };"),
        SyntaxError::Reserved("lambda".into())
    );
    assert_eq!(
        syntax("define type { u32 a; };"),
        SyntaxError::Reserved("type".into())
    );
    assert_eq!(syntax("typedef a { u32 b[]; };"), SyntaxError::OpenBounds);
    assert_eq!(syntax("typedef a { u32 b[0]; };"), SyntaxError::ZeroLength);
    assert_eq!(
        syntax("typedef a { string b; };"),
        SyntaxError::StringWithoutBounds
    );
    assert_eq!(
        syntax("typedef a { u8 b[1.5]; };"),
        SyntaxError::NotWhole("1.5".into())
    );
    assert_eq!(
        syntax("typedef a { u8 b[-1]; };"),
        SyntaxError::NotWhole("-1".into())
    );
    assert_eq!(
        syntax("typedef a { u8 b [default=99999999999999999999]; };"),
        SyntaxError::NumberTooLarge("99999999999999999999".into())
    );
    let flag = |flag: &str, statement| SyntaxError::Flag {
        flag: flag.into(),
        statement,
    };
    assert_eq!(
        syntax("typeonly define a { u8 b; };"),
        flag("typeonly", "define")
    );
    assert_eq!(
        syntax("autoreply enum a { B, };"),
        flag("autoreply", "enum")
    );
    assert!(matches!(
        syntax("enum a { B };"),
        SyntaxError::Expected { .. }
    ));
    assert!(matches!(
        syntax("enumflag a : i8 { B, };"),
        SyntaxError::Expected { .. }
    ));
    assert!(matches!(syntax("typedef u8 a[];"), SyntaxError::OpenBounds));
    assert!(matches!(
        syntax("typedef u8 a[n];"),
        SyntaxError::Expected { .. }
    ));
}

#[test]
fn definitions_that_do_not_fit_together_are_refused() {
    use MeaningError as E;
    let meaning = |text: &str| match failure(text) {
        (_, _, ErrorKind::Meaning(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        meaning("typedef u8 a; typedef u8 a;"),
        E::DefinedTwice("a".into())
    );
    assert_eq!(
        meaning("typedef a { u8 b; u16 b; };"),
        E::OccursTwice {
            name: "b".into(),
            block: "a".into()
        }
    );
    assert_eq!(
        meaning("typedef a { u64 n; u8 b[n]; };"),
        E::BadCount {
            array: "b".into(),
            count: "n".into()
        }
    );
    assert_eq!(
        meaning("typedef a { string b[]; u8 c; };"),
        E::VariableInside("b".into())
    );
    assert_eq!(
        meaning("union a { string b[]; };"),
        E::VariableInside("b".into())
    );
    assert_eq!(
        meaning("typedef a { string b[]; }; typedef c { vl_api_a_t d[2]; };"),
        E::VariableElements("d".into())
    );
    assert_eq!(
        meaning("typedef a { u8 b[2000000]; };"),
        E::TooLarge("a".into())
    );
    assert_eq!(
        meaning("enum a : u8 { B = 256, };"),
        E::ValueOutOfRange {
            item: "B".into(),
            value: 256,
            base: "u8"
        }
    );
    assert_eq!(
        meaning("enumflag a { B = 3, };"),
        E::SeveralBits {
            item: "B".into(),
            value: 3
        }
    );
    assert_eq!(
        meaning("enum a { B [backwards_compatible], C, };"),
        E::NotBackwardsCompatible("C".into())
    );
    assert_eq!(
        meaning("define a { u32 client_index; u32 context; };"),
        E::NoService {
            message: "a".into(),
            missing: "a_reply".into()
        }
    );
    assert_eq!(
        meaning("define a_dump { u32 client_index; u32 context; };"),
        E::NoService {
            message: "a_dump".into(),
            missing: "a_details".into()
        }
    );
    assert_eq!(
        meaning("define a_reply { u32 context; };"),
        E::NoService {
            message: "a_reply".into(),
            missing: "a".into()
        }
    );
    assert_eq!(
        meaning("autoreply define a { u32 context; }; service { rpc a returns b; };"),
        E::NotAMessage("b".into())
    );
    assert_eq!(
        meaning("autoreply define a { u8 b; }; service { rpc a returns a; };"),
        E::RequestIsReply("a".into())
    );
    let discriminator =
        "union u { u8 a [case=A]; }; typedef t { u8 k; vl_api_u_t u [discriminator=k]; };";
    assert!(matches!(meaning(discriminator), E::BadDiscriminator { .. }));
    assert!(matches!(
        meaning("typedef a { u8 b [default=nothing]; };"),
        E::BadDefault { .. }
    ));
}

#[test]
fn imports_that_fail_are_told_where_they_are_written() {
    let circle = MemoryImporter::default()
        .with("a.api", "import \"b.api\";")
        .with("b.api", "\n import \"a.api\";");
    let error = load("a.api", &circle).unwrap_err();
    // The first file is not itself an import, so the circle closes one round later.
    assert!(
        matches!(error.kind, ErrorKind::Import(ImportError::Circle(_))),
        "{error}"
    );
    let (line, column, kind) = failure("\n  import \"gone.api\";");
    assert_eq!((line, column), (2, 3));
    assert!(matches!(
        kind,
        ErrorKind::Import(ImportError::NotFound { .. })
    ));
    let inner = MemoryImporter::default()
        .with("bad.api", "typedef")
        .with("top.api", "import \"bad.api\";");
    assert_eq!(&*load("top.api", &inner).unwrap_err().file, "bad.api");
}

#[test]
fn json_that_is_none_or_of_another_shape_is_refused_where_it_stands() {
    let failure = |text: &str| {
        json::read_named("x.api.json", text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        failure("{\n \"types\": 7 }"),
        "x.api.json:2:11: expected a list"
    );
    assert!(failure("{").starts_with("x.api.json:1:1: EOF"));
    assert_eq!(
        failure(r#"{"messages": [["a", ["u8", "b"], {"crc": "0x1"}]]}"#),
        "x.api.json:1:15: the first field `u16 _vl_msg_id` is missing"
    );
    assert_eq!(
        failure(r#"{"types": [["a", ["vl_api_a_t", "b"]]]}"#),
        "x.api.json:1:12: `a` contains itself or nests too deep"
    );
    assert_eq!(
        failure(r#"{"types": [["a", ["vl_api_b_t", "b"]]]}"#),
        "x.api.json:1:18: unknown type `vl_api_b_t`"
    );
}
