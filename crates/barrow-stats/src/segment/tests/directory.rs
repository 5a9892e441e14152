//! Entries: names, links, removal, windows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

#[test]
fn links_lead_to_one_column_and_go_with_their_target() {
    let (segment, mut reader) = pair();
    let rx = segment.combined("/if/rx", 2).unwrap();
    segment
        .symlink("/interfaces/loop0/rx", rx.key(), 1)
        .unwrap();
    rx.row(1).unwrap().add2(1, 2, 84);
    let column = |packets, bytes| vec![Combined { packets, bytes }];
    let expected = Value::Combined(vec![column(0, 0), column(2, 84)]);
    assert_eq!(reader.get("/interfaces/loop0/rx").unwrap(), Some(expected));
    let gauge = segment.gauge("/sys/input_rate").unwrap();
    let refused = segment.symlink("/x", gauge.key(), 0);
    assert_eq!(
        refused,
        Err(EntryError::NoColumns {
            name: "/sys/input_rate".into()
        })
    );
    segment.remove(rx.key()).unwrap();
    assert_eq!(reader.get("/interfaces/loop0/rx").unwrap(), None);
    assert_eq!(segment.symlink("/x", rx.key(), 0), Err(EntryError::Removed));
}

#[test]
fn a_removed_entry_leaves_no_hole_and_links_follow_a_target_that_moves() {
    let (segment, mut reader) = pair();
    let first = segment.simple("/a", 1).unwrap();
    segment.simple("/b", 1).unwrap();
    let target = segment.simple("/target", 1).unwrap();
    segment.remove(segment.find("/b").unwrap()).unwrap();
    segment.symlink("/link", target.key(), 2).unwrap();
    target.set(0, 2, 77);
    segment.remove(first.key()).unwrap();
    assert_eq!(names_of(&reader)[3..], ["/link", "/target"]);
    segment.remove(segment.find("/link").unwrap()).unwrap();
    segment.symlink("/link", target.key(), 2).unwrap();
    assert_eq!(
        reader.get("/link").unwrap(),
        Some(Value::Simple(vec![vec![77]]))
    );
    segment
        .core
        .state
        .borrow()
        .directory
        .check(&segment.core.memory);
}

#[test]
fn a_gauge_that_is_still_held_keeps_its_place_from_reuse() {
    let (segment, mut reader) = pair();
    let held = segment.gauge("/bfd/udp4/sessions").unwrap();
    let last = segment.gauge("/last").unwrap();
    segment.remove(held.key()).unwrap();
    assert_eq!(names_of(&reader)[3..], ["/sys/unused/3", "/last"]);
    let counters = segment.simple("/if/drops", 1).unwrap();
    held.set(1e9);
    assert_eq!(
        reader.get("/if/drops").unwrap(),
        Some(Value::Simple(vec![vec![]]))
    );
    drop(held);
    segment.remove(counters.key()).unwrap();
    segment.gauge("/next").unwrap();
    assert_eq!(names_of(&reader)[3..], ["/next", "/last"]);
    assert_eq!(last.get(), 0);
}

#[test]
fn names_are_unique_ascii_and_short_enough() {
    let (segment, reader) = pair();
    let long = "/x".repeat(100);
    segment.gauge(&long).unwrap();
    segment.gauge("/caf\u{e9}\n").unwrap();
    assert_eq!(names_of(&reader)[3..], [&long[..127], "/caf??"]);
    let again = segment.simple(&long, 1).unwrap_err();
    assert_eq!(
        again,
        EntryError::Exists {
            name: long[..127].into()
        }
    );
    assert_eq!(segment.gauge("").unwrap_err(), EntryError::NoName);
    assert!(segment.find(&long).is_some());
}

#[test]
fn renaming_moves_the_name_only() {
    let (segment, mut reader) = pair();
    let gauge = segment.gauge("/old").unwrap();
    let other = segment.gauge("/other").unwrap();
    gauge.set(5.0);
    segment.rename(gauge.key(), "/new").unwrap();
    assert_eq!(reader.get("/new").unwrap(), Some(Value::Gauge(5)));
    assert_eq!(reader.get("/old").unwrap(), None);
    assert!(segment.rename(other.key(), "/new").is_err());
    let heartbeat = segment.find("/sys/heartbeat").unwrap();
    assert_eq!(segment.rename(heartbeat, "/x"), Err(EntryError::Fixed));
    assert_eq!(segment.remove(heartbeat), Err(EntryError::Fixed));
}

#[test]
fn name_vectors_hold_strings_by_index() {
    let (segment, mut reader) = pair();
    let names = segment.names("/if/names").unwrap();
    assert_eq!(reader.get("/if/names").unwrap(), Some(Value::Names(vec![])));
    names.set(0, "local0").unwrap();
    names.set(2, "loop0").unwrap();
    let expected = vec![Some("local0".into()), None, Some("loop0".into())];
    assert_eq!(
        reader.get("/if/names").unwrap(),
        Some(Value::Names(expected))
    );
    names.set(2, "GigabitEthernet0/8/0.4093").unwrap();
    names.clear(0);
    let expected = vec![None, None, Some("GigabitEthernet0/8/0.4093".into())];
    assert_eq!(
        reader.get("/if/names").unwrap(),
        Some(Value::Names(expected))
    );
    assert_eq!(names.get(2).as_deref(), Some("GigabitEthernet0/8/0.4093"));
    assert!(names.set(NameVector::DEFAULT_LIMIT, "x").is_err());
}

#[test]
fn a_name_that_stays_the_same_keeps_the_epoch() {
    let (segment, _) = pair();
    let names = segment.names("/if/names").unwrap();
    names.set(0, "local0").unwrap();
    let epoch = segment.epoch();
    names.set(0, "local0").unwrap();
    assert_eq!(segment.epoch(), epoch);
}

#[test]
fn a_window_is_one_change_and_an_empty_one_is_none() {
    let (segment, reader) = pair();
    let epoch = reader.epoch();
    drop(segment.window());
    assert_eq!(reader.epoch(), epoch);
    let window = segment.window();
    for name in ["/a", "/b", "/c"] {
        segment.gauge(name).unwrap();
        assert_eq!(header_word(&segment, header::IN_PROGRESS), 1);
    }
    assert_eq!(reader.epoch(), epoch);
    drop(window);
    assert_eq!(reader.epoch(), epoch + 1);
    assert_eq!(header_word(&segment, header::IN_PROGRESS), 0);
}

#[test]
fn a_panic_inside_a_window_does_not_leave_readers_waiting() {
    let (segment, reader) = pair();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _window = segment.window();
        segment.gauge("/a").unwrap();
        panic!("inside");
    }));
    assert!(result.is_err());
    assert_eq!(header_word(&segment, header::IN_PROGRESS), 0);
    assert_eq!(names_of(&reader)[3..], ["/a"]);
    segment.gauge("/b").unwrap();
}
