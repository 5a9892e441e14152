//! What the runtime asks the machine for: clocks, processors, network namespaces, device settings.

pub mod clock;
pub mod cpu;
pub mod ethtool;
pub(crate) mod mmsg;
pub(crate) mod name;
pub mod netns;
pub(crate) mod poll;
pub(crate) mod sockopt;
mod tsc;
pub(crate) mod tun;

pub use clock::Clock;
pub use ethtool::{Offloads, offloads, set_offloads};
pub use netns::NetNs;
pub use tsc::{TscClock, tsc, tsc_frequency};
