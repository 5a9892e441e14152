//! A dataflow region: nodes joined by edges, run in rank order from a ready bitmap.
//!
//! A packet graph is such a region, whose nodes share frames and buffers; a stream-processing
//! graph is another, whose nodes share nothing but their handoffs. The scheduler of
//! [`barrow_core`] sees a whole region as one [`Unit`](barrow_core::Unit).
#![forbid(unsafe_code)]

pub mod region;
