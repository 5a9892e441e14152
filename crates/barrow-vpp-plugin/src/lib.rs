//! Runs Barrow's process nodes inside FD.io VPP 26.06, through the published crate `vpp-plugin`.
//!
//! ```text
//!   process nodes (know barrow-core only)
//!        |
//!   Scheduler: timers with wakers, channels, restarts, panics contained
//!        |
//!   root(): one future, generic over its Host        <- everything down to here is tested without VPP
//!        |
//!   vpp (feature `vpp`): a process node of VPP, its sleep, its counters
//! ```
//!
//! **Status: the module `vpp` compiles; it was not run inside VPP by this project yet.** Its design did run in
//! VPP 26.06 as a prototype. [`root`] and everything above run in this crate's tests, against a host that has
//! the habits of VPP's ([`testing`]).
//!
//! What the adapter works around in `vpp-plugin` 0.3.0: sleeps beyond two seconds that never end, sleeps that
//! end a millisecond early, timers that wake nobody, wake-ups that are lost, a call to the main thread for each
//! wake, an abort for each panic. It uses one sleep of at most a second as its only timer, which also bounds a
//! wake that is lost.
//!
//! What VPP's host cannot give is a typed answer: frames to next nodes (`HostHasNoPackets`), threads for work that
//! blocks (`HostHasNoThreads`). Counters of severity CRITICAL are shown as ERROR: VPP has none higher. Nothing is
//! dropped when VPP exits; a node that has to say goodbye needs a message for it.
#![deny(unsafe_code)]

extern crate self as barrow_vpp_plugin;

/// For the derive macros and [`export_process_node`].
#[doc(hidden)]
pub use barrow_core as __core;

mod bell;
mod counters;
mod root;
pub mod testing;
#[cfg(feature = "vpp")]
pub mod vpp;

pub use bell::RootBell;
pub use counters::Deltas;
pub use root::{HEARTBEAT, Host, root};
