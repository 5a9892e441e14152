//! Ethernet: headers, ports, VLAN sub-interfaces, and the node that takes frames apart.

pub mod ether_types;
mod feature;
pub mod header;
pub mod input;
pub mod port;
pub(crate) mod stage;
pub mod trace;

#[cfg(test)]
mod tests;

pub use ether_types::EtherTypes;
pub use feature::EthernetFeature;
pub use header::EtherType;
pub use port::{Port, Ports};
