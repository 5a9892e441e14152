//! One thread's side of the packet pool: allocate and free without touching other threads.

use super::{Buffer, PacketHeader};
use barrow_runtime::buf::{Cache, Pool};

/// The thread's cache of free buffers; frees whole chains.
#[derive(Debug)]
pub struct PacketCache {
    cache: Cache<PacketHeader>,
    data_size: usize,
}

impl PacketCache {
    /// A cache in front of `pool`. One a thread.
    #[must_use]
    pub fn new(pool: &Pool<PacketHeader>) -> Self {
        Self {
            cache: pool.cache(),
            data_size: pool.data_size(),
        }
    }

    /// Appends up to `n` fresh buffers to `out`; returns how many there were.
    #[inline]
    pub fn alloc(&mut self, n: usize, out: &mut Vec<Buffer>) -> usize {
        let old = out.len();
        let n = self.cache.alloc(n, out);
        for buffer in &mut out[old..] {
            buffer.header_mut().reset();
        }
        n
    }

    /// One fresh buffer; `None` when the pool is exhausted.
    #[inline]
    pub fn alloc_one(&mut self) -> Option<Buffer> {
        let mut buffer = self.cache.alloc_one()?;
        buffer.header_mut().reset();
        Some(buffer)
    }

    /// Frees a packet, with everything chained behind it.
    #[inline]
    pub fn free_one(&mut self, buffer: Buffer) {
        if buffer.header().is_chained() {
            self.cache.free_chain(buffer);
        } else {
            self.cache.free_one(buffer);
        }
    }

    /// Frees packets, with everything chained behind them.
    #[inline]
    pub fn free(&mut self, buffers: &mut Vec<Buffer>) {
        let chained = buffers
            .iter()
            .fold(false, |any, buffer| any | buffer.header().is_chained());
        if chained {
            buffers.drain(..).for_each(|buffer| self.free_one(buffer));
        } else {
            self.cache.free(buffers.drain(..));
        }
    }

    /// Bytes of data that one buffer holds behind its headroom.
    #[must_use]
    pub fn data_size(&self) -> usize {
        self.data_size
    }

    /// Gives back to the pool what other threads could use.
    pub fn flush(&mut self) {
        self.cache.flush();
    }
}
