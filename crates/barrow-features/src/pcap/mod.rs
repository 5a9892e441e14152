//! Packet captures: files in pcap format, and `pcap trace`.
//!
//! ```text
//!   device-input      -> pcap-rx   --+
//!   interface-output  -> pcap-tx   --+--> memory, bounded --off--> /tmp/NAME
//!   error-drop        -> pcap-drop --+
//! ```
//!
//! The three nodes are features of those arcs: they are on them while a trace runs, on the interfaces it
//! looks at, and cost nothing otherwise. A trace is kept in memory and written when it ends, to a new
//! file that then takes the name, so that nobody's link in `/tmp` is followed.
//!
//! [`read`] and [`PcapFile`] are for whoever else reads and writes such files.

mod api;
mod cli;
mod error;
mod feature;
mod filter;
mod node;
mod read;
mod recorder;
mod table;
mod write;

#[cfg(test)]
mod tests;

pub use error::PcapError;
pub use feature::PcapFeature;
pub use read::{MAX_FILE, MAX_PACKET, PcapPackets, parse, read};
pub use table::{PcapTrace, TraceError, TraceOptions, TraceStatus};
pub use write::{LinkType, PcapFile};

pub(crate) use node::wall_clock;
