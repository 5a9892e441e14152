//! Vectors of packets on their way from node to node.
//!
//! ```text
//!  node A: dispatch(vector)                    queue of B                node B: dispatch(vector)
//!  [b b b b b b ... 256]  --- enqueue --->  open [b b b b ..]   ---take--->  [b b b b ...]
//!                                           full [256] [256]
//! ```
//!
//! A [`Frame`] is room for 256 buffers. Each node has a [`queue`](queue::Queue) of frames: one that is
//! open for appending, and full ones in front of it. Taking a frame swaps it with an empty one, and
//! handing a whole vector on swaps it with the empty open frame of the next node: nothing is copied,
//! and after warm-up nothing is allocated.
//!
//! Order: what one node appends to one queue leaves it in the order of appending; [`split`] keeps it when
//! a vector goes to several nodes.

mod list;
pub(crate) mod queue;
#[expect(
    unsafe_code,
    reason = "handles are moved by copying the memory of vectors"
)]
mod split;
mod vector;

pub use list::Frame;
pub use vector::Vector;

/// Packets in a full vector.
pub const VECTOR: usize = 256;

/// Handles that a frame has room for: a vector, and as many more as one store of the processor may write
/// beyond it.
pub(crate) const FRAME_CAPACITY: usize = VECTOR + crate::cpu::LANES;
