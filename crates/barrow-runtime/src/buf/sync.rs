//! The atomics of the shared free list, so that the model checker can replace them.
//!
//! With `--cfg barrow_loom` the crate compiles but only the model is meaningful: loom's atomics do
//! not fit a slot.

#[cfg(not(barrow_loom))]
pub(super) use core::sync::atomic::{AtomicU32 as NextWord, AtomicU64 as HeadWord};
#[cfg(barrow_loom)]
pub(super) use loom::sync::atomic::{AtomicU32 as NextWord, AtomicU64 as HeadWord};
