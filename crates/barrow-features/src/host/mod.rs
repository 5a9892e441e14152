//! Host interfaces: `host-NAME`, the use of a link that the kernel has already, by packet sockets.
//!
//! What comes in on the link is received whatever its address, beside the kernel's own stack; what is
//! sent leaves by the link. Frames carry the virtio-net header both ways, as those of taps do, so a link
//! of long TCP packets (a veth) is used as it is. The interface's link follows the kernel link's carrier
//! (see [`crate::linkwatch`]), and so does its MTU; taking it up or down takes the kernel link up or down,
//! as VPP does (`vpp:src/plugins/af_packet`). A link that is deleted and made anew under its name is used
//! again.

mod api;
mod commands;
mod device;
mod error;
mod feature;
mod open;
mod ring;
mod table;

#[cfg(test)]
mod tests;

pub use error::HostError;
pub use feature::HostFeature;
pub use open::NewHost;
pub use table::{Host, Hosts};
