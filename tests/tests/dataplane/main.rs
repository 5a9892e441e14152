//! Real packets through the built node, between network namespaces.
//!
//! The kernel's own stack is the peer on both sides, of taps and of host interfaces. What is asserted is
//! bytes, losses and order, never a time or a rate.

mod jumbo;
mod links;
mod paths;
mod reach;
mod routes;
mod throughput;
mod vlan;
mod workers;
