//! Longest-prefix match of IPv4 addresses in at most three loads.
//!
//! Strides of 16, 8 and 8 bits. A slot holds a *leaf*: the load balance of the longest prefix that
//! covers all of the slot's addresses, or the index of the *ply* of 256 slots that tells them apart.
//! Shorter prefixes are pushed down into every slot they cover, so a lookup never goes back.
//!
//! ```text
//! root (65,536 slots)         ply 7 (256)             ply 9 (256)
//! 10.0/16  -> ply 7     ───►  10.0.0/24 -> lb 3
//! 10.1/16  -> lb 3  (/8)      10.0.1/24 -> ply 9 ───► 10.0.1.0/32 -> lb 3  (/8)
//! 10.2/16  -> lb 3  (/8)      10.0.2/24 -> lb 3       10.0.1.1/32 -> lb 5  (/32)
//!
//! leaf:  lb index (25 bits) | prefix length (6) | 1          terminal
//!        ply index (31 bits)                    | 0          look further
//! ```
//!
//! A leaf tells the length of its prefix, so the control plane needs no second array beside the slots
//! (VPP keeps one byte a slot), and a leaf changes in one store.
//!
//! **Concurrency.** The main thread writes, workers read, nobody waits. Every change of a slot is one
//! atomic store; a new ply is filled before the slot that leads to it is stored (release), and readers
//! load slots with acquire order. So a lookup during a change gives the old or the new answer, never
//! anything else. A ply that is no longer linked is reused only after every worker announced a
//! quiescent state ([`Epochs`]).
//!
//! **Memory.** 256 KiB a table and 1 KiB a ply. A million consecutive /24 take 4 MiB of plies, a million
//! random ones 64 MiB.

use crate::fib::{Chunked, Epochs, LbIndex, Retired};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const ROOT_SLOTS: usize = 1 << 16;
const PLY_SLOTS: usize = 1 << 8;
/// Plies are allocated 256 at a time: 256 KiB.
const CHUNK_SLOTS: usize = 256 * PLY_SLOTS;
/// The most plies of a node: 2 GiB of them.
const MAX_PLIES: u32 = 1 << 21;
/// The most load balances that a leaf can tell apart.
pub const MAX_LOAD_BALANCES: u32 = 1 << 25;

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Leaf(u32);

impl Leaf {
    /// No prefix: the drop.
    const EMPTY: Self = Self(1);

    const fn new(lb: LbIndex, len: u8) -> Self {
        Self(lb.0 << 7 | (len as u32) << 1 | 1)
    }

    const fn ply(index: u32) -> Self {
        Self(index << 1)
    }

    const fn is_ply(self) -> bool {
        self.0 & 1 == 0
    }

    const fn ply_index(self) -> u32 {
        self.0 >> 1
    }

    const fn lb(self) -> LbIndex {
        LbIndex(self.0 >> 7)
    }

    const fn len(self) -> u8 {
        (self.0 >> 1 & 0x3f) as u8
    }
}

/// The plies of all tables, as readers see them.
#[derive(Debug)]
struct PlySlots(Chunked<AtomicU32, CHUNK_SLOTS>);

impl PlySlots {
    #[inline]
    fn load(&self, ply: u32, byte: u32) -> Leaf {
        match self.0.get(ply << 8 | (byte & 0xff)) {
            Some(slot) => Leaf(slot.load(Ordering::Acquire)),
            None => Leaf::EMPTY,
        }
    }

    fn store(&self, ply: u32, byte: u32, leaf: Leaf) {
        if let Some(slot) = self.0.get(ply << 8 | byte) {
            slot.store(leaf.0, Ordering::Release);
        }
    }
}

/// The plies of all IPv4 tables of a node, and which of them are free: the main thread's side.
#[derive(Debug)]
pub struct Plies {
    slots: Arc<PlySlots>,
    /// How many slots of each ply are *its own*: lead to a ply, or hold a prefix longer than the slot
    /// that leads to this ply can tell apart.
    own: Vec<u16>,
    free: Vec<u32>,
    retired: Retired<u32>,
}

/// The node has no ply left; the change was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfPlies;

impl Plies {
    /// No ply yet. Unlinked plies are reused as `epochs` allows.
    #[must_use]
    pub fn new(epochs: Epochs) -> Self {
        Self {
            slots: Arc::new(PlySlots(Chunked::new(MAX_PLIES * PLY_SLOTS as u32))),
            own: Vec::new(),
            free: Vec::new(),
            retired: Retired::new(epochs),
        }
    }

    /// How many plies are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.len() - self.free.len() - self.retired.len()
    }

    /// Whether no ply is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slots.0.bytes()
            + self.own.capacity() * size_of::<u16>()
            + self.free.capacity() * size_of::<u32>()
            + self.retired.bytes()
    }

    /// Makes sure that `count` plies can be taken: an insertion needs two at most.
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), OutOfPlies> {
        while self.free.len() < count {
            if let Some(ply) = self.retired.pop() {
                self.free.push(ply);
                continue;
            }
            let ply = self.own.len() as u32;
            if ply >= MAX_PLIES || !self.slots.0.ensure(ply << 8) {
                return Err(OutOfPlies);
            }
            self.own.push(0);
            self.free.push(ply);
        }
        Ok(())
    }

    /// Takes a reserved ply and fills it with `leaf`; not yet linked.
    fn take(&mut self, leaf: Leaf) -> u32 {
        let ply = self
            .free
            .pop()
            .expect("plies are reserved before they are taken");
        for byte in 0..PLY_SLOTS as u32 {
            self.slots.store(ply, byte, leaf);
        }
        self.own[ply as usize] = 0;
        ply
    }
}

/// The slots of one level under an address, as the recursive walks see them.
#[derive(Clone, Copy)]
enum Level {
    Root,
    /// Tells bits `base..base + 8` apart.
    Ply {
        index: u32,
        base: u8,
    },
}

impl Level {
    const fn base(self) -> u8 {
        match self {
            Self::Root => 0,
            Self::Ply { base, .. } => base,
        }
    }

    /// Bits that the slots of this level tell apart, counted from the first bit of the address.
    const fn end(self) -> u8 {
        match self {
            Self::Root => 16,
            Self::Ply { base, .. } => base + 8,
        }
    }

    const fn slots(self) -> u32 {
        match self {
            Self::Root => ROOT_SLOTS as u32,
            Self::Ply { .. } => PLY_SLOTS as u32,
        }
    }

    /// The slot of an address.
    const fn slot(self, address: u32) -> u32 {
        address >> (32 - self.end() as u32) & (self.slots() - 1)
    }
}

/// The lookup structure of one table. Written by the main thread with the node's [`Plies`], read by all.
#[derive(Debug)]
pub struct Ip4Mtrie {
    root: Box<[AtomicU32; ROOT_SLOTS]>,
    plies: Arc<PlySlots>,
}

impl Ip4Mtrie {
    /// An empty table: every address gives [`LbIndex::DROP`].
    #[must_use]
    pub fn new(plies: &Plies) -> Self {
        let root: Vec<AtomicU32> = (0..ROOT_SLOTS)
            .map(|_| AtomicU32::new(Leaf::EMPTY.0))
            .collect();
        Self {
            root: root
                .into_boxed_slice()
                .try_into()
                .expect("the root has 65,536 slots"),
            plies: Arc::clone(&plies.slots),
        }
    }

    /// Heap memory of the root, in bytes.
    pub const ROOT_BYTES: usize = ROOT_SLOTS * size_of::<AtomicU32>();

    /// The load balance of the longest prefix that covers `address` (host byte order).
    #[inline]
    #[must_use]
    pub fn lookup(&self, address: u32) -> LbIndex {
        self.leaf(address).lb()
    }

    /// The same for each address; stops at the end of the shorter slice.
    ///
    /// Sixteen addresses go down a level together, so that their cache misses overlap.
    #[inline]
    pub fn lookup_batch(&self, addresses: &[u32], results: &mut [LbIndex]) {
        const GROUP: usize = 16;
        let (addresses, tail) = addresses.as_chunks::<GROUP>();
        let mut outputs = results.chunks_mut(GROUP);
        for group in addresses {
            let Some(output) = outputs.next() else { return };
            let mut leaves = group.map(|address| self.root_leaf(address));
            // Two passes, not one loop a packet: all loads of a level are under way at once.
            for shift in [8, 0] {
                for (leaf, address) in leaves.iter_mut().zip(group) {
                    if leaf.is_ply() {
                        *leaf = self.plies.load(leaf.ply_index(), address >> shift);
                    }
                }
            }
            for (result, leaf) in output.iter_mut().zip(leaves) {
                *result = leaf.lb();
            }
        }
        let Some(output) = outputs.next() else { return };
        for (result, &address) in output.iter_mut().zip(tail) {
            *result = self.lookup(address);
        }
    }

    /// The load balance and the length of the longest prefix that covers `address`; `None` if none does.
    #[must_use]
    pub fn longest_match(&self, address: u32) -> Option<(LbIndex, u8)> {
        let leaf = self.leaf(address);
        (leaf != Leaf::EMPTY).then(|| (leaf.lb(), leaf.len()))
    }

    #[inline]
    fn root_leaf(&self, address: u32) -> Leaf {
        Leaf(self.root[(address >> 16) as usize].load(Ordering::Acquire))
    }

    #[inline]
    fn leaf(&self, address: u32) -> Leaf {
        let mut leaf = self.root_leaf(address);
        if leaf.is_ply() {
            leaf = self.plies.load(leaf.ply_index(), address >> 8);
            if leaf.is_ply() {
                leaf = self.plies.load(leaf.ply_index(), address);
            }
        }
        leaf
    }

    /// Adds a prefix, or changes the load balance of one that is there. `lb` is below
    /// [`MAX_LOAD_BALANCES`] and not [`LbIndex::DROP`]; `len` is at most 32.
    ///
    /// # Errors
    /// [`OutOfPlies`]; nothing was changed.
    pub fn insert(
        &self,
        plies: &mut Plies,
        address: u32,
        len: u8,
        lb: LbIndex,
    ) -> Result<(), OutOfPlies> {
        debug_assert!(len <= 32 && lb.0 < MAX_LOAD_BALANCES && lb != LbIndex::DROP);
        plies.reserve(match len {
            0..=16 => 0,
            17..=24 => 1,
            _ => 2,
        })?;
        self.insert_at(plies, Level::Root, address, len, Leaf::new(lb, len));
        Ok(())
    }

    /// Puts a leaf into the slots under the first `width` bits of `address`, except where a longer prefix is.
    fn insert_at(&self, plies: &mut Plies, level: Level, address: u32, width: u8, new: Leaf) {
        let first = level.slot(address);
        if width > level.end() {
            let old = self.load(level, first);
            if old.is_ply() {
                self.insert_at(plies, Self::below(level, old), address, width, new);
            } else {
                let ply = Leaf::ply(plies.take(old));
                self.insert_at(plies, Self::below(level, ply), address, width, new);
                self.store(plies, level, first, old, ply);
            }
            return;
        }
        let count = 1 << (level.end() - width.max(level.base()));
        let first = first & !(count - 1);
        for slot in first..first + count {
            let old = self.load(level, slot);
            if old.is_ply() {
                self.insert_at(plies, Self::below(level, old), address, level.end(), new);
            } else if old.len() <= new.len() {
                self.store(plies, level, slot, old, new);
            }
        }
    }

    /// Removes a prefix. `cover` is the load balance and length of the longest prefix that covers it, if
    /// there is one: what its addresses give from now on.
    pub fn remove(&self, plies: &mut Plies, address: u32, len: u8, cover: Option<(LbIndex, u8)>) {
        let new = cover.map_or(Leaf::EMPTY, |(lb, len)| Leaf::new(lb, len));
        self.remove_at(plies, Level::Root, address, len, len, new);
    }

    /// Replaces leaves of exactly `len` bits in the slots under the first `width` bits of `address`.
    fn remove_at(
        &self,
        plies: &mut Plies,
        level: Level,
        address: u32,
        width: u8,
        len: u8,
        new: Leaf,
    ) {
        let first = level.slot(address);
        let count = match width {
            width if width > level.end() => 1,
            width => 1 << (level.end() - width.max(level.base())),
        };
        let first = first & !(count - 1);
        for slot in first..first + count {
            let old = self.load(level, slot);
            if old.is_ply() {
                let below = Self::below(level, old);
                self.remove_at(plies, below, address, width.max(level.end()), len, new);
                self.collapse(plies, level, slot, old);
            } else if old.len() == len && old != Leaf::EMPTY {
                self.store(plies, level, slot, old, new);
            }
        }
    }

    /// Unlinks a ply that has nothing of its own left: all its slots hold the same leaf then.
    fn collapse(&self, plies: &mut Plies, level: Level, slot: u32, ply: Leaf) {
        let index = ply.ply_index();
        if plies.own[index as usize] == 0 {
            let leaf = self.plies.load(index, 0);
            self.store(plies, level, slot, ply, leaf);
            plies.retired.push(index);
        }
    }

    /// Gives all plies back. Readers that still hold the table see what was there until they are past it.
    pub fn clear(&self, plies: &mut Plies) {
        for slot in 0..ROOT_SLOTS as u32 {
            let leaf = self.load(Level::Root, slot);
            self.root[slot as usize].store(Leaf::EMPTY.0, Ordering::Release);
            if leaf.is_ply() {
                for byte in 0..PLY_SLOTS as u32 {
                    let below = self.plies.load(leaf.ply_index(), byte);
                    if below.is_ply() {
                        plies.retired.push(below.ply_index());
                    }
                }
                plies.retired.push(leaf.ply_index());
            }
        }
    }

    const fn below(level: Level, ply: Leaf) -> Level {
        Level::Ply {
            index: ply.ply_index(),
            base: level.end(),
        }
    }

    fn load(&self, level: Level, slot: u32) -> Leaf {
        match level {
            Level::Root => Leaf(self.root[slot as usize].load(Ordering::Relaxed)),
            Level::Ply { index, .. } => self.plies.load(index, slot),
        }
    }

    /// Stores a slot and keeps count of a ply's own slots.
    fn store(&self, plies: &mut Plies, level: Level, slot: u32, old: Leaf, new: Leaf) {
        match level {
            Level::Root => self.root[slot as usize].store(new.0, Ordering::Release),
            Level::Ply { index, base } => {
                let own = |leaf: Leaf| leaf.is_ply() || leaf.len() > base;
                let count = &mut plies.own[index as usize];
                *count = *count + u16::from(own(new)) - u16::from(own(old));
                self.plies.store(index, slot, new);
            }
        }
    }

    /// Calls `visit` for every slot that is its level's own, in address order: what `show ip fib mtrie`
    /// prints.
    pub fn walk(&self, plies: &Plies, visit: &mut dyn FnMut(Visit)) {
        self.walk_at(plies, Level::Root, 0, visit);
    }

    fn walk_at(&self, plies: &Plies, level: Level, base: u32, visit: &mut dyn FnMut(Visit)) {
        for slot in 0..level.slots() {
            let address = base | slot << (32 - u32::from(level.end()));
            let leaf = self.load(level, slot);
            let depth = level.end();
            if leaf.is_ply() {
                let index = leaf.ply_index();
                let own = plies.own[index as usize];
                visit(Visit {
                    address,
                    len: depth,
                    depth,
                    found: Found::Ply { index, own },
                });
                self.walk_at(plies, Self::below(level, leaf), address, visit);
            } else if leaf.len() > level.base() {
                let found = Found::LoadBalance(leaf.lb());
                visit(Visit {
                    address,
                    len: leaf.len(),
                    depth,
                    found,
                });
            }
        }
    }
}

/// A slot seen by [`Ip4Mtrie::walk`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The first address of the slot.
    pub address: u32,
    /// Length of the prefix in the slot, or of the slot itself where it leads to a ply.
    pub len: u8,
    /// Bits told apart by this level: 16, 24 or 32.
    pub depth: u8,
    /// What the slot holds.
    pub found: Found,
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Look further in a ply.
    Ply {
        /// Its index.
        index: u32,
        /// How many of its slots are its own.
        own: u16,
    },
    /// The end.
    LoadBalance(LbIndex),
}

#[cfg(test)]
#[path = "mtrie_tests.rs"]
mod tests;
