//! A reader of a segment that is damaged or lies: an error, never a panic, never more memory than its limits.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as a test does"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;

use barrow_stats::layout::{self, header};
use barrow_stats::reader::{AttachError, Limits, ReadError, Reader, Value};
use barrow_stats::{HistogramShape, RingShape, Segment, SegmentConfig, Shape};
use proptest::prelude::*;

/// Length of the segment under test.
const FILE: u64 = 64 << 10;

/// A segment with an entry of each kind.
fn healthy() -> Vec<u8> {
    let config = SegmentConfig {
        address_space: FILE,
        ..SegmentConfig::for_threads(2)
    };
    let segment = Segment::new(&config).unwrap();
    let simple = segment.simple("/simple", Shape::rows(2).limit(8)).unwrap();
    simple.ensure(7).unwrap();
    let combined = segment
        .combined("/combined", Shape::rows(2).limit(8))
        .unwrap();
    combined.ensure(7).unwrap();
    segment.symlink("/link/simple", simple.key(), 3).unwrap();
    segment
        .symlink("/link/combined", combined.key(), 7)
        .unwrap();
    let names = segment.names_with_limit("/names", 8).unwrap();
    for (index, name) in (0..).zip(["local0", "loop0", "a much longer name than those"]) {
        names.set(index, name).unwrap();
    }
    names.clear(1);
    segment
        .histogram(
            "/histogram",
            HistogramShape {
                rows: 2,
                min_exp: 3,
                bins: 5,
            },
        )
        .unwrap();
    let shape = RingShape {
        rows: 2,
        entry_size: 24,
        slots: 4,
        schema: b"x",
        schema_version: 1,
    };
    let ring = segment.ring("/ring", &shape).unwrap();
    let mut producer = ring.producer(1).unwrap();
    for byte in 0..6 {
        producer.push(&[byte; 24]).unwrap();
    }
    let held = segment.gauge("/gone").unwrap();
    segment.gauge("/gauge").unwrap().set(7.0);
    segment.remove(held.key()).unwrap();
    let file = File::from(segment.descriptor().try_clone_to_owned().unwrap());
    let mut bytes = vec![0; FILE as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn limits() -> Limits {
    Limits {
        entries: 2000,
        rows: 64,
        value_bytes: 1 << 20,
        attempts: 3,
        looks: 3,
    }
}

/// Reads all there is, in every way.
fn read_everything(bytes: &[u8]) -> Result<Vec<Result<Value, ReadError>>, String> {
    let reader = Reader::copied(bytes).map_err(|error| error.to_string())?;
    let mut reader = reader.with_limits(limits());
    let _ = reader.heartbeat();
    let _ = reader.get("/link/simple");
    let dump = reader.dump(|_| true).map_err(|error| error.to_string())?;
    Ok(dump.map(|(_, value)| value).collect())
}

fn word(bytes: &[u8], index: u64) -> u64 {
    let at = index as usize * 8;
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn set_word(bytes: &mut [u8], index: u64, value: u64) {
    let at = index as usize * 8;
    if let Some(to) = bytes.get_mut(at..at + 8) {
        to.copy_from_slice(&value.to_ne_bytes());
    }
}

#[test]
fn a_healthy_copy_is_read_completely() {
    let values = read_everything(&healthy()).unwrap();
    assert_eq!(values.len(), 12);
    assert!(values.iter().all(Result::is_ok), "{values:?}");
    assert!(values.contains(&Ok(Value::Empty)));
}

#[test]
fn other_layouts_are_told_apart() {
    let mut bytes = healthy();
    set_word(&mut bytes, header::VERSION, 1);
    assert!(matches!(
        Reader::copied(&bytes),
        Err(AttachError::Version(1))
    ));
    set_word(&mut bytes, header::VERSION, layout::VERSION);
    let directory = word(&bytes, header::DIRECTORY);
    set_word(&mut bytes, header::EARLY_ERROR_VECTOR, directory);
    assert!(matches!(
        Reader::copied(&bytes),
        Err(AttachError::EarlyVersion2)
    ));
    assert!(matches!(
        Reader::copied(&bytes[..100]),
        Err(AttachError::TooSmall { bytes: 100 })
    ));
    let unsealed = tempfile::tempfile().unwrap();
    unsealed.set_len(1 << 20).unwrap();
    assert!(matches!(
        Reader::map(&unsealed),
        Err(AttachError::NotSealed)
    ));
}

#[test]
fn a_change_that_never_ends_is_busy() {
    let mut bytes = healthy();
    set_word(&mut bytes, header::IN_PROGRESS, 1);
    let mut reader = Reader::copied(&bytes).unwrap().with_limits(limits());
    assert_eq!(reader.list(), Err(ReadError::Busy));
    assert_eq!(reader.get("/gauge"), Err(ReadError::Busy));
}

#[test]
fn a_directory_that_leaves_the_file_is_corrupt() {
    let mut bytes = healthy();
    let (directory, base) = (word(&bytes, header::DIRECTORY), word(&bytes, header::BASE));
    for pointer in [
        0,
        1,
        base,
        base + 4,
        base - 8,
        base + bytes.len() as u64,
        u64::MAX,
    ] {
        set_word(&mut bytes, header::DIRECTORY, pointer);
        let listed = Reader::copied(&bytes).unwrap().list();
        assert!(
            matches!(listed, Err(ReadError::Corrupt(_))),
            "{pointer:#x}: {listed:?}"
        );
    }
    set_word(&mut bytes, header::DIRECTORY, directory);
    let length = (directory - base) / 8 - 1;
    set_word(&mut bytes, length, layout::pack(u32::MAX, 0));
    let listed = Reader::copied(&bytes).unwrap().list();
    assert!(matches!(listed, Err(ReadError::Corrupt(_))));
}

#[test]
fn entries_beyond_the_limits_are_refused() {
    let bytes = healthy();
    let reader = Reader::copied(&bytes).unwrap();
    let mut reader = reader.with_limits(Limits {
        value_bytes: 40,
        rows: 1,
        ..limits()
    });
    let too_much = |value| matches!(value, Err(ReadError::TooMuch(_)));
    assert!(too_much(reader.get("/simple")));
    assert!(too_much(reader.get("/names")));
    assert!(too_much(reader.get("/ring")));
    let reader = Reader::copied(&bytes).unwrap();
    assert!(
        reader
            .with_limits(Limits {
                entries: 3,
                ..limits()
            })
            .list()
            .is_err()
    );
}

/// Numbers that damage most.
fn nasty(length: u64, base: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..64_u64,
        (0..length / 8).prop_map(move |word| base + word * 8),
        Just(base + length - 8),
        Just(u64::from(u32::MAX)),
        Just(u64::MAX),
        (any::<u32>(), any::<u32>()).prop_map(|(low, high)| layout::pack(low, high)),
    ]
}

proptest! {
    #[test]
    fn any_damage_is_survived(
        damage in prop::collection::vec((any::<prop::sample::Index>(), nasty(FILE, 1 << 44)), 1..40),
    ) {
        let mut bytes = healthy();
        // Only words in use make a difference.
        let used: Vec<u64> =
            (1..bytes.len() as u64 / 8).filter(|index| word(&bytes, *index) != 0).collect();
        for (index, value) in damage {
            set_word(&mut bytes, *index.get(&used), value);
        }
        let _ = read_everything(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 4096..20_000)) {
        set_word(&mut bytes, header::VERSION, layout::VERSION);
        set_word(&mut bytes, header::BASE, 0);
        set_word(&mut bytes, header::IN_PROGRESS, 0);
        set_word(&mut bytes, header::DIRECTORY, 4104);
        set_word(&mut bytes, header::EARLY_ERROR_VECTOR, 0);
        set_word(&mut bytes, 512, 5);
        let _ = read_everything(&bytes);
    }
}
