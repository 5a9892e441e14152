//! `vpp_papi`'s statistics client, unmodified, reads what we write.
//!
//! Needs a Python with `vpp_papi` (the interpreter in `BARROW_PYTHON`, else `python3`); skipped without.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as a test does"
)]

use std::os::fd::AsFd;
use std::process::Command;

use barrow_stats::socket::send_descriptor;
use barrow_stats::{Combined, HistogramShape, RingShape, Segment, SegmentConfig, Shape};

use crate::support::{Next, serve};

mod support;

/// Entries of each kind, as `papi.py` expects them.
fn fill(segment: &Segment) {
    segment.beat();
    segment.set_boot_time(1_700_000_000);
    segment.heap("stat segment").unwrap().set(&segment.memory());
    segment.gauge("/sys/vector_rate").unwrap().set(12.9);
    let drops = segment.simple("/if/drops", 2).unwrap();
    let rx = segment.combined("/if/rx", 2).unwrap();
    let to = segment
        .combined("/net/route/to", Shape::rows(2).limit(1 << 24))
        .unwrap();
    to.ensure(20_000).unwrap();
    to.set(
        1,
        20_000,
        Combined {
            packets: 7,
            bytes: 700,
        },
    );
    let names = segment.names("/if/names").unwrap();
    for (index, name) in (0..).zip(["local0", "loop0", "gone", "tap0"]) {
        let _window = segment.window();
        names.set(index, name).unwrap();
        for (counter, key) in [("drops", drops.key()), ("rx", rx.key())] {
            segment
                .symlink(&format!("/interfaces/{name}/{counter}"), key, index)
                .unwrap();
        }
    }
    for counter in ["drops", "rx"] {
        let link = segment
            .find(&format!("/interfaces/gone/{counter}"))
            .unwrap();
        segment.remove(link).unwrap();
    }
    names.set(2, "deleted").unwrap();
    let worker = drops.row(1).unwrap();
    worker.add(1, 41);
    worker.add(3, 1);
    drops.row(0).unwrap().add(3, 2);
    rx.row(1).unwrap().add2(1, 3, 192);
    let shape = HistogramShape {
        rows: 2,
        min_exp: 3,
        bins: 4,
    };
    let histogram = segment.histogram("/histogram", shape).unwrap();
    histogram.row(1).unwrap().record(16);
    let schema = b"schema text";
    let shape = RingShape {
        rows: 2,
        entry_size: 16,
        slots: 4,
        schema,
        schema_version: 3,
    };
    let mut producer = segment.ring("/ring", &shape).unwrap().producer(1).unwrap();
    for byte in 0..6 {
        producer.push(&[byte; 16]).unwrap();
    }
}

#[test]
fn vpp_papi_reads_every_kind_of_entry() {
    let python = std::env::var_os("BARROW_PYTHON").unwrap_or_else(|| "python3".into());
    let probe = Command::new(&python)
        .args(["-c", "import vpp_papi.vpp_stats"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no Python with vpp_papi (set BARROW_PYTHON to one)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.sock");
    let segment = Segment::new(&SegmentConfig::for_threads(2)).unwrap();
    fill(&segment);
    let descriptor = segment.descriptor().try_clone_to_owned().unwrap();
    let _server = serve(&path, move |client| {
        send_descriptor(&client, descriptor.as_fd()).unwrap();
        Next::Listen
    })
    .unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/papi.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(&path)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}
