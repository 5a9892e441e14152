//! What every host of a Barrow unit shares: the scheduler as a value, timers, process nodes,
//! machines, channels; no clock, no thread, no I/O, no unsafe code.
//!
//! | to | take |
//! |---|---|
//! | write control logic as one `async fn` | [`ProcessNode`], [`ProcessContext`], [`channel`] |
//! | write a protocol without I/O | [`Machine`], driven by [`Driver`] |
//! | compose machines | [`machine::Group`], `#[derive(Machine)]`, [`machine::Stack`] |
//! | write anything else that is scheduled | [`Unit`] |
//! | host all of these | [`Scheduler`]: `turn(now)`, then park as told |
//! | test them on virtual time | [`testing::Simulation`] |
//!
//! A process node, a packet node and their hosts name their next nodes and counters the same way:
//! [`NextNodes`] and [`ErrorCounters`], both derived.
//!
//! ```
//! use barrow_core::{ProcessContext, ProcessError, process_node, testing::Simulation};
//! use std::time::Duration;
//!
//! /// Naps three times.
//! #[process_node(name = "napper")]
//! async fn napper(cx: ProcessContext<Napper>, nap: Duration) -> Result<(), ProcessError> {
//!     for _ in 0..3 {
//!         cx.sleep(nap).await;
//!     }
//!     Ok(())
//! }
//!
//! let mut simulation = Simulation::new();
//! let (_, status) = simulation.scheduler().start_process(Napper { nap: Duration::from_secs(4) });
//! simulation.advance(Duration::from_secs(60));
//! assert_eq!(status.suspends(), 3);
//! ```
#![forbid(unsafe_code)]

// The macros name this crate from outside and from its own tests alike.
extern crate self as barrow_core;

mod backoff;
pub mod channel;
mod counters;
mod extensions;
pub mod guides;
pub mod handoff;
pub mod machine;
mod next_nodes;
pub mod process;
pub mod scheduler;
mod sync;
pub mod task;
pub mod testing;
mod time;
pub mod timer;
mod unit;
mod waits;

pub use backoff::Backoff;
pub use barrow_macros::{ErrorCounters, Machine, NextNodes, process_node};
pub use counters::{CounterDescription, ErrorCounters, NoErrors, Severity};
pub use extensions::Extensions;
pub use machine::{Driver, Machine, Ports, PushOutput};
pub use next_nodes::{NextNodes, NoNext};
pub use process::{
    Chunks, Exit, Inbox, InboxError, Offload, OffloadError, ProcessContext, ProcessError,
    ProcessNode, ProcessState, ProcessStatus, Restart,
};
pub use scheduler::{
    Doorbell, Failure, Next, Order, Remote, Scheduler, SchedulerStats, SlowCall, Spawner, UnitId,
    UnitInfo, UnitState, UnitStats,
};
pub use time::{Clock, Instant, NoClock};
pub use unit::{Unit, UnitContext, Work};
pub use waits::Waits;
