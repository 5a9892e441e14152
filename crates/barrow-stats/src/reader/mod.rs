//! The reader: total functions over memory that somebody else changes, or gets wrong.
//!
//! How a read stays right although nobody locks: note the epoch, wait until no change is in progress, copy what is
//! wanted, then look whether the epoch is still the same; otherwise start over, a bounded number of times. Whatever is
//! found on the way is taken for a claim: every pointer, length and index is checked against the file, and nothing is
//! copied beyond [`Limits`]. A claim that does not hold is an error only if the epoch has stayed the same, for then
//! the segment itself is wrong.
//!
//! Entries are read one by one, each with its own check, so that a writer who changes the structure all the time does
//! not starve a reader of everything.
//!
//! Values inside one entry are as they were found: counters go on counting while they are copied.

mod access;
mod error;
mod ring;
mod value;
mod vector;

pub use self::access::{Entry, Limits, Reader};
pub use self::error::{AttachError, ReadError};
pub use self::ring::{Ring, RingThread};
pub use self::value::{Histogram, Value};
