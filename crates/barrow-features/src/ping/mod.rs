//! `ping`: asks hosts for an echo (RFC 792) and tells how long it took.
//!
//! ```text
//! command (main) --request--> ip4-lookup --> ...                      the host
//!    ^                                                                   |
//!    +---- channel of the command <-- ip4-icmp-echo-reply <-- ip4-icmp-input
//! ```
//!
//! Each running command has an identifier of its own; the node hands an answer to the command whose
//! identifier it carries, and punts the others.

mod cli;
mod feature;
mod node;
mod request;
mod route;
#[cfg(test)]
mod tests;
mod waiting;

pub use feature::PingFeature;
