//! The one scheduler, as a value without clock, thread or I/O.
//!
//! Its hosts (a worker's loop, a VPP process node, a future inside somebody's tokio, the
//! simulation) all do the same: `turn(now)`, then park until the told instant or the doorbell.
//!
//! ```text
//!   turn:  take `now` -> fire timers -> { take wakes -> run the first ready unit } x budget
//!          -> anything left?  yes: Again   no: arm `parked` -> fence -> look once more -> Park
//! ```
//!
//! **Wakes.** Each unit has one bit in an atomic bitmap (`inbox`). A wake from any thread sets
//! it, marks the bitmap's word, and rings the doorbell if the host is parked: wait-free, without
//! allocation, at most one entry a unit and one ring a park. Units of the own thread are woken
//! through the [`Spawner`] without any atomic operation.
//!
//! **No wake is lost** because a unit's bit is taken (an acquiring exchange) *before* its `work`
//! reads any input: a wake that came earlier is seen by that call, a later one sets the bit anew.
//! Parking is the mirror image: `parked` is raised, then a sequentially consistent fence, then
//! the bitmap is read again; a waker sets its bit, then a fence, then reads `parked`. One of the
//! two sees the other. Both are model-checked (`--cfg barrow_loom`).
//!
//! **No stale delivery**: a [`UnitId`] carries a generation, and a slot is reused only when
//! nobody holds a waker of its former unit any more.

mod inbox;
mod remote;
mod slots;
mod spawner;
mod stats;
mod task;
mod turn;

pub use remote::{Remote, Stopped};
pub use slots::UnitId;
pub use spawner::Spawner;
pub use stats::{Failure, SchedulerStats, SlowCall, UnitInfo, UnitState, UnitStats};
pub(crate) use turn::panic_message;
pub use turn::{Next, Order, Scheduler};

/// How another thread reaches a parked host: an eventfd, a root waker, a tokio notify, nothing in
/// a simulation. Called without any lock held, at most once between two turns.
pub trait Doorbell: Send + Sync + 'static {
    /// Makes the host call [`Scheduler::turn`] soon. Never blocks.
    fn ring(&self);
}

/// For hosts that never park: nobody has to be told.
impl Doorbell for () {
    fn ring(&self) {}
}

impl<B: Doorbell + ?Sized> Doorbell for Box<B> {
    fn ring(&self) {
        (**self).ring();
    }
}

impl<B: Doorbell + ?Sized> Doorbell for std::sync::Arc<B> {
    fn ring(&self) {
        (**self).ring();
    }
}

#[cfg(all(test, barrow_loom))]
mod loom_tests;
