//! Packet sockets and the memory they share with the kernel (`linux/if_packet.h`, packet(7),
//! `Documentation/networking/packet_mmap.rst`).
//!
//! Frames are received through a ring of slots that the kernel fills and this node empties: whose turn it
//! is stands in the first word of a slot. [`socket`] makes the system calls and [`memory`] maps the slots,
//! and nothing else here is unsafe; [`receive`] reads the slots with every offset checked, although the
//! kernel wrote them. A frame that is longer than a slot waits as a whole in the socket's queue, and is
//! read from there. [`send`] hands a whole vector to the kernel in one call: a second ring would save no
//! call over that, and would cost one more copy of each frame (`docs/decisions`).

mod memory;
mod receive;
mod send;
mod socket;

#[cfg(test)]
mod tests;

pub(super) use receive::{Geometry, RxRing};
pub(super) use send::TxSocket;
