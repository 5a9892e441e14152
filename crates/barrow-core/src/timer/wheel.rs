//! The hierarchical wheel: plain data, no waker's code runs in here.
//!
//! Level `k` has 64 slots of `64^k` ticks each. A timer lives on the level of the highest base-64
//! digit in which its tick differs from the wheel's position, in the slot of its own digit there.
//! Invariants, from which everything follows:
//!
//! 1. Position never passes an occupied slot's start.
//! 2. On level 0 the occupied slots are at or after the position's digit; on higher levels after
//!    it, except while the slot *at* the position is being moved down (`cascade`).
//! 3. Hence every timer of a lower level is due before any timer of a higher one.

use std::task::Waker;

use super::{slot::Slot, timers::TimerKey};

/// Nanoseconds of one tick.
const TICK: u64 = 10_000;
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
/// 9 digits of 6 bits hold every tick of a 64-bit nanosecond count (51 bits).
const LEVELS: usize = 9;
/// A slot with more timers is not searched for its exact minimum after a cancellation.
pub(super) const SEARCH_LIMIT: usize = 4096;
const NIL: u32 = u32::MAX;

/// Where a timer is; its deadline stands in the slot.
struct Entry {
    /// `None`: vacant.
    waker: Option<Waker>,
    generation: u32,
    /// The place in its slot; of a vacant entry, the next vacant one.
    place: u32,
    slot: u16,
}

pub(super) struct Wheel {
    /// In ticks; at most the tick of the latest `now`.
    position: u64,
    /// A bit for each level with an occupied slot.
    levels: u16,
    /// A bit for each occupied slot of a level.
    occupied: [u64; LEVELS],
    slots: Box<[Slot]>,
    entries: Vec<Entry>,
    vacant: u32,
    len: usize,
    /// A slot at the position that is only partly moved down.
    cascade: Option<u16>,
}

/// What [`Wheel::step`] did with one unit of budget.
pub(super) enum Step {
    /// This timer is due.
    Fire(Waker),
    /// A timer moved down, one level or more.
    Moved,
    /// Nothing is due at `now`.
    Done,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            position: 0,
            levels: 0,
            occupied: [0; LEVELS],
            slots: (0..LEVELS * SLOTS).map(|_| Slot::new()).collect(),
            entries: Vec::new(),
            vacant: NIL,
            len: 0,
            cascade: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn arm(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        let index = self.allocate(waker);
        self.link(index, deadline);
        self.len += 1;
        TimerKey {
            index,
            generation: self.entries[index as usize].generation,
        }
    }

    /// Moves a timer; false if it fired or was cancelled.
    pub(super) fn rearm(&mut self, key: TimerKey, deadline: u64) -> bool {
        if !self.is_armed(key) {
            return false;
        }
        let Entry { slot, place, .. } = self.entries[key.index as usize];
        if self.slot_of(deadline) == slot {
            // The usual fate of a timeout that each packet pushes back.
            self.slots[slot as usize].change(place, deadline);
        } else {
            self.unlink(slot, place);
            self.link(key.index, deadline);
        }
        true
    }

    /// Takes a timer out; the waker comes back so that its destructor runs outside.
    pub(super) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        if !self.is_armed(key) {
            return None;
        }
        let Entry { slot, place, .. } = self.entries[key.index as usize];
        self.unlink(slot, place);
        self.release(key.index)
    }

    pub(super) fn is_armed(&self, key: TimerKey) -> bool {
        self.waker(key).is_some()
    }

    pub(super) fn waker(&self, key: TimerKey) -> Option<&Waker> {
        let entry = self.entries.get(key.index as usize)?;
        entry
            .waker
            .as_ref()
            .filter(|_| entry.generation == key.generation)
    }

    /// Exchanges the waker of an armed timer; the old one comes back.
    pub(super) fn set_waker(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        if !self.is_armed(key) {
            return None;
        }
        self.entries[key.index as usize].waker.replace(waker)
    }

    /// One bounded piece of the way to `now`.
    pub(super) fn step(&mut self, now: u64) -> Step {
        if let Some(slot) = self.cascade {
            return self.move_one_down(slot);
        }
        let target = now / TICK;
        let first = self.first_occupied();
        let due = first.map(|(level, slot)| (level, slot, self.start(level, slot)));
        let Some((level, slot, start)) = due.filter(|(_, _, start)| *start <= target) else {
            self.position = self.position.max(target);
            return Step::Done;
        };
        self.position = self.position.max(start);
        if level > 0 {
            self.cascade = Some(slot);
            return self.move_one_down(slot);
        }
        match self.take_due(slot, now) {
            Some(waker) => Step::Fire(waker),
            None => Step::Done,
        }
    }

    /// The earliest deadline: exact, unless the slot that holds it has more than
    /// [`SEARCH_LIMIT`] timers and its earliest was cancelled; then a bound from below. While
    /// [`Wheel::step`] has something left to move, an instant that is due.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        if self.cascade.is_some() {
            return Some(self.position.saturating_mul(TICK));
        }
        let (level, slot) = self.first_occupied()?;
        let start = self.start(level, slot).saturating_mul(TICK);
        let slot = &mut self.slots[slot as usize];
        if slot.len() <= SEARCH_LIMIT {
            slot.search();
        }
        // A bound may lie before the slot, but nothing in it does, unless armed in the past.
        let (earliest, exact) = slot.earliest();
        Some(if exact { earliest } else { earliest.max(start) })
    }

    fn first_occupied(&self) -> Option<(usize, u16)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let digit = self.occupied[level].trailing_zeros() as usize;
        Some((level, (level * SLOTS + digit) as u16))
    }

    /// The slot where a deadline belongs, seen from the position; what is past belongs to now.
    fn slot_of(&self, deadline: u64) -> u16 {
        let tick = (deadline / TICK).max(self.position);
        let differing = (tick ^ self.position) | (SLOTS as u64 - 1);
        let level = (63 - differing.leading_zeros()) / DIGIT;
        let digit = (tick >> (DIGIT * level)) as usize % SLOTS;
        (level as usize * SLOTS + digit) as u16
    }

    /// First tick of a slot: the position's digits above, its own digit, zeros below.
    fn start(&self, level: usize, slot: u16) -> u64 {
        let shift = DIGIT * level as u32;
        let above = self.position >> (shift + DIGIT);
        ((above << DIGIT) | (u64::from(slot) % SLOTS as u64)) << shift
    }

    /// Puts the first timer of a cascading slot where it belongs, seen from the new position.
    fn move_one_down(&mut self, number: u16) -> Step {
        if let Some((index, deadline)) = self.slots[number as usize].pop_front() {
            self.link(index, deadline);
        }
        if self.slots[number as usize].is_empty() {
            self.cascade = None;
            self.note_empty(number);
        }
        Step::Moved
    }

    /// Takes one due timer of a level-0 slot; `None` if all lie between `now` and its end.
    fn take_due(&mut self, number: u16, now: u64) -> Option<Waker> {
        let slot = &mut self.slots[number as usize];
        if slot.front()? > now {
            let entries = &mut self.entries;
            slot.bring_forward(now, |index, place| entries[index as usize].place = place);
            if slot.front()? > now {
                return None;
            }
        }
        let (index, _) = slot.pop_front()?;
        if slot.is_empty() {
            self.note_empty(number);
        }
        self.release(index)
    }

    fn allocate(&mut self, waker: Waker) -> u32 {
        let index = self.vacant;
        if index == NIL {
            let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 timers");
            assert_ne!(index, NIL, "fewer than 2^32 - 1 timers");
            self.entries.push(Entry {
                waker: Some(waker),
                generation: 0,
                place: 0,
                slot: 0,
            });
            return index;
        }
        let entry = &mut self.entries[index as usize];
        self.vacant = entry.place;
        entry.waker = Some(waker);
        index
    }

    fn release(&mut self, index: u32) -> Option<Waker> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.place = self.vacant;
        self.vacant = index;
        self.len -= 1;
        entry.waker.take()
    }

    /// Puts a timer into the slot its deadline belongs to.
    fn link(&mut self, index: u32, deadline: u64) {
        let number = self.slot_of(deadline);
        let level = number as usize / SLOTS;
        self.levels |= 1 << level;
        self.occupied[level] |= 1 << (number as usize % SLOTS);
        let entry = &mut self.entries[index as usize];
        entry.slot = number;
        entry.place = self.slots[number as usize].push(index, deadline);
    }

    fn unlink(&mut self, number: u16, place: u32) {
        let slot = &mut self.slots[number as usize];
        if let Some(moved) = slot.remove(place) {
            self.entries[moved as usize].place = place;
        }
        if slot.is_empty() {
            self.note_empty(number);
        }
    }

    fn note_empty(&mut self, number: u16) {
        let level = number as usize / SLOTS;
        self.occupied[level] &= !(1 << (number as usize % SLOTS));
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
    }
}
