//! Process nodes: one `async fn` each, with time, counters, a name and a restart policy.
//!
//! A node's source knows only this crate, so that every host of the scheduler can run it: a
//! Barrow worker, a plugin inside FD.io VPP, a simulation. What only one host can give is an
//! [extension](crate::Extensions) asked for by type.

mod context;
mod node;
mod restart;
mod shared;
mod status;
mod unit;

pub use context::ProcessContext;
pub use node::{Exit, ProcessError, ProcessNode};
pub use restart::Restart;
pub use status::{ProcessState, ProcessStatus};
pub(crate) use unit::ProcessUnit;
