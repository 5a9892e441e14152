//! Packet and message buffers: fixed slots in pools, owned through move-only handles.
//!
//! # The idea
//!
//! One address range is reserved for the whole process, and pools are carved out of it. A buffer's
//! *index* is its distance from the start of that range in cache lines, so it fits 32 bits, is
//! never 0, and is **unique over all pools of the process**. A [`Buf<H>`] is such an index that can
//! only be moved: whoever holds it owns the slot. Turning it into an address is one shift and one
//! addition, and a vector of 256 packets is one kilobyte that is passed on by `memcpy`.
//!
//! ```text
//!  slot of Pool<H>, stride an odd number of cache lines so that headers spread over all cache sets
//!  +----------+------------------+---------------------------+---------+-------------------+
//!  | H        | headroom (128)   | data (2048 by default)    | padding | trailer (64)      |
//!  +----------+------------------+---------------------------+---------+-------------------+
//!  0          size_of H, up to   +128                                  link, references,
//!             a line             '------------ room -------------'     free list
//! ```
//!
//! # Why the safe interface is sound
//!
//! 1. An index is in exactly one place: a free list, a [`Cache`], a handle, a reference-counted
//!    handle, or the *link* of a slot whose handle somebody holds. Only `unsafe` code can copy one
//!    ([`Buf::from_raw`]).
//! 2. The slot's header, room and link are reached through `&Buf` or `&mut Buf` only, so the borrow
//!    checker sees each slot as a field of its handle.
//! 3. Every slot holds a valid `H` from before its first handle exists; `H` is [`Copy`], so it has
//!    neither destructor nor interior mutability.
//! 4. A pool's memory is returned only when all its slots are back; a pool dropped earlier stays
//!    mapped until its last handle comes home, even through the cache of another pool.
//!
//! A forgotten handle is a leaked slot, never a dangling one: handles have no destructor, which
//! keeps the hot path free of branches. [`Pool::stats`] and [`Pool::audit`] find leaks.
//!
//! # Start reading
//!
//! [`Pool`] makes caches, [`Cache`] allocates and frees, [`Buf`] is what they deal in.

mod cache;
mod handle;
mod link;
mod memory;
mod pool;
mod prefetch;
mod region;
mod shared;
mod slot;
mod stack;
mod sync;

#[cfg(test)]
#[cfg(not(barrow_loom))]
mod tests;

pub use cache::Cache;
pub use handle::{Buf, slots_mut};
pub use link::Link;
pub use memory::Pages;
pub use pool::{Audit, Config, Pool, PoolError, Stats};
pub use prefetch::prefetch;
pub use region::orphans;
pub use shared::Shared;
pub use slot::{HEADROOM, Header, LINE};
