//! The binary `barrow`.
#![forbid(unsafe_code)]

fn main() {}
