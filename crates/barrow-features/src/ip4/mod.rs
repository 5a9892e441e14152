//! IPv4: the nodes that forward, deliver and give up packets, and the structure they look routes up in.
//!
//! ```text
//! ip4-input --(arc ip4-unicast)--> ip4-lookup --+--> ip4-rewrite --(arc ip4-output)--> NAME-output
//!                                               +--> ip4-arp, ip4-glean      neighbour to be resolved
//!                                               +--> ip4-receive --(arc ip4-local)--> listeners
//!                                               |        +--> ip4-local-full-reassembly --> ip4-input
//!                                               +--> ip4-icmp-error          the route says so
//!                                               +--> ip4-drop, ip4-punt
//! ```

pub mod check;
pub mod end;
mod error;
mod flow;
pub mod forward;
#[cfg(test)]
mod forward_tests;
mod forwarding;
pub mod frag;
pub mod header;
pub mod input;
pub mod local;
pub mod lookup;
pub mod mtrie;
pub mod options;
pub mod reassembly;
pub mod rewrite;
#[cfg(test)]
mod tests;
pub mod trace;

pub use error::Ip4Error;
pub(crate) use forwarding::PathMtuMap;
pub use forwarding::{Forwarding, RouteRows};
