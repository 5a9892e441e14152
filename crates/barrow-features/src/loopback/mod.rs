//! Loopback interfaces: Ethernet devices whose frames come back in.

mod api;
mod cli;
mod feature;
mod node;
mod table;

pub use feature::LoopbackFeature;
pub use table::Loopbacks;
