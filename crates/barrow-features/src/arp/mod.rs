//! ARP for IPv4 over Ethernet (RFC 826).

pub mod header;
pub mod trace;
