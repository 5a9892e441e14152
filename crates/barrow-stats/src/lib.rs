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
