//! The kernel's network configuration: links, addresses, routes, neighbours, and news about them.
//!
//! [`Netlink`] asks and waits for the answer: the kernel answers from memory, within microseconds,
//! so control code calls it directly. [`Events`] is a source on the reactor. Both belong to the
//! network namespace in which they were opened, wherever they are used afterwards. What the kernel
//! says is taken apart by `netlink-packet-route`; a message that this does not understand is
//! skipped and counted, never an error and never a panic.

mod address;
mod error;
mod events;
mod link;
mod neighbor;
mod request;
mod route;
mod socket;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use error::NetlinkError;
pub use events::{Event, Events, Groups, decode};
pub use link::{Link, LinkChange, LinkKind};
pub use neighbor::{Neighbor, NeighborState};
pub use request::Netlink;
pub use route::{Route, RouteKind};
