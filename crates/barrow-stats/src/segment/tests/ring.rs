//! Ring buffers.

use super::*;

#[test]
fn a_ring_keeps_the_latest_entries_of_each_thread() {
    let (segment, mut reader) = pair();
    let shape = RingShape {
        rows: 2,
        entry_size: 16,
        slots: 4,
        schema: b"cddl!",
        schema_version: 3,
    };
    let ring = segment.ring("/sasc/session/events", &shape).unwrap();
    let mut producer = ring.producer(1).unwrap();
    assert!(ring.producer(1).is_none(), "one producer a thread");
    let epoch = segment.epoch();
    for number in 0..6_u64 {
        let mut entry = [0; 16];
        entry[..8].copy_from_slice(&number.to_ne_bytes());
        producer.push(&entry).unwrap();
    }
    assert_eq!(
        producer.push(&[0; 8]),
        Err(PushError {
            expected: 16,
            got: 8
        })
    );
    assert_eq!(segment.epoch(), epoch);
    let Some(Value::Ring(read)) = reader.get("/sasc/session/events").unwrap() else {
        panic!("a ring");
    };
    assert_eq!(
        (read.entry_size, read.slots, read.schema_version),
        (16, 4, 3)
    );
    assert_eq!(read.schema, b"cddl!");
    assert_eq!((read.threads[0].sequence, read.threads[1].sequence), (0, 6));
    let numbers: Vec<u8> = read.entries(1).map(|entry| entry[0]).collect();
    assert_eq!(numbers, [3, 4, 5]);
    drop(producer);
    let mut producer = ring.producer(1).unwrap();
    producer.push(&[9; 16]).unwrap();
    let Some(Value::Ring(read)) = reader.get("/sasc/session/events").unwrap() else {
        panic!("a ring");
    };
    assert_eq!(read.entries(1).last(), Some(&[9; 16][..]));
}

#[test]
fn ring_shapes_that_make_no_sense_are_refused() {
    let (segment, _) = pair();
    let good = RingShape {
        rows: 1,
        entry_size: 8,
        slots: 1,
        schema: b"",
        schema_version: 0,
    };
    for bad in [
        RingShape { rows: 0, ..good },
        RingShape {
            entry_size: 0,
            ..good
        },
        RingShape {
            entry_size: 12,
            ..good
        },
        RingShape { slots: 0, ..good },
        RingShape {
            slots: u32::MAX,
            ..good
        },
        RingShape {
            rows: 1 << 40,
            ..good
        },
    ] {
        assert!(
            matches!(segment.ring("/r", &bad), Err(EntryError::Shape(_))),
            "{bad:?}"
        );
    }
    segment.ring("/r", &good).unwrap();
}

#[test]
fn the_block_of_a_removed_ring_is_not_reused_while_a_producer_has_it() {
    let config = SegmentConfig {
        size: 64 << 10,
        ..SegmentConfig::for_threads(1)
    };
    let segment = Segment::new(&config).unwrap();
    let shape = RingShape {
        rows: 1,
        entry_size: 1024,
        slots: 32,
        schema: b"",
        schema_version: 0,
    };
    let make = || segment.ring("/r", &shape);
    let ring = make().unwrap();
    let mut producer = ring.producer(0).unwrap();
    segment.remove(ring.key()).unwrap();
    drop(ring);
    assert!(matches!(make(), Err(EntryError::Memory { .. })));
    producer.push(&[1; 1024]).unwrap();
    drop(producer);
    let ring = make().unwrap();
    ring.producer(0).unwrap().push(&[2; 1024]).unwrap();
    let mut reader = Reader::map(segment.descriptor()).unwrap();
    let Some(Value::Ring(read)) = reader.get("/r").unwrap() else {
        panic!("a ring")
    };
    assert_eq!(read.threads[0].sequence, 1, "reused memory is zero");
}
