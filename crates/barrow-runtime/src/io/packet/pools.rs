//! Where packets come from.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use super::local::Store;
use super::{Head, Packet};
use crate::buf::{HEADROOM, Pages, Pool, PoolError};

/// Sizes of the two pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Small buffers: one datagram or a piece of a stream.
    pub small: u32,
    /// Bytes in a small buffer, behind the headroom.
    pub small_size: usize,
    /// Large buffers, of 64 KiB: batches that the kernel cuts or joins.
    pub large: u32,
    /// Kind of pages.
    pub pages: Pages,
}

impl Default for Config {
    /// 16,384 buffers of 2,048 bytes and 512 of 65,536; memory is taken when they are first used.
    fn default() -> Self {
        Self {
            small: 16_384,
            small_size: 2048,
            large: 512,
            pages: Pages::Normal,
        }
    }
}

/// The pool has no buffer left, or none that is as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no buffer for {0} bytes")]
pub struct NoBuffer(pub usize);

/// Where the buffers of a pool are: `free + kernel + owned` is `size`, always.
///
/// Exact while no other thread takes or frees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Buffers in all.
    pub size: usize,
    /// Free, in the pool and the caches of threads.
    pub free: usize,
    /// Handed to the kernel, which writes to them or reads them.
    pub kernel: isize,
    /// In packets: with machines, in queues of sockets, under way between threads.
    pub owned: isize,
}

impl Report {
    /// Whether nothing is lost and nothing is there twice.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.free as isize + self.kernel + self.owned == self.size as isize
    }
}

/// Pools of packets. Clones are the same pools, for any thread.
#[derive(Clone, Debug)]
pub struct Packets {
    small: Arc<Store>,
    large: Arc<Store>,
}

/// Bytes in a large buffer: the longest that one call can send or receive.
pub(crate) const LARGE: usize = 65_536;

impl Packets {
    /// Makes pools.
    ///
    /// # Errors
    /// For sizes out of range, and when the system gives no address space.
    pub fn new(config: Config) -> Result<Self, PoolError> {
        let make = |buffers, data_size| {
            let config = crate::buf::Config {
                buffers,
                data_size,
                pages: config.pages,
                populate: false,
            };
            Pool::<Head>::new(config).map(Store::new)
        };
        Ok(Self {
            small: make(config.small, config.small_size)?,
            large: make(config.large, LARGE)?,
        })
    }

    /// The pools of the process, made by the first who asks, with default sizes.
    ///
    /// # Errors
    /// When the system gives no address space.
    pub fn shared() -> Result<Self, PoolError> {
        static SHARED: OnceLock<Packets> = OnceLock::new();
        if let Some(packets) = SHARED.get() {
            return Ok(packets.clone());
        }
        let made = Self::new(Config::default())?;
        Ok(SHARED.get_or_init(|| made).clone())
    }

    /// An empty packet with room for `len` bytes: a small buffer, or a large one if it has to be.
    ///
    /// # Errors
    /// When none is free, or none is as long.
    pub fn alloc(&self, len: usize) -> Result<Packet, NoBuffer> {
        let store = if len <= self.small_size() {
            &self.small
        } else if len <= LARGE {
            &self.large
        } else {
            return Err(NoBuffer(len));
        };
        store.alloc().map(Packet::new).ok_or(NoBuffer(len))
    }

    /// A packet with a copy of these bytes.
    ///
    /// # Errors
    /// As [`Packets::alloc`].
    pub fn copy(&self, bytes: &[u8]) -> Result<Packet, NoBuffer> {
        let mut packet = self.alloc(bytes.len())?;
        packet
            .extend(bytes)
            .map_err(|error| NoBuffer(error.wanted))?;
        Ok(packet)
    }

    /// Bytes that a small buffer takes behind its headroom of [`HEADROOM`] bytes.
    #[must_use]
    pub fn small_size(&self) -> usize {
        self.small.pool.data_size()
    }

    /// Wakes `waker` once, when a small or large buffer is freed after this call.
    pub fn wait(&self, waker: &Waker) {
        self.small.wait(waker);
        self.large.wait(waker);
    }

    /// Where the small and the large buffers are.
    #[must_use]
    pub fn report(&self) -> [Report; 2] {
        [&self.small, &self.large].map(|store| {
            let stats = store.pool.stats();
            Report {
                size: stats.size,
                free: stats.free + stats.cached.iter().sum::<usize>(),
                kernel: store.kernel.load(Ordering::Relaxed),
                owned: store.live(),
            }
        })
    }

    /// In debug builds, checks conservation when only this thread uses the pools.
    pub(crate) fn audit(&self) {
        if cfg!(debug_assertions) {
            for store in [&self.small, &self.large] {
                debug_assert!(
                    Arc::strong_count(store) > 1
                        || store.pool.stats().cached.len() > 1
                        || self.report().iter().all(Report::is_conserved),
                    "buffers are lost: {:?}",
                    self.report()
                );
            }
        }
    }
}

const _: () = assert!(HEADROOM >= 64, "room for a tunnel's headers");
