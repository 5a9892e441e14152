//! Recording what clients send.
//!
//! [`ApiTrace`] keeps the latest messages; [`TraceFile`] is what VPP saves them as, written and read.

mod file;
mod recorder;

pub use file::{TraceFile, TraceFileError};
pub use recorder::ApiTrace;
