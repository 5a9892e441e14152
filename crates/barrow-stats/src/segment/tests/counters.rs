//! Counters, gauges, histograms and heaps.

use proptest::prelude::*;

use super::*;

#[test]
fn the_default_segment_has_room_for_a_million_routes_of_sixteen_threads() {
    let segment = Segment::new(&SegmentConfig::for_threads(16)).unwrap();
    let routes = Shape::rows(16).limit(1 << 24);
    let to = segment.combined("/net/route/to", routes).unwrap();
    let via = segment.combined("/net/route/via", routes).unwrap();
    to.ensure(1_000_000).unwrap();
    via.ensure(1_000_000).unwrap();
    assert!(segment.memory().used < 500 << 20);
    assert!(segment.memory().used > 480 << 20);
}

#[test]
fn rows_count_and_readers_see_one_row_a_thread() {
    let (segment, mut reader) = pair();
    let drops = segment.simple("/if/drops", 2).unwrap();
    let rx = segment.combined("/if/rx", 2).unwrap();
    drops.ensure(2).unwrap();
    rx.ensure(1).unwrap();
    drops.row(0).unwrap().add(2, 5);
    let worker = drops.row(1).unwrap();
    worker.add(0, 1);
    worker.increment(2);
    rx.row(1).unwrap().add2(1, 3, 192);
    assert_eq!((drops.sum(2), drops.value(1, 2), drops.sum(9)), (6, 1, 0));
    assert_eq!(
        rx.sum(1),
        Combined {
            packets: 3,
            bytes: 192
        }
    );
    assert!(drops.row(2).is_none());
    let expected = Value::Simple(vec![vec![0, 0, 5], vec![1, 0, 1]]);
    assert_eq!(reader.get("/if/drops").unwrap(), Some(expected));
    let none = Combined::default();
    let some = Combined {
        packets: 3,
        bytes: 192,
    };
    let expected = Value::Combined(vec![vec![none, none], vec![none, some]]);
    assert_eq!(reader.get("/if/rx").unwrap(), Some(expected));
}

#[test]
fn additions_beyond_the_length_are_missed_and_growth_makes_them_count() {
    let (segment, _) = pair();
    let counters = segment.simple("/if/punt", Shape::rows(1).limit(4)).unwrap();
    let row = counters.row(0).unwrap();
    for index in [0, 3, 4, u32::MAX] {
        row.prefetch(index);
        row.add(index, 1);
    }
    assert_eq!(counters.missed(), 4);
    counters.ensure(3).unwrap();
    row.add(3, 7);
    row.add(4, 7);
    assert_eq!((counters.sum(3), counters.missed()), (7, 5));
    assert_eq!(
        counters.ensure(4),
        Err(EntryError::Limit { index: 4, limit: 4 })
    );
}

#[test]
fn growth_keeps_the_epoch_and_the_place() {
    let (segment, reader) = pair();
    let counters = segment.simple("/if/ip4", 2).unwrap();
    let place = |segment: &Segment| segment.entries().last().unwrap().value;
    let row = counters.row(1).unwrap();
    counters.ensure(0).unwrap();
    row.add(0, 1);
    let (epoch, before) = (reader.epoch(), place(&segment));
    for index in 0..Shape::DEFAULT_LIMIT {
        counters.ensure(index).unwrap();
    }
    row.add(0, 1);
    assert_eq!((reader.epoch(), place(&segment)), (epoch, before));
    assert_eq!(counters.sum(0), 2);
}

#[test]
fn a_cleared_counter_starts_again_in_every_row() {
    let (segment, _) = pair();
    let counters = segment.combined("/if/tx", 2).unwrap();
    counters.ensure(9).unwrap();
    let rows = [counters.row(0).unwrap(), counters.row(1).unwrap()];
    for row in &rows {
        row.add2(3, 1, 60);
        row.add2(4, 1, 60);
    }
    counters.clear(3);
    assert_eq!(counters.sum(3), Combined::default());
    rows[1].add2(3, 2, 120);
    assert_eq!(
        counters.sum(3),
        Combined {
            packets: 2,
            bytes: 120
        }
    );
    assert_eq!(
        counters.sum(4),
        Combined {
            packets: 2,
            bytes: 120
        }
    );
    counters.clear_all();
    assert_eq!(counters.sum(4), Combined::default());
    rows[0].add2(9, 1, 1);
    assert_eq!(
        counters.sum(9),
        Combined {
            packets: 1,
            bytes: 1
        }
    );
}

#[test]
fn a_store_that_raced_with_a_clear_is_undone_at_the_next_addition() {
    let (segment, _) = pair();
    let counters = segment.simple("/if/drops", 1).unwrap();
    counters.ensure(1).unwrap();
    let row = counters.row(0).unwrap();
    row.add(0, 41);
    counters.clear(0);
    // The owner had loaded 41 before the clear, and stores the sum after it.
    counters.set(0, 0, 42);
    row.add(1, 1);
    assert_eq!((counters.sum(0), counters.sum(1)), (0, 1));
}

#[test]
fn gauges_hold_whole_numbers() {
    let (segment, mut reader) = pair();
    let rate = segment.gauge("/sys/vector_rate").unwrap();
    for (set, seen) in [
        (3.99, 3),
        (-1.0, 0),
        (f64::NAN, 0),
        (f64::INFINITY, u64::MAX),
        (7.0, 7),
    ] {
        rate.set(set);
        assert_eq!(
            reader.get("/sys/vector_rate").unwrap(),
            Some(Value::Gauge(seen))
        );
    }
    rate.add(3);
    rate.subtract(1);
    assert_eq!(rate.get(), 9);
    segment.set_boot_time(1_700_000_000);
    assert_eq!(
        reader.get("/sys/boottime").unwrap(),
        Some(Value::Scalar(1_700_000_000))
    );
    segment.set_last_clear(12.7);
    assert_eq!(
        reader.get("/sys/last_stats_clear").unwrap(),
        Some(Value::Scalar(12))
    );
}

#[test]
fn a_histogram_counts_values_in_the_bin_whose_bound_they_do_not_exceed() {
    let (segment, mut reader) = pair();
    let shape = HistogramShape {
        rows: 2,
        min_exp: 2,
        bins: 4,
    };
    let histogram = segment.histogram("/h", shape).unwrap();
    let row = histogram.row(1).unwrap();
    for value in [0, 1, 4, 5, 8, 9, 16, 17, 32, 33, u64::MAX] {
        row.record(value);
    }
    let row = |bins: &[u64]| Histogram {
        min_exp: 2,
        bins: bins.to_vec(),
    };
    let expected = Value::Histogram(vec![row(&[0; 4]), row(&[3, 2, 2, 4])]);
    assert_eq!(reader.get("/h").unwrap(), Some(expected));
    histogram.clear();
    assert_eq!(
        (histogram.sum(0), histogram.sum(3), histogram.sum(4)),
        (0, 0, 0)
    );
    let expected = Value::Histogram(vec![row(&[0; 4]), row(&[0; 4])]);
    assert_eq!(reader.get("/h").unwrap(), Some(expected));
    for (min_exp, bins) in [(64, 1), (0, 66), (0, 0)] {
        assert!(
            segment
                .histogram(
                    "/i",
                    HistogramShape {
                        rows: 1,
                        min_exp,
                        bins
                    }
                )
                .is_err()
        );
    }
}

#[test]
fn heaps_have_seven_columns_and_three_links() {
    let (segment, mut reader) = pair();
    let heap = segment.heap("stat segment").unwrap();
    heap.set(&segment.memory());
    let memory = segment.memory();
    for (link, value) in [
        ("total", memory.total),
        ("used", memory.used),
        ("free", memory.free),
    ] {
        let read = reader.get(&format!("/mem/stat segment/{link}")).unwrap();
        assert_eq!(read, Some(Value::Simple(vec![vec![value]])), "{link}");
    }
    assert_eq!(memory.total, 8 << 20);
    assert!(segment.heap("stat segment").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_fall_into_the_bin_that_its_bound_says(value: u64, min_exp in 0..20_u32) {
        let (segment, _) = pair();
        let bins = 64 - min_exp + 1;
        let histogram = segment.histogram("/h", HistogramShape { rows: 1, min_exp, bins }).unwrap();
        histogram.row(0).unwrap().record(value);
        let bin = (0..bins).find(|bin| histogram.sum(*bin) == 1).unwrap();
        let bound = |bin: u32| 1_u128 << (min_exp + bin);
        prop_assert!(u128::from(value) <= bound(bin));
        prop_assert!(bin == 0 || u128::from(value) > bound(bin - 1));
    }
}
