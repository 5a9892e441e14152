//! The counters of routes and adjacencies, as far as the tables need them.
//!
//! The tables own the indexes; the node owns the memory (the statistics segment). This is the seam.

/// Packets and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A vector of counters by object index: `/net/route/to`, `/net/route/via` or `/net/adjacency`.
pub trait ObjectCounters {
    /// An object of this index is about to exist: its counters must exist and be 0 when this returns. The
    /// index may have belonged to another object before; no worker counts on it any more.
    fn start(&self, index: u32);

    /// The sum over all threads.
    fn totals(&self, index: u32) -> Totals;
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCounters;

impl ObjectCounters for NoCounters {
    fn start(&self, _index: u32) {}

    fn totals(&self, _index: u32) -> Totals {
        Totals::default()
    }
}
