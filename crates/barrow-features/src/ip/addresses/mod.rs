//! The IPv4 addresses of interfaces.
//!
//! An address exists as long as somebody wants it; its routes exist while its interface is up. The
//! [table](Addresses) keeps the first, checks for conflicts, and makes the forwarding tables follow the second.

mod error;
mod follow;
mod prefix;
mod table;

pub use error::AddressError;
pub use prefix::InterfaceAddress;
pub use table::Addresses;
