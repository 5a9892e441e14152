//! Timers of one thread: a hierarchical wheel behind [`Timers`], and the futures on top of it.
//!
//! The wheel ticks in 10 microseconds, as VPP's does, but keeps every deadline in nanoseconds:
//! a timer never fires early, and is never lost, whatever its distance (0 to 584 years) and
//! however far `now` jumps. Arming, moving and cancelling are O(1); a timer moves down at most
//! nine levels on its way.

mod interval;
mod sleep;
mod slot;
mod timers;
mod wheel;

pub use interval::{Interval, Missed};
pub use sleep::{Elapsed, Sleep, timeout, timeout_at};
pub use timers::{TimerKey, Timers};

#[cfg(all(test, not(barrow_loom)))]
mod tests;
