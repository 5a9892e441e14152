//! Packet traces: what nodes did with the first packets of a node, as a readable walk.
//!
//! ```text
//!  trace add pg-input 3         each thread, for traced packets only          show trace
//!  [arm of pg-input: 3 left] -> mark (flag + id) -> record, record ... -> [log] -> collect by id
//! ```
//!
//! * **Exact limits.** A node's [`arm`](arm) is one counter that all threads take from.
//! * **No cost when off.** An armed node is one load a dispatch; whether a vector may hold traced packets
//!   travels with its frame; only then do nodes look at each packet.
//! * **Handoffs keep the trace.** A packet carries the id of its trace, every thread logs records under
//!   that id, and [`collect`](collect) joins the logs in the order of recording. Nothing is owned by a thread.
//! * **Bounded.** A thread's log holds [`MOST_RECORDS`](log::MOST_RECORDS); what comes then is counted
//!   and lost. Records are boxed, and become text on the main thread when somebody asks.

mod arm;
mod collect;
mod log;

pub use collect::{Filter, TraceControl, TraceEntry, TracedPacket};

pub(crate) use arm::Arm;
pub(crate) use log::{Ids, Log, LogReader};

use std::fmt;

/// What one node did with one traced packet.
///
/// Its text is what `show trace` prints below the node's name; every line is indented by two blanks.
pub trait TraceRecord: fmt::Display + Send + 'static {}

impl<T: fmt::Display + Send + 'static> TraceRecord for T {}
