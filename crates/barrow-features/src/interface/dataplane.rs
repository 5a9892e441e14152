//! What packet nodes know of an interface: one word each, written by the main thread, read by all.
//!
//! The words live in chunks that never move, so a reader needs no lock and a writer stops nobody. A
//! word is read whole: a reader sees an interface before or after a change, never between.
//!
//! ```text
//! bit 63      exists        bit 62 admin up (and, for a sub-interface, its parent too)
//! bit 61      unnumbered or addressed: IPv4 is enabled
//! bit 60      packets are counted by kind of destination
//! bits 32..48 layer-3 MTU   bits 0..24 IPv4 FIB index
//! ```

use super::SwIfIndex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

const CHUNK: usize = 256;
const CHUNKS: usize = 4096;
const EXISTS: u64 = 1 << 63;
const UP: u64 = 1 << 62;
const IP4: u64 = 1 << 61;
const DETAILED: u64 = 1 << 60;
const MTU_SHIFT: u32 = 32;
const FIB_MASK: u64 = 0x00ff_ffff;

type Chunk = Box<[AtomicU64; CHUNK]>;

/// What a packet node may ask of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterfaceWord(u64);

impl InterfaceWord {
    /// The word of an interface that exists.
    #[must_use]
    pub const fn new(up: bool, ip4: bool, mtu: u16, fib_index: u32) -> Self {
        let mut word = EXISTS | (mtu as u64) << MTU_SHIFT | (fib_index as u64 & FIB_MASK);
        if up {
            word |= UP;
        }
        if ip4 {
            word |= IP4;
        }
        Self(word)
    }

    /// The same word, with the counting by kind of destination on or off.
    #[must_use]
    pub const fn with_detailed_stats(self, on: bool) -> Self {
        if on {
            Self(self.0 | DETAILED)
        } else {
            Self(self.0 & !DETAILED)
        }
    }

    /// Whether packets are to be counted by kind of destination: unicast, multicast, broadcast.
    #[must_use]
    pub const fn has_detailed_stats(self) -> bool {
        self.0 & DETAILED != 0
    }

    /// Whether the interface exists.
    #[must_use]
    pub const fn exists(self) -> bool {
        self.0 & EXISTS != 0
    }

    /// Whether packets may be received and sent.
    #[must_use]
    pub const fn is_up(self) -> bool {
        self.0 & UP != 0
    }

    /// Whether IPv4 packets are accepted: the interface has an address, or borrows one.
    #[must_use]
    pub const fn is_ip4_enabled(self) -> bool {
        self.0 & IP4 != 0
    }

    /// Largest IPv4 packet that may leave, in bytes.
    #[must_use]
    pub const fn mtu(self) -> u16 {
        (self.0 >> MTU_SHIFT) as u16
    }

    /// Index of the IPv4 FIB that packets received here are looked up in.
    #[must_use]
    pub const fn fib_index(self) -> u32 {
        (self.0 & FIB_MASK) as u32
    }
}

/// The words of all interfaces; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct InterfaceWords(Arc<[OnceLock<Chunk>]>);

impl Default for InterfaceWords {
    fn default() -> Self {
        Self((0..CHUNKS).map(|_| OnceLock::new()).collect())
    }
}

impl InterfaceWords {
    /// Most interfaces a node can have.
    pub const CAPACITY: u32 = (CHUNK * CHUNKS) as u32;

    /// The word of an interface; one that does not exist is down.
    #[inline]
    #[must_use]
    pub fn get(&self, index: SwIfIndex) -> InterfaceWord {
        let slot = index.slot();
        let word = self
            .0
            .get(slot / CHUNK)
            .and_then(OnceLock::get)
            .map_or(0, |chunk| chunk[slot % CHUNK].load(Ordering::Relaxed));
        InterfaceWord(word)
    }

    /// Publishes a word; `None` when the interface is gone. Main thread only, by convention.
    ///
    /// An index at or beyond [`CAPACITY`](Self::CAPACITY) is ignored: the table never gives one out.
    pub(crate) fn set(&self, index: SwIfIndex, word: Option<InterfaceWord>) {
        let slot = index.slot();
        if let Some(chunk) = self.0.get(slot / CHUNK) {
            let chunk = chunk.get_or_init(|| Box::new([const { AtomicU64::new(0) }; CHUNK]));
            chunk[slot % CHUNK].store(word.map_or(0, |word| word.0), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_carries_what_was_put_in() {
        let word = InterfaceWord::new(true, false, 9000, 77);
        assert!(word.exists() && word.is_up() && !word.is_ip4_enabled());
        assert_eq!((word.mtu(), word.fib_index()), (9000, 77));
        let detailed = word.with_detailed_stats(true);
        assert!(detailed.has_detailed_stats() && !word.has_detailed_stats());
        assert_eq!(detailed.with_detailed_stats(false), word);
    }

    #[test]
    fn an_interface_that_does_not_exist_is_down() {
        let words = InterfaceWords::default();
        assert!(!words.get(SwIfIndex(5)).is_up());
        assert!(!words.get(SwIfIndex::NONE).exists());
        words.set(SwIfIndex(5), Some(InterfaceWord::new(true, true, 1500, 0)));
        assert!(words.get(SwIfIndex(5)).is_up());
        words.set(SwIfIndex(5), None);
        assert!(!words.get(SwIfIndex(5)).exists());
    }
}
