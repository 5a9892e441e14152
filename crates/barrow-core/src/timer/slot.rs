//! One slot of the wheel: timers in the order of arming, and what is known of the earliest.

/// Room that an empty slot keeps.
const KEPT: usize = 1024;

/// A timer in a slot. Deadlines stand side by side, so that searching, and moving a slot's timers
/// down, read memory in order.
#[derive(Clone, Copy)]
struct Item {
    deadline: u64,
    index: u32,
}

pub(super) struct Slot {
    items: Vec<Item>,
    /// Items before it are gone.
    head: u32,
    /// At most the earliest deadline; exact unless the earliest timer left.
    earliest: u64,
    exact: bool,
}

impl Slot {
    pub(super) const fn new() -> Self {
        Self {
            items: Vec::new(),
            head: 0,
            earliest: u64::MAX,
            exact: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() - self.head as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The earliest deadline, or a bound from below, and whether it is exact.
    pub(super) fn earliest(&self) -> (u64, bool) {
        (self.earliest, self.exact)
    }

    /// Makes `earliest` exact.
    pub(super) fn search(&mut self) {
        if !self.exact {
            let deadlines = self.items[self.head as usize..]
                .iter()
                .map(|item| item.deadline);
            self.earliest = deadlines.min().unwrap_or(u64::MAX);
            self.exact = true;
        }
    }

    /// Appends a timer; returns its place.
    pub(super) fn push(&mut self, index: u32, deadline: u64) -> u32 {
        self.enter(deadline);
        self.items.push(Item { deadline, index });
        (self.items.len() - 1) as u32
    }

    /// Gives the timer at `place` another deadline.
    pub(super) fn change(&mut self, place: u32, deadline: u64) {
        self.leave(self.items[place as usize].deadline);
        self.enter(deadline);
        self.items[place as usize].deadline = deadline;
    }

    /// Takes the timer at `place` out; another may take its place, and is returned.
    pub(super) fn remove(&mut self, place: u32) -> Option<u32> {
        let removed = self.items.swap_remove(place as usize);
        self.leave(removed.deadline);
        let moved = self.items.get(place as usize).map(|item| item.index);
        self.tidy();
        moved
    }

    /// The deadline of the first timer.
    pub(super) fn front(&self) -> Option<u64> {
        self.items.get(self.head as usize).map(|item| item.deadline)
    }

    /// Takes the first timer out.
    pub(super) fn pop_front(&mut self) -> Option<(u32, u64)> {
        let Item { deadline, index } = *self.items.get(self.head as usize)?;
        self.head += 1;
        self.leave(deadline);
        self.tidy();
        Some((index, deadline))
    }

    /// Moves the timers that are due to the front, unless it is known that none is; tells where
    /// each one is now.
    pub(super) fn bring_forward(&mut self, now: u64, mut moved: impl FnMut(u32, u32)) {
        if self.earliest > now {
            return;
        }
        let first = self.head as usize;
        let mut front = first;
        for place in first..self.items.len() {
            if self.items[place].deadline <= now {
                self.items.swap(front, place);
                moved(self.items[front].index, front as u32);
                moved(self.items[place].index, place as u32);
                front += 1;
            }
        }
        self.search();
    }

    fn enter(&mut self, deadline: u64) {
        if deadline < self.earliest {
            self.earliest = deadline;
            self.exact = true;
        }
    }

    fn leave(&mut self, deadline: u64) {
        if deadline == self.earliest {
            self.exact = false;
        }
    }

    /// Starts anew once everything has left.
    fn tidy(&mut self) {
        if self.is_empty() {
            self.items.clear();
            self.items.shrink_to(KEPT);
            self.head = 0;
            self.earliest = u64::MAX;
            self.exact = true;
        }
    }
}
