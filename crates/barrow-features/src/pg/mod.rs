//! The packet generator: interfaces whose packets come from streams and go to captures.
//!
//! ```text
//!   stream (text or pcap file)                                   pgN-output -> pgN-tx -> capture file
//!     `--> pg-input --[device-input arc]--> ethernet-input, ip4-input, any node ...   `-> freed
//! ```
//!
//! * A [`port`] is an interface `pgN`. What is sent to it may be captured, and is freed.
//! * A [`stream`] makes packets as a [`definition`] says, or replays a file, on one thread.
//! * [`PacketGenerator`] is the main thread's handle of both.
//!
//! **A stream that is shown as off has been seen.** A stream that has reached its limit counts as on until
//! its last packets have gone through the graph of its thread; a captured packet is in its file before
//! its node hands the vector back. So who sees the stream off can read the captures.

mod api;
mod cli;
pub mod definition;
mod feature;
mod port;
mod stream;
mod trace;

#[cfg(test)]
mod tests;

pub use feature::PgFeature;
pub use port::{CaptureError, PortMode, PortOptions};
pub use stream::{Marks, NewStream, PacketGenerator, PgError, Source, StreamInfo, Target};
