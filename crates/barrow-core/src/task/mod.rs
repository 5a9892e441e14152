//! What async tasks share beside timers and channels: giving way, and hearing that they should end.
//!
//! A task is a future that is a unit (`Spawner::spawn_task`). Any future that asks for nothing but
//! a waker works in one: `tokio::sync`, `futures` and other primitives without an executor of
//! their own.

mod give_way;
mod stop;

pub use give_way::{Pace, yield_now};
pub use stop::{Stop, Stopping};

#[cfg(all(test, not(barrow_loom)))]
mod tests;
