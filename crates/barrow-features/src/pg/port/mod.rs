//! Interfaces of the packet generator.

mod capture;
mod coalesce;
mod device;
mod options;
mod table;
mod tx;

pub use capture::CaptureError;
pub use options::{PortMode, PortOptions};

pub(super) use options::Offloads;
pub(super) use table::{Port, Ports};
