//! Threads that host a scheduler: collect I/O, turn, park; and how other threads reach what lives
//! there.
//!
//! ```text
//!   +-> jobs of remotes -> scheduler.turn(now) --Again--> I/O, but not after every turn --+
//!   |                              |                                                      |
//!   |                             Park --> reactor.park(until): I/O, bell or deadline     |
//!   |                                              |                                      |
//!   +----------------------------------------------+--------------------------------------+
//! ```
//!
//! A [`Worker`] owns a scheduler, a reactor and one value `T`, all made on its thread, so nothing
//! of it has to be `Send`. A [`Remote`] sends it closures that get `&mut T`. While units stay busy
//! the worker never parks, and looks at its descriptors only every so often: continuous packet work
//! costs no system call a turn, yet a socket is served within the poll interval.
//!
//! No wake is lost: a job is queued *before* the wake of a unit whose only purpose is to be woken;
//! the scheduler's own protocol then makes the worker turn once more, and the queue is looked at
//! after each turn and before each sleep.

mod meter;
mod offload;
mod remote;
mod spawn;
mod worker;

#[cfg(test)]
mod tests;

pub use meter::{Load, Meter};
pub use offload::{OffloadLimits, offload_threads};
pub use remote::{CallError, Job, Remote, SendError};
pub use spawn::{Handle, SpawnError, spawn, spawn_with_end};
pub use worker::{Host, Idle, Options, Stopper, Worker};
