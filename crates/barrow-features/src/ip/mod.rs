//! What IPv4 and IPv6 share: tables, addresses, checksums, and the messages about them.

pub mod addresses;
pub(crate) mod api;
pub mod checksum;
pub(crate) mod cli;
mod config;
mod counters;
mod feature;
mod path_mtu;
mod running_config;

pub use addresses::{AddressError, Addresses, InterfaceAddress};
pub use feature::IpFeature;
pub use path_mtu::{PathMtu, PathMtuKey, PathMtus};
