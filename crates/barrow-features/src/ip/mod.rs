//! What IPv4 and IPv6 share: tables, addresses, checksums, and the messages about them.

pub mod addresses;
pub mod checksum;
mod counters;
mod feature;

pub use addresses::{AddressError, Addresses, InterfaceAddress};
pub use feature::IpFeature;
