//! The statistics segment: counters in shared memory that any VPP client can read.
//!
//! A node keeps its counters in a memory file (memfd) laid out as FD.io VPP 26.06 does (layout version 2). A client
//! gets the file's descriptor over a Unix socket, maps it read-only and reads; nobody ever locks. `vpp_get_stats`,
//! `vpp_papi` and GoVPP read a segment written by this crate, and its reader reads theirs.
//!
//! ```text
//!            main thread                        worker threads                     clients
//!   Segment: entries, names, growth     SimpleRow, CombinedRow: add      reader::Reader, vpp_get_stats
//!          |  epoch + in_progress              |  plain stores                    |  optimistic reads
//!          v                                   v                                  v
//!   [header][directory ............][row][row][row] ........ one sparse memory file ..............]
//! ```
//!
//! * [`Segment`] is the writer: it creates, renames and removes entries; it lives on one thread.
//! * The handles it gives out are safe and need no socket: [`Gauge`] may be set from anywhere, rows
//!   ([`SimpleRow`], [`CombinedRow`], [`HistogramRow`], [`RingProducer`]) are sent to the thread that owns them.
//! * [`reader`] reads any segment, also one that grows, restarts or lies.
//! * [`socket`] passes the descriptor.
//! * [`layout`] holds the numbers both sides share.
//!
//! ```
//! use barrow_stats::reader::{Reader, Value};
//! use barrow_stats::{Segment, SegmentConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let segment = Segment::new(&SegmentConfig::for_threads(2))?;
//! let drops = segment.simple("/if/drops", segment.threads())?;
//! drops.ensure(1)?; // interface 1 exists
//!
//! let row = drops.row(1).ok_or("no such thread")?;
//! std::thread::spawn(move || row.add(1, 3)).join().map_err(|_| "the worker failed")?;
//!
//! let mut reader = Reader::map(segment.descriptor())?;
//! assert_eq!(reader.get("/if/drops")?, Some(Value::Simple(vec![vec![0, 0], vec![0, 3]])));
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

pub mod layout;
pub mod reader;
mod segment;
pub mod socket;

pub use segment::{
    Combined, CombinedCounters, CombinedRow, CreateError, EntryError, EntryInfo, EntryKey, Gauge,
    HeapCounters, HeapUse, HistogramCounters, HistogramRow, HistogramShape, NameVector, Pages,
    PushError, RingBuffer, RingProducer, RingShape, Segment, SegmentConfig, Shape, SimpleCounters,
    SimpleRow, Window,
};
