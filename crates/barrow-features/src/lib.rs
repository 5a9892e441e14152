//! The features of a node, one folder each.
//!
//! A folder holds all there is to a feature: its packet nodes, its table, its messages, its commands and
//! their tests. Features use each other only through public tables (`provide` and `table` of the engine's
//! builder) and node names.
#![deny(unsafe_code)]

/// For the derive macros.
#[doc(hidden)]
pub use barrow_core as __core;

pub mod adj;
pub mod arp;
mod error_base;
pub mod ethernet;
pub mod fib;
pub mod icmp;
pub mod interface;
pub mod ip;
pub mod ip4;
pub mod loopback;
pub mod neighbor;
#[cfg(test)]
mod testing;

pub use error_base::ErrorBase;
