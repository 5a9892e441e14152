//! Loopback interfaces: Ethernet devices whose frames come back in.

mod feature;
mod node;
mod table;

pub use feature::LoopbackFeature;
pub use table::Loopbacks;
