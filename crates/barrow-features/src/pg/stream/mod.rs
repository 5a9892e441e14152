//! Streams of packets.
//!
//! ```text
//!  main: PacketGenerator  --Run (closure in the mailbox)-->  thread: pg-input
//!            ^                                                  |  each poll: at most `maxframe` packets a run
//!            `------------- RunState (two atomics) -------------'
//! ```
//!
//! A [`stream`](table) is the main thread's; a [run](run::Run) is one of its goes, and belongs to the thread that
//! makes the packets. They share what is counted and whether the run goes on, so a stop takes effect at
//! once and needs no answer.

mod error;
mod input;
mod new;
mod offload;
mod pace;
mod record;
mod run;
mod show;
mod source;
mod table;

pub use error::PgError;
pub use new::{NewStream, Target};
pub use offload::Marks;
pub use record::StreamInfo;
pub use source::Source;
pub use table::PacketGenerator;

pub(super) use input::PgInput;
pub(super) use new::read_changes;
pub(super) use show::{heading, line};
