//! What a packet is: buffers with metadata, and the views through which nodes touch them.
//!
//! ```text
//!   slot   | header 128 | headroom 128 | data 2048 (default)        |
//!                         <- push           current_data = 0
//! ```
//!
//! * A [`Buffer`] is the *right* to one slot of the pool: move-only, four bytes. Frames hold these.
//! * A [`Packet`] is a view of one, borrowed from the buffer, with the header as its target and the
//!   data as checked slices.
//! * A packet longer than a buffer is a chain: the head owns the rest, and freeing the head frees all.
//!
//! Ownership is the conservation law: a slot is in the pool, or exactly one `Buffer` names it.

mod cache;
mod chain;
mod flags;
mod header;
mod view;

pub use cache::PacketCache;
pub use chain::{PullUpError, Segments};
pub use flags::PacketFlags;
pub use header::{PacketHeader, UNSET};
pub use view::{BufferExt, HEADROOM, Packet};

use barrow_runtime::buf::Buf;

/// The right to one slot of the packet pool.
pub type Buffer = Buf<PacketHeader>;
