//! Feature arcs: named places in the graph where nodes can be switched in, per interface.
//!
//! ```text
//!   start node ---- no feature on this interface: one load and a test ---------> default next
//!        \
//!         +-- entry of (arc, interface) --> chain: [feature A][feature B][end node]
//!                                                   packet.feature_position walks along it
//! ```
//!
//! * **Order** of an arc's features follows from "before" and "after" constraints; a cycle is fatal, an
//!   unknown name a warning ([`order`]).
//! * **Chains** lie in a [heap](heap) that is only ever appended to; equal chains are shared. A packet that
//!   is on a chain finishes it, whatever is switched meanwhile.
//! * **Entries** (which chain an interface starts) are an immutable [snapshot](snapshot). A thread takes up
//!   a new one at the start of a turn, so all packets of a turn see the same features, and since a turn
//!   runs features before the arc's end, switching never lets a packet overtake another of its flow.
//!
//! The main thread changes both through [`ArcTable`]; workers are neither stopped nor waited for.

mod heap;
mod order;
mod snapshot;
mod table;

pub use order::{Constraint, OrderError};
pub use table::{ArcError, ArcInfo, ArcTable};

pub(crate) use heap::Heap;
pub(crate) use snapshot::{Published, Snapshot};
pub(crate) use table::FeatureSpec;

use std::fmt;

/// Names one arc on the data path.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArcHandle(pub(crate) u16);

impl fmt::Debug for ArcHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArcHandle({})", self.0)
    }
}

/// Where packets of one interface start on an arc: looked up once for a run of packets from the same
/// interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArcEntry(pub(crate) u32);

impl ArcEntry {
    /// Whether the interface has no feature on the arc.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
