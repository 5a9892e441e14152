//! The features of a node, one folder each.
//!
//! A folder holds all there is to a feature: its packet nodes, its table, its messages, its commands and
//! their tests. Features use each other only through public tables (`provide` and `table` of the engine's
//! builder) and node names.
#![deny(unsafe_code)]

/// For the derive macros.
#[doc(hidden)]
pub use barrow_core as __core;

pub mod adj;
pub mod arcs;
pub mod arp;
pub mod dhcp;
mod error_base;
pub mod ethernet;
pub mod fib;
mod first_bytes;
pub mod host;
pub mod icmp;
pub mod interface;
pub mod ip;
pub mod ip4;
mod linkwatch;
pub mod loopback;
pub mod neighbor;
pub mod pcap;
pub mod pg;
pub mod ping;
#[cfg(test)]
mod statistics_tests;
pub mod tap;
#[cfg(test)]
mod testing;
pub mod trace;
mod virtio;

pub use error_base::ErrorBase;

/// Adds every feature of this crate to a node, in the order in which they build on each other.
#[must_use]
pub fn standard(builder: barrow_engine::Builder) -> barrow_engine::Builder {
    builder
        .feature(interface::InterfaceFeature)
        .feature(ethernet::EthernetFeature)
        .feature(arcs::ArcsFeature)
        .feature(ip::IpFeature)
        .feature(neighbor::NeighborFeature::default())
        .feature(arp::ArpFeature)
        .feature(dhcp::DhcpFeature)
        .feature(ping::PingFeature)
        .feature(loopback::LoopbackFeature)
        .feature(tap::TapFeature)
        .feature(host::HostFeature)
        .feature(pg::PgFeature)
        .feature(pcap::PcapFeature::default())
        .feature(trace::TraceFeature)
}
