//! Limits, reuse, and handles that are kept.

use super::*;

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let config = SegmentConfig {
        size: 256 << 10,
        ..SegmentConfig::for_threads(1)
    };
    let segment = Segment::new(&config).unwrap();
    let mut reader = Reader::map(segment.descriptor()).unwrap();
    let counters = segment.simple("/c", Shape::rows(1).limit(1 << 20)).unwrap();
    let row = counters.row(0).unwrap();
    let mut fits = 0;
    while counters.ensure(fits * 512).is_ok() {
        fits += 1;
    }
    assert!(matches!(
        counters.ensure(fits * 512),
        Err(EntryError::Memory { .. })
    ));
    row.add(fits * 512, 1);
    assert_eq!(
        (counters.len(), counters.missed()),
        ((fits - 1) * 512 + 1, 1)
    );
    assert!(matches!(
        segment.simple("/d", 1),
        Err(EntryError::Memory { .. })
    ));
    assert_eq!(reader.get("/d").unwrap(), None);
    let too_long = segment.combined("/e", Shape::rows(64).limit(u32::MAX));
    assert!(too_long.is_err());
    let memory = segment.memory();
    assert!(memory.used <= memory.total);
}

#[test]
fn removed_counters_give_their_memory_to_others_once_nobody_writes_to_them() {
    let config = SegmentConfig {
        size: 128 << 10,
        ..SegmentConfig::for_threads(1)
    };
    let segment = Segment::new(&config).unwrap();
    let make = || {
        let counters = segment.simple("/c", 1)?;
        counters.ensure(8000).map(|()| counters)
    };
    let counters = make().unwrap();
    let row = counters.row(0).unwrap();
    row.add(7999, 3);
    segment.remove(counters.key()).unwrap();
    drop(counters);
    let failed = make().unwrap_err();
    assert!(matches!(failed, EntryError::Memory { .. }), "{failed:?}");
    if let Some(key) = segment.find("/c") {
        segment.remove(key).unwrap();
    }
    row.add(7999, 3);
    drop(row);
    for _ in 0..20 {
        let counters = make().unwrap();
        assert_eq!(counters.sum(7999), 0, "reused memory is zero");
        counters.row(0).unwrap().add(7999, 3);
        segment.remove(counters.key()).unwrap();
    }
}

#[test]
fn handles_outlive_their_entry_and_the_segment() {
    let (segment, _) = pair();
    let counters = segment.simple("/c", 1).unwrap();
    let names = segment.names("/n").unwrap();
    let gauge = segment.gauge("/g").unwrap();
    let shape = RingShape {
        rows: 1,
        entry_size: 8,
        slots: 2,
        schema: b"",
        schema_version: 0,
    };
    let mut producer = segment.ring("/r", &shape).unwrap().producer(0).unwrap();
    counters.ensure(0).unwrap();
    let row = counters.row(0).unwrap();
    for key in [
        counters.key(),
        names.key(),
        gauge.key(),
        segment.find("/r").unwrap(),
    ] {
        segment.remove(key).unwrap();
        assert_eq!(segment.remove(key), Err(EntryError::Removed));
    }
    assert_eq!(counters.ensure(5), Err(EntryError::Removed));
    assert_eq!(names.set(0, "x"), Err(EntryError::Removed));
    drop((segment, counters, names));
    let owner = std::thread::spawn(move || {
        row.add(0, 1);
        gauge.set(1.0);
        producer.push(&[0; 8]).unwrap();
    });
    owner.join().unwrap();
}

#[test]
fn configurations_that_make_no_sense_are_refused() {
    let good = SegmentConfig {
        address_space: 1 << 20,
        ..SegmentConfig::for_threads(1)
    };
    Segment::new(&good).unwrap();
    for bad in [
        SegmentConfig {
            threads: 0,
            ..good.clone()
        },
        SegmentConfig {
            address_space: 4096,
            ..good.clone()
        },
        SegmentConfig {
            size: 0,
            ..good.clone()
        },
        SegmentConfig {
            size: 100,
            ..good.clone()
        },
        SegmentConfig {
            address_space: u64::MAX,
            ..good
        },
    ] {
        assert!(Segment::new(&bad).is_err(), "{bad:?}");
    }
}
