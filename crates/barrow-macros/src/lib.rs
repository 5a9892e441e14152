//! Derive and attribute macros of Barrow.
#![forbid(unsafe_code)]
