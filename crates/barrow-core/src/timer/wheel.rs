//! The hierarchical wheel: plain data, no wakers' code runs in here.
//!
//! Level `k` has 64 slots of `64^k` ticks each. A timer lives on the level of the highest base-64
//! digit in which its tick differs from the wheel's position, in the slot of its own digit there.
//! Invariants, from which everything follows:
//!
//! 1. Position never passes an occupied slot's start.
//! 2. On level 0 the occupied slots are at or after the position's digit; on higher levels after
//!    it, except while the slot *at* the position is being cascaded (`cascade`).
//! 3. Hence every timer of a lower level is due before any timer of a higher one.
//!
//! A slot remembers a lower bound of its deadlines, exact unless its earliest timer was cancelled.

use std::task::Waker;

use super::timers::TimerKey;

/// Nanoseconds of one tick.
const TICK: u64 = 10_000;
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
/// 9 digits of 6 bits hold every tick of a 64-bit nanosecond count (51 bits).
const LEVELS: usize = 9;
const NIL: u32 = u32::MAX;
/// A slot longer than this is not searched for its exact minimum after a cancellation.
pub(super) const SEARCH_LIMIT: u32 = 1024;

#[derive(Clone, Copy)]
struct Slot {
    head: u32,
    tail: u32,
    len: u32,
    exact: bool,
    min: u64,
}

impl Slot {
    const EMPTY: Self = Self {
        head: NIL,
        tail: NIL,
        len: 0,
        exact: true,
        min: u64::MAX,
    };

    /// A timer with `deadline` joins.
    fn enter(&mut self, deadline: u64) {
        if deadline < self.min {
            self.min = deadline;
            self.exact = true;
        }
    }

    /// A timer with `deadline` leaves others behind.
    fn leave(&mut self, deadline: u64) {
        if deadline == self.min {
            self.exact = false;
        }
    }
}

struct Entry {
    deadline: u64,
    prev: u32,
    next: u32,
    generation: u32,
    slot: u16,
    waker: Option<Waker>,
}

pub(super) struct Wheel {
    /// In ticks; at most the tick of the latest `now`.
    position: u64,
    occupied: [u64; LEVELS],
    slots: Box<[Slot]>,
    entries: Vec<Entry>,
    free: u32,
    len: usize,
    /// A slot at the position that is only partly moved down.
    cascade: Option<u16>,
}

/// What [`Wheel::step`] did with one unit of budget.
pub(super) enum Step {
    /// This timer is due.
    Fire(Waker),
    /// A timer moved one level or more down.
    Moved,
    /// Nothing is due at `now`.
    Done,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            position: 0,
            occupied: [0; LEVELS],
            slots: vec![Slot::EMPTY; LEVELS * SLOTS].into_boxed_slice(),
            entries: Vec::new(),
            free: NIL,
            len: 0,
            cascade: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn arm(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        let index = self.allocate(deadline, waker);
        self.link(index);
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
        let target = self.slot_of(deadline);
        let Entry {
            deadline: old,
            slot: current,
            ..
        } = self.entries[key.index as usize];
        if target == current {
            // The usual fate of a timeout that each packet pushes back: same slot, no re-linking.
            let slot = &mut self.slots[target as usize];
            slot.leave(old);
            slot.enter(deadline);
            self.entries[key.index as usize].deadline = deadline;
        } else {
            self.unlink(key.index);
            self.entries[key.index as usize].deadline = deadline;
            self.link(key.index);
        }
        true
    }

    /// Takes a timer out; the waker comes back so that its destructor runs outside.
    pub(super) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        if !self.is_armed(key) {
            return None;
        }
        self.unlink(key.index);
        self.release(key.index)
    }

    pub(super) fn waker(&self, key: TimerKey) -> Option<&Waker> {
        self.is_armed(key)
            .then(|| self.entries[key.index as usize].waker.as_ref())?
    }

    /// Exchanges the waker of an armed timer; the old one comes back.
    pub(super) fn set_waker(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        if !self.is_armed(key) {
            return None;
        }
        self.entries[key.index as usize].waker.replace(waker)
    }

    pub(super) fn is_armed(&self, key: TimerKey) -> bool {
        self.entries
            .get(key.index as usize)
            .is_some_and(|e| e.generation == key.generation && e.waker.is_some())
    }

    /// One bounded piece of the way to `now`.
    pub(super) fn step(&mut self, now: u64) -> Step {
        if let Some(slot) = self.cascade {
            return self.move_one_down(slot);
        }
        let target = now / TICK;
        let Some((level, digit)) = self.first_occupied() else {
            self.position = self.position.max(target);
            return Step::Done;
        };
        let start = self.slot_start(level, digit);
        if start > target {
            self.position = self.position.max(target);
            return Step::Done;
        }
        let slot = slot_number(level, digit);
        if level > 0 {
            // Invariant 1: `start` is the earliest tick anything can be due at.
            self.position = start;
            self.cascade = Some(slot);
            return self.move_one_down(slot);
        }
        self.position = self.position.max(start);
        match self.take_due(slot, now) {
            Some(waker) => Step::Fire(waker),
            None => Step::Done,
        }
    }

    /// The earliest deadline: exact, unless the slot that holds it has more than
    /// [`SEARCH_LIMIT`] timers and its earliest was cancelled; then a bound from below. While
    /// [`Wheel::step`] has something left to do, an instant that is due.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        if self.cascade.is_some() {
            return Some(self.position.saturating_mul(TICK));
        }
        let (level, digit) = self.first_occupied()?;
        let number = slot_number(level, digit) as usize;
        let slot = self.slots[number];
        if slot.exact {
            return Some(slot.min);
        }
        if slot.len > SEARCH_LIMIT {
            return Some(
                slot.min
                    .max(self.slot_start(level, digit).saturating_mul(TICK)),
            );
        }
        let mut min = u64::MAX;
        let mut index = slot.head;
        while index != NIL {
            let entry = &self.entries[index as usize];
            min = min.min(entry.deadline);
            index = entry.next;
        }
        self.slots[number].min = min;
        self.slots[number].exact = true;
        Some(min)
    }

    fn first_occupied(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The slot where a deadline belongs, seen from the position; what is past belongs to now.
    fn slot_of(&self, deadline: u64) -> u16 {
        let tick = (deadline / TICK).max(self.position);
        let differing = (tick ^ self.position) | (SLOTS as u64 - 1);
        let level = ((63 - differing.leading_zeros()) / DIGIT) as usize;
        let digit = (tick >> (DIGIT * level as u32)) as usize & (SLOTS - 1);
        slot_number(level, digit)
    }

    /// First tick of a slot: the position's digits above, this digit, zeros below.
    fn slot_start(&self, level: usize, digit: usize) -> u64 {
        let shift = DIGIT * level as u32;
        let above = self.position.checked_shr(shift + DIGIT).unwrap_or(0);
        (above << DIGIT | digit as u64) << shift
    }

    /// Re-links one timer of a cascading slot relative to the new position.
    fn move_one_down(&mut self, slot: u16) -> Step {
        let index = self.slots[slot as usize].head;
        if index == NIL {
            self.cascade = None;
            return Step::Moved;
        }
        self.unlink(index);
        self.link(index);
        if self.slots[slot as usize].head == NIL {
            self.cascade = None;
        }
        Step::Moved
    }

    /// Takes one due timer of a level-0 slot; `None` if all of them lie between `now` and the end
    /// of its tick. What is not due goes to the slot's end, so a sweep looks at each timer once.
    fn take_due(&mut self, number: u16, now: u64) -> Option<Waker> {
        let Slot { min, len, .. } = self.slots[number as usize];
        if min > now {
            return None;
        }
        let mut min = u64::MAX;
        for _ in 0..len {
            let index = self.slots[number as usize].head;
            let deadline = self.entries[index as usize].deadline;
            if deadline <= now {
                self.unlink(index);
                return self.release(index);
            }
            min = min.min(deadline);
            self.rotate(number);
        }
        let slot = &mut self.slots[number as usize];
        slot.min = min;
        slot.exact = true;
        None
    }

    /// Moves a slot's first timer behind its last.
    fn rotate(&mut self, number: u16) {
        let Slot { head, tail, .. } = self.slots[number as usize];
        if head == tail {
            return;
        }
        let second = self.entries[head as usize].next;
        self.entries[second as usize].prev = NIL;
        self.entries[tail as usize].next = head;
        self.entries[head as usize].prev = tail;
        self.entries[head as usize].next = NIL;
        let slot = &mut self.slots[number as usize];
        slot.head = second;
        slot.tail = head;
    }

    fn allocate(&mut self, deadline: u64, waker: Waker) -> u32 {
        if self.free == NIL {
            let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 timers");
            assert_ne!(index, NIL, "fewer than 2^32 - 1 timers");
            self.entries.push(Entry {
                deadline,
                prev: NIL,
                next: NIL,
                generation: 0,
                slot: 0,
                waker: Some(waker),
            });
            return index;
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = entry.next;
        entry.deadline = deadline;
        entry.waker = Some(waker);
        index
    }

    fn release(&mut self, index: u32) -> Option<Waker> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.next = self.free;
        self.free = index;
        self.len -= 1;
        entry.waker.take()
    }

    /// Appends an entry to the slot its deadline belongs to.
    fn link(&mut self, index: u32) {
        let deadline = self.entries[index as usize].deadline;
        let number = self.slot_of(deadline);
        self.occupied[number as usize / SLOTS] |= 1 << (number as usize % SLOTS);
        let slot = &mut self.slots[number as usize];
        let tail = slot.tail;
        slot.enter(deadline);
        slot.tail = index;
        slot.len += 1;
        if tail == NIL {
            slot.head = index;
        } else {
            self.entries[tail as usize].next = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.prev = tail;
        entry.next = NIL;
        entry.slot = number;
    }

    fn unlink(&mut self, index: u32) {
        let Entry {
            deadline,
            prev,
            next,
            slot: number,
            ..
        } = self.entries[index as usize];
        let slot = &mut self.slots[number as usize];
        slot.len -= 1;
        if slot.len == 0 {
            *slot = Slot::EMPTY;
            self.occupied[number as usize / SLOTS] &= !(1 << (number as usize % SLOTS));
            return;
        }
        slot.leave(deadline);
        if prev == NIL {
            slot.head = next;
        } else {
            self.entries[prev as usize].next = next;
        }
        if next == NIL {
            self.slots[number as usize].tail = prev;
        } else {
            self.entries[next as usize].prev = prev;
        }
    }
}

fn slot_number(level: usize, digit: usize) -> u16 {
    (level * SLOTS + digit) as u16
}
