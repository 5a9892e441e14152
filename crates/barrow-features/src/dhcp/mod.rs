//! DHCPv4 clients of interfaces (RFC 2131).
//!
//! ```text
//!   API, CLI --> Clients <-- dhcp-client-process: drives the machines, sends what they say
//!                   |                 ^
//!        addresses, default route     | inbox: messages, conflicts
//!                                     |
//!   ip4-dhcp-client-detect, dhcp-client-input, arp-dhcp-client-detect      packet nodes, any thread
//! ```
//!
//! [`DhcpClient`] is the protocol, without I/O. While it has no lease, answers are caught on the arc
//! `ip4-unicast`, where an interface without an address would drop them; with a lease, they come to port 68
//! as to any host. ARP packets of others who use the address end the lease, before it begins and later.

mod api;
mod cli;
mod clients;
mod detect;
mod feature;
mod lease;
mod machine;
pub mod message;
pub mod options;
mod packet;
mod process;
#[cfg(test)]
mod tests;

pub use clients::{Clients, DhcpError, Settings};
pub use feature::DhcpFeature;
pub use lease::Lease;
pub use machine::{Counts, DhcpClient, Input, Loss, Output, Phase};
