//! One connection, without socket and clock.
//!
//! The host moves bytes and calls [`Session::work`]:
//!
//! ```text
//! loop {
//!     while session.wants_input() { read into session.space(), session.filled(n) }   // stop when nothing is there
//!     session.work(now, waker, &mut quantum)
//!     while !session.output().is_empty() { write it, session.sent(now, n) }          // stop when nothing fits
//!     if session.is_finished() { close }
//! }
//! ```
//!
//! Invariants:
//!
//! 1. Answers come in the order of their requests: while one is unfinished, nothing behind it is handled.
//! 2. Once [`ApiLimits::max_queued`](super::ApiLimits) bytes wait, nothing is handled and nothing is read. At most one
//!    message more than that waits, and the events up to their own bound.
//! 3. What is read and not handled is at most one read's worth and one unfinished frame.
//! 4. A message that is not understood is counted, logged and dropped; a frame that is not understood ends the
//!    connection.

mod machine;
mod outbox;

#[cfg(test)]
mod tests;

pub use machine::{Closed, Progress, Session};
