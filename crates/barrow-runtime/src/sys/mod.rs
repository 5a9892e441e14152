//! What the runtime asks the machine for: clocks, processors, network namespaces, device settings.

pub mod clock;
pub mod cpu;
pub mod ethtool;
pub mod netns;
mod tsc;

pub use clock::Clock;
pub use ethtool::{Offloads, offloads, set_offloads};
pub use netns::NetNs;
pub use tsc::{TscClock, tsc, tsc_frequency};
