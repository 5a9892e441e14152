//! What IPv4 and IPv6 share.

pub mod checksum;
