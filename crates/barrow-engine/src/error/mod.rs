//! Error counters: what every node counts, from its first moment visible at zero.
//!
//! Each node owns a range of one vector, `/node/errors` in the statistics segment, with a row a thread; a
//! counter is also found as `/err/NODE/REASON`. A packet that is dropped carries the number of its
//! counter to the drop node, which counts runs of equal numbers; everything else is a plain add to the
//! thread's row.
//!
//! Number 0 belongs to `null-node`: packets dropped without a reason.

mod table;

pub use table::{ErrorCount, ErrorTable, ErrorTableError};

pub(crate) use table::ErrorTexts;
