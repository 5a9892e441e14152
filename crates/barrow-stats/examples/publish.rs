//! Publishes a few counters that any VPP statistics client can watch, and counts in them until it is stopped.
//!
//! `cargo run -p barrow-stats --example publish -- /tmp/stats.sock`, then for example
//! `vpp_get_stats socket-name /tmp/stats.sock dump`.

use std::error::Error;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use barrow_stats::socket::send_descriptor;
use barrow_stats::{HistogramShape, RingShape, Segment, SegmentConfig};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

fn main() -> Result<(), Box<dyn Error>> {
    let path: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("usage: publish SOCKET")?
        .into();
    // Main and one worker: two rows.
    let segment = Segment::new(&SegmentConfig::for_threads(2))?;
    let memory = segment.heap("stat segment")?;
    let names = segment.names("/if/names")?;
    let drops = segment.simple("/if/drops", segment.threads())?;
    let rx = segment.combined("/if/rx", segment.threads())?;
    for (index, name) in (0..).zip(["local0", "loop0"]) {
        // One change for readers: the name and its links appear together.
        let _window = segment.window();
        names.set(index, name)?;
        segment.symlink(&format!("/interfaces/{name}/drops"), drops.key(), index)?;
        segment.symlink(&format!("/interfaces/{name}/rx"), rx.key(), index)?;
    }
    let sizes = segment.histogram(
        "/sizes",
        HistogramShape {
            rows: segment.threads(),
            min_exp: 6,
            bins: 6,
        },
    )?;
    let events = segment.ring(
        "/events",
        &RingShape {
            rows: 2,
            entry_size: 8,
            slots: 16,
            schema: b"uint",
            schema_version: 1,
        },
    )?;

    let listener = net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
    net::bind(&listener, &SocketAddrUnix::new(&path)?)?;
    net::listen(&listener, 5)?;
    let descriptor = segment.descriptor().try_clone_to_owned()?;
    thread::spawn(move || {
        while let Ok(client) = net::accept(&listener) {
            // A client that left has cost nothing.
            let _ = send_descriptor(&client, descriptor.as_fd());
        }
    });

    // The worker owns its rows and never waits for anyone.
    let missing = "every thread has a row";
    let (drops, rx) = (drops.row(1).ok_or(missing)?, rx.row(1).ok_or(missing)?);
    let (sizes, mut events) = (
        sizes.row(1).ok_or(missing)?,
        events.producer(1).ok_or(missing)?,
    );
    thread::spawn(move || {
        for packet in 0_u64.. {
            let size = 64 + packet % 1400;
            rx.add2(1, 1, size);
            sizes.record(size);
            if packet.is_multiple_of(10) {
                drops.increment(1);
                // Entries have the ring's size.
                let _ = events.push(&packet.to_ne_bytes());
            }
            thread::sleep(Duration::from_millis(1));
        }
    });

    let start = Instant::now();
    loop {
        segment.beat();
        memory.set(&segment.memory());
        println!(
            "{:4} s: {:?}",
            start.elapsed().as_secs(),
            rx_total(&segment)?
        );
        thread::sleep(Duration::from_secs(1));
    }
}

/// What a client would see.
fn rx_total(segment: &Segment) -> Result<String, Box<dyn Error>> {
    let mut reader = barrow_stats::reader::Reader::map(segment.descriptor())?;
    Ok(format!("{:?}", reader.get("/interfaces/loop0/rx")?))
}
