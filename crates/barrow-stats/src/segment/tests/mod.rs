//! What the writer promises, read back through the reader.

mod counters;
mod directory;
mod model;
mod ring;
mod space;

use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use rustix::fs::{self, SealFlags};

use super::*;
use crate::layout::{HEADER_BYTES, WORD, header};
use crate::reader::{Histogram, Reader, Value};

/// A segment of 8 MiB in 1 GiB of address space for two threads, and its reader.
fn pair() -> (Segment, Reader) {
    let config = SegmentConfig {
        address_space: 1 << 30,
        size: 8 << 20,
        ..SegmentConfig::for_threads(2)
    };
    let segment = Segment::new(&config).unwrap();
    let reader = Reader::map(segment.descriptor()).unwrap();
    (segment, reader)
}

fn names_of(reader: &Reader) -> Vec<String> {
    reader
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

fn header_word(segment: &Segment, index: u64) -> u64 {
    segment
        .core
        .memory
        .word(index * WORD)
        .load(Ordering::SeqCst)
}

#[test]
fn a_new_segment_has_version_2_epoch_above_0_and_the_heartbeat_first() {
    let (segment, reader) = pair();
    assert_eq!(header_word(&segment, header::VERSION), 2);
    assert!(reader.epoch() >= 1);
    assert_eq!(
        names_of(&reader),
        ["/sys/heartbeat", "/sys/last_stats_clear", "/sys/boottime"]
    );
    assert_eq!(reader.heartbeat(), Ok(0));
    segment.beat();
    assert_eq!(reader.heartbeat(), Ok(1));
    for word in 5..HEADER_BYTES / WORD {
        assert_eq!(
            header_word(&segment, word),
            0,
            "word {word} of the header page"
        );
    }
}

#[test]
fn clients_cannot_write_or_resize() {
    let (segment, _) = pair();
    let descriptor = segment.descriptor();
    let seals = fs::fcntl_get_seals(descriptor).unwrap();
    assert!(seals.contains(SealFlags::SHRINK | SealFlags::GROW));
    assert!(fs::ftruncate(descriptor, 0).is_err());
    assert!(rustix::io::pwrite(descriptor, b"x", 0).is_err());
    // Opening it again for writing is allowed by its mode; the seal is what keeps it from being written.
    if seals.contains(SealFlags::FUTURE_WRITE) {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        if let Ok(again) = fs::open(path, fs::OFlags::RDWR, fs::Mode::empty()) {
            assert!(rustix::io::pwrite(again.as_fd(), b"x", 0).is_err());
        }
    }
}
