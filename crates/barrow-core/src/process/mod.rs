//! Process nodes: one `async fn` each, with time, counters, a name and a restart policy.
//!
//! A node's source knows only this crate, so that every host of the scheduler can run it: a
//! Barrow worker, a plugin inside FD.io VPP, a simulation. What only one host can give is an
//! [extension](crate::Extensions) asked for by type.

mod chunks;
mod context;
mod inbox;
mod node;
mod offload;
mod restart;
mod shared;
mod status;
mod unit;

pub use chunks::Chunks;
pub use context::ProcessContext;
pub(crate) use inbox::Inboxes;
pub use inbox::{Inbox, InboxError};
pub use node::{Exit, ProcessError, ProcessNode};
pub use offload::{Offload, OffloadError, OffloadJob};
pub use restart::Restart;
pub use status::{ProcessState, ProcessStatus};
pub(crate) use unit::ProcessUnit;
