//! Where wakes arrive: a two-level atomic bitmap, a bit a unit.

use std::{
    sync::Arc,
    task::{Wake, Waker},
};

use super::Doorbell;
use crate::sync::{AtomicBool, AtomicU64, Ordering, fence};

/// Words of one chunk; loom checks a small one.
const WORDS: usize = if cfg!(barrow_loom) { 2 } else { 64 };
/// Units that share one chunk.
const UNITS: usize = WORDS * 64;

/// The wake bits of 4,096 units, and a bit for each of the 64 words they are in.
struct Chunk {
    summary: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// The parking side: whether the host sleeps, and how to call it.
struct Host {
    parked: AtomicBool,
    bell: Box<dyn Doorbell>,
}

impl Host {
    /// The waker's half of the handshake: whoever finds the host parked rings, once.
    fn notify(&self) {
        fence(Ordering::SeqCst); // pairs with the fence in `Inbox::park`
        if self.unpark() {
            self.bell.ring();
        }
    }

    /// Ends the parking; true for the one who did.
    fn unpark(&self) -> bool {
        self.parked.load(Ordering::Relaxed) && self.parked.swap(false, Ordering::AcqRel)
    }
}

/// One for each unit slot, behind all wakers of the unit that lives there.
pub(super) struct Flag {
    chunk: Arc<Chunk>,
    word: u8,
    mask: u64,
    host: Arc<Host>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // An exchange, not a load first: the scheduler's taking exchange must read from it, so
        // that what was written before this wake is visible to the run that answers it.
        let before = self.chunk.words[self.word as usize].fetch_or(self.mask, Ordering::AcqRel);
        if before & self.mask != 0 {
            return; // whoever set the bit delivers it
        }
        self.chunk
            .summary
            .fetch_or(1 << self.word, Ordering::Release);
        self.host.notify();
    }
}

/// The scheduler's side.
pub(super) struct Inbox {
    chunks: Vec<Arc<Chunk>>,
    host: Arc<Host>,
}

impl Inbox {
    pub(super) fn new(bell: Box<dyn Doorbell>) -> Self {
        let host = Host {
            parked: AtomicBool::new(false),
            bell,
        };
        Self {
            chunks: Vec::new(),
            host: Arc::new(host),
        }
    }

    /// The flag of slot `index`; grows the bitmap as needed.
    pub(super) fn flag(&mut self, index: u32) -> Arc<Flag> {
        let (chunk, unit) = (index as usize / UNITS, index as usize % UNITS);
        while self.chunks.len() <= chunk {
            let words = std::array::from_fn(|_| AtomicU64::new(0));
            self.chunks.push(Arc::new(Chunk {
                summary: AtomicU64::new(0),
                words,
            }));
        }
        Arc::new(Flag {
            chunk: self.chunks[chunk].clone(),
            word: (unit / 64) as u8,
            mask: 1 << (unit % 64),
            host: self.host.clone(),
        })
    }

    /// Takes every wake that has arrived, lowest slot first.
    pub(super) fn drain(&self, mut each: impl FnMut(u32)) {
        for (number, chunk) in self.chunks.iter().enumerate() {
            if chunk.summary.load(Ordering::Relaxed) == 0 {
                continue; // a wake in flight is found by the next drain, or by `park`
            }
            let mut summary = chunk.summary.swap(0, Ordering::Acquire);
            while summary != 0 {
                let word = summary.trailing_zeros() as usize;
                summary &= summary - 1;
                let mut bits = chunk.words[word].swap(0, Ordering::AcqRel);
                while bits != 0 {
                    let bit = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    each((number * UNITS + word * 64 + bit) as u32);
                }
            }
        }
    }

    /// The scheduler's half of the handshake: true if the host may sleep.
    pub(super) fn park(&self) -> bool {
        // An exchange, as every change of `parked` is: they all have one order.
        self.host.parked.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst); // pairs with the fence in `Host::notify`
        let missed = self
            .chunks
            .iter()
            .any(|c| c.summary.load(Ordering::Relaxed) != 0);
        if missed {
            self.host.unpark();
        }
        !missed
    }

    /// The host is awake: nobody needs to ring.
    pub(super) fn unpark(&self) {
        self.host.unpark();
    }

    /// Something became ready on the host's own thread, maybe after it was told to park.
    pub(super) fn disturb(&self) {
        if self.host.unpark() {
            self.host.bell.ring();
        }
    }
}

/// A waker of the slot.
pub(super) fn waker(flag: &Arc<Flag>) -> Waker {
    Waker::from(flag.clone())
}
