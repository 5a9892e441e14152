//! Several workers as one runtime, seen from the thread that started them.
//!
//! ```text
//!                 spawn, messages to a worker or a task      (bounded: try, wait or block)
//!   controller  ------------------------------------------>  worker 0: scheduler + reactor
//!   (any thread)                                              +-- root task (messages to the worker)
//!               <------------------------------------------   +-- tasks, machines, units
//!                 outputs (bounded), reports, load           worker 1: ...
//! ```
//!
//! A [`Controller`] has one type parameter: the message that tasks take and give. What is spawned is
//! made on its worker by a `Send` closure, so that nothing of it has to be `Send` itself. A [`Task`]
//! names a task for ever: messages to one that has ended come back, and never reach another.
//!
//! Nothing here is an unbounded queue: an inbox that is full makes [`Task::send`] wait, an output
//! that nobody takes makes [`TaskContext::emit`] wait. A task that panics fails alone; the controller
//! gets a [`Report`]. [`Controller::shutdown`] asks every task to finish (its [`Inbox`] ends once it
//! is empty), waits until the deadline, and names those that did not.
//!
//! ```
//! use barrow_runtime::controller::{Controller, Placement};
//! use std::time::Duration;
//!
//! let mut controller = Controller::<u64>::builder().workers(2).name("adder").start()?;
//! let task = controller.spawn(Placement::LeastLoaded, "add one", |cx, mut inbox| async move {
//!     while let Some(number) = inbox.recv().await {
//!         cx.emit(number + 1).await;
//!     }
//! })?;
//! task.blocking_send(41)?;
//! assert_eq!(controller.output(Duration::from_secs(10)), Some(42));
//! assert!(controller.shutdown(Duration::from_secs(10))?.is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balance;
mod block;
mod builder;
mod context;
mod hosted;
mod inbox;
mod runtime;
mod seat;
mod status;
mod supervise;
mod task;

#[cfg(test)]
mod tests;

pub use builder::{Builder, StartError};
pub use context::TaskContext;
pub use inbox::{Inbox, MessagePorts};
pub use runtime::{Placement, Runtime, SpawnRefused};
pub use status::{Ended, Report, WorkerStatus};
pub use supervise::{Controller, ShutdownReport};
pub use task::{Task, TaskId, WorkerId};
