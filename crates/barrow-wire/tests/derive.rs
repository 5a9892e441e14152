//! The derives on types of a user's own.

use barrow_wire::{Decode, DecodeErrorKind, Encode, EncodeError, VarStr, from_bytes, to_bytes};

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
struct Kind(u8);

#[derive(Encode, Decode, Debug, PartialEq)]
struct Route {
    kind: Kind,
    n_paths: u8,
    table: u32,
    #[wire(counted_by = n_paths)]
    paths: Vec<(u32, bool)>,
    #[wire(skip)]
    note: String,
}

#[derive(Encode, Decode, Debug, PartialEq)]
#[repr(u16)]
enum Event<T> {
    Nothing,
    Moved { to: T } = 5,
    Said(String, u8),
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct View<'a> {
    r#type: u16,
    name: VarStr<'a>,
    raw: &'a [u8],
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Unit;

#[test]
fn a_count_field_is_written_from_its_array() {
    let route = Route {
        kind: Kind(200),
        n_paths: 77,
        table: 1,
        paths: vec![(2, true), (3, false)],
        note: "local".into(),
    };
    let bytes = to_bytes(&route).unwrap();
    assert_eq!(bytes, [200, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0, 3, 0]);
    let read = from_bytes::<Route>(&bytes).unwrap();
    assert_eq!(
        read,
        Route {
            n_paths: 2,
            note: String::new(),
            ..route
        }
    );
    assert_eq!(Route::MIN_LEN, 6);
}

#[test]
fn more_elements_than_can_be_counted_have_no_wire_form() {
    let paths = vec![(0, false); 256];
    let route = Route {
        kind: Kind(0),
        n_paths: 0,
        table: 0,
        paths,
        note: String::new(),
    };
    let error = EncodeError::TooMany {
        field: "n_paths",
        len: 256,
        max: 255,
    };
    assert_eq!(to_bytes(&route), Err(error));
}

#[test]
fn an_enum_is_its_tag_and_the_fields_of_the_variant() {
    assert_eq!(to_bytes(&Event::<u32>::Nothing).unwrap(), [0, 0]);
    assert_eq!(
        to_bytes(&Event::Moved { to: 9_u32 }).unwrap(),
        [0, 5, 0, 0, 0, 9]
    );
    let said = Event::<u32>::Said("x".into(), 1);
    let bytes = to_bytes(&said).unwrap();
    assert_eq!(bytes, [0, 6, 0, 0, 0, 1, b'x', 1]);
    assert_eq!(from_bytes::<Event<u32>>(&bytes).unwrap(), said);
    assert_eq!(Event::<u32>::MIN_LEN, 2);
}

#[test]
fn an_unknown_tag_is_refused_where_it_stands() {
    let error = from_bytes::<(u8, Event<u8>)>(&[1, 0, 4]).unwrap_err();
    assert_eq!(error.kind(), &DecodeErrorKind::UnknownTag { value: 4 });
    assert_eq!(error.offset(), 1);
}

#[test]
fn borrowed_fields_borrow_from_the_input() {
    let bytes = to_bytes(&View {
        r#type: 7,
        name: "ab".into(),
        raw: &[1, 2],
    })
    .unwrap();
    let view = from_bytes::<View<'_>>(&bytes).unwrap();
    assert_eq!(view.name.to_str(), Ok("ab"));
    assert_eq!(view.raw.as_ptr(), bytes[12..].as_ptr());
    let error = from_bytes::<View<'_>>(&bytes[..1]).unwrap_err();
    assert_eq!(error.field(), "type");
}

#[test]
fn a_unit_takes_no_bytes() {
    assert_eq!(to_bytes(&Unit).unwrap(), []);
    assert_eq!(from_bytes::<Unit>(&[]).unwrap(), Unit);
}
