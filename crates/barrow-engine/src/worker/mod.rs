//! One thread's share of the packet graph.
//!
//! ```text
//!  main: commands ─┐   ┌── interrupts (descriptors, doorbells)
//!                  v   v
//!  turn:  take commands -> new arcs? -> inputs ready -> rings of other threads
//!         -> region: every ready node in rank order -> hand off what goes to other threads
//! ```
//!
//! [`PacketUnit`] is what the thread's scheduler runs. Everything in it is owned by the thread; what
//! others may touch is the [`Mailbox`] (closures from the main thread, run between turns), the
//! interrupt bits, and the [rings](handoff).

mod handoff;
mod mailbox;
pub(crate) mod orphans;
mod packets;
mod quiescence;
mod unit;

pub use packets::WorkerPackets;
pub use quiescence::Quiescence;
pub use unit::ThreadPackets;

pub(crate) use handoff::{Inbox, Links, Outbox, wire};
pub(crate) use mailbox::{Command, Mailbox};
pub(crate) use packets::{OwnErrors, Parts, ThreadRow};
pub(crate) use unit::{PacketUnit, Slice};
