//! A dataflow region: nodes in rank order from a ready bitmap.
#![forbid(unsafe_code)]
