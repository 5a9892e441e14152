//! Addresses for interfaces that nobody gave one.

use barrow_messages::ethernet_types::MacAddress;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A locally administered address that no other interface has, but for bad luck; it begins as VPP's do.
pub(crate) fn random_mac() -> MacAddress {
    let random = RandomState::new().build_hasher().finish().to_ne_bytes();
    MacAddress([0x02, 0xfe, random[0], random[1], random[2], random[3]])
}
