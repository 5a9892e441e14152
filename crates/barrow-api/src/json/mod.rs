//! `.api.json`: VPP's schema of interface files, in and out (binary-api.md, section 6).
//!
//! Reading is tolerant where releases differ (keys and metadata may be missing, unknown ones are ignored) and strict
//! where use of the schema would go wrong. What was read and is written again is the same JSON, key for key.

mod node;
mod read;
mod write;

pub use read::{read, read_named};
pub use write::{to_string, to_value};
