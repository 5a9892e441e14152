//! Tap interfaces: Ethernet devices that this node makes in the kernel, frames and all.
//!
//! The kernel's side of a tap is an ordinary link, in a namespace of choice, with name, address, MTU and
//! bridge as asked for. Frames carry the virtio-net header both ways, so that checksums are completed and
//! long TCP packets cut only where they must be.

mod api;
mod commands;
mod create;
mod device;
mod feature;
mod sys;

pub use create::{HostSide, NewTap, Tap, TapError, Taps};
pub use feature::TapFeature;
