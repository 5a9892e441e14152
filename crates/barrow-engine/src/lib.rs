//! The kernel of a packet node: packets, frames, nodes, arcs, counters, trace, and the servers.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod log;
