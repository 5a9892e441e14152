//! Where the packets of a trace are kept until it ends.

use super::filter::{Direction, Filter};
use super::{LinkType, PcapFile};
use barrow_engine::Packet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that one trace keeps; what comes when they are used up is not kept.
pub(super) const MOST_BYTES: usize = 256 << 20;

/// One kept packet: when it came, how long it was, and how many of its bytes are kept.
#[derive(Clone, Copy, Debug)]
struct Kept {
    at: Duration,
    len: usize,
    kept: usize,
}

/// The trace that runs, if one does.
#[derive(Default, Debug)]
struct Running {
    filter: Filter,
    most_packets: usize,
    most_bytes: usize,
    packets: Vec<Kept>,
    bytes: Vec<u8>,
}

/// Shared by the main thread and the nodes of all threads. Locked for each vector while a trace runs;
/// the nodes see no packet otherwise.
#[derive(Clone, Default, Debug)]
pub(super) struct Recorder(Arc<Mutex<Option<Running>>>);

/// What a trace has brought so far.
#[derive(Debug)]
pub(super) struct Recording {
    packets: Vec<Kept>,
    bytes: Vec<u8>,
}

impl Recorder {
    /// Begins a trace; what an earlier one kept is forgotten.
    pub(super) fn start(&self, filter: Filter, most_packets: usize, most_bytes: usize) {
        *self.lock() = Some(Running {
            filter,
            most_packets,
            most_bytes,
            ..Running::default()
        });
    }

    /// Ends the trace.
    pub(super) fn stop(&self) -> Option<Recording> {
        let running = self.lock().take()?;
        Some(Recording {
            packets: running.packets,
            bytes: running.bytes,
        })
    }

    /// Packets kept so far.
    pub(super) fn len(&self) -> usize {
        self.lock()
            .as_ref()
            .map_or(0, |running| running.packets.len())
    }

    /// Keeps those packets of a vector that the filter takes; `note` is appended to a packet's bytes.
    pub(super) fn record<'p>(
        &self,
        at: Duration,
        direction: Direction,
        packets: impl Iterator<Item = Packet<'p>>,
        note: impl Fn(&Packet<'_>) -> String,
    ) {
        let mut running = self.lock();
        let Some(running) = running.as_mut() else {
            return;
        };
        for packet in packets {
            if running.is_full() {
                break;
            }
            if running.filter.takes(direction, &packet) {
                running.keep(at, direction, &packet, &note(&packet));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        // A packet that was kept in part has no entry yet, and is cut off by the next one's.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn is_full(&self) -> bool {
        self.packets.len() >= self.most_packets || self.bytes.len() >= MOST_BYTES
    }

    fn keep(&mut self, at: Duration, direction: Direction, packet: &Packet<'_>, note: &str) {
        let start = self.bytes.len();
        let mut left = self.most_bytes;
        let mut len = note.len();
        let mut add = |bytes: &[u8]| {
            let now = bytes.len().min(left);
            self.bytes.extend_from_slice(&bytes[..now]);
            left -= now;
        };
        let head = direction.head_of(packet);
        let rest = packet.segments().skip(1);
        for segment in std::iter::once(head).chain(rest) {
            len += segment.len();
            add(segment);
        }
        add(note.as_bytes());
        self.packets.push(Kept {
            at,
            len,
            kept: self.bytes.len() - start,
        });
    }
}

impl Recording {
    /// Packets that were kept.
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    /// Writes all of them.
    pub(super) fn write(&self, output: impl Write) -> io::Result<()> {
        let mut file = PcapFile::new(output, LinkType::Ethernet)?;
        let mut rest = &self.bytes[..];
        for packet in &self.packets {
            let (kept, after) = rest.split_at(packet.kept);
            file.bytes(packet.at, kept, packet.len)?;
            rest = after;
        }
        file.flush()
    }
}
