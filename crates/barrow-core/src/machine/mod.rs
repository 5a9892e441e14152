//! Protocols without I/O, the one loop that drives them, and what makes one of several.
//!
//! | to | take |
//! |---|---|
//! | run a machine as a unit | [`Driver`] with its [`Ports`] |
//! | host many of one kind (sessions, tasks) | [`Group`] |
//! | let one place hold one of several kinds | `#[derive(Machine)]` on an enum |
//! | put a protocol on top of another | [`Stack`], joined by a [`Joint`] |
//!
//! What comes out is a machine each time, so they nest: a group of an enum of stacks is one
//! machine, tested with bytes and instants.

mod driver;
mod group;
mod ports;
mod stack;

pub use driver::Driver;
pub use group::{Group, GroupOutput, MemberId};
pub use ports::{Machine, Ports, PushOutput};
pub use stack::{Joint, Layer, Stack};

#[cfg(all(test, not(barrow_loom)))]
mod compose_tests;
#[cfg(all(test, not(barrow_loom)))]
mod tests;
