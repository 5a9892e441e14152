//! The units of a scheduler: slots with generations, the ready queue, and what is known of each.

use std::{collections::VecDeque, panic::Location, rc::Rc, sync::Arc, task::Waker};

use super::{
    Doorbell, Failure, SchedulerStats, SlowCall, UnitInfo, UnitState, UnitStats,
    inbox::{Flag, Inbox, waker},
};
use crate::{Exit, Instant, Unit, Work, timer::TimerKey};
use std::time::Duration;

/// Names a unit of one scheduler. Ids are never confused with later units in the same place: they
/// carry a generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl UnitId {
    /// The slot number: small, unique among the units that exist now.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }
}

/// Failures, and as many slow calls, kept until the host asks.
const KEPT_FAILURES: usize = 64;

/// A unit and the waker it is called with.
pub(super) struct Body {
    pub(super) unit: Box<dyn Unit>,
    pub(super) waker: Waker,
}

enum Occupant {
    Vacant,
    Resting(Body),
    Running,
    /// Removed while it runs: dropped when its call ends.
    Leaving,
}

pub(super) struct Slot {
    generation: u32,
    queued: bool,
    occupant: Occupant,
    flag: Arc<Flag>,
    pub(super) armed: Option<(Instant, TimerKey)>,
    name: Rc<str>,
    registered: &'static Location<'static>,
    last: Option<Work>,
    pub(super) stats: UnitStats,
}

impl Slot {
    fn make_ready(&mut self, index: u32, ready: &mut VecDeque<u32>) {
        if !self.queued {
            self.queued = true;
            self.stats.wakes += 1;
            ready.push_back(index);
        }
    }
}

pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Vacant slots, oldest first; each may still be named by wakers of its former unit.
    retired: VecDeque<u32>,
    ready: VecDeque<u32>,
    pub(super) inbox: Inbox,
    pub(super) stats: SchedulerStats,
    pub(super) failures: VecDeque<Failure>,
    pub(super) slow_calls: VecDeque<SlowCall>,
    /// Who waits for either.
    pub(super) supervisor: Option<Waker>,
    /// What the running unit says about its own failure.
    pub(super) reported: Option<Exit>,
    pub(super) closed: bool,
    /// State of the generator that picks the next ready unit; `None`: first come, first served.
    pub(super) shuffle: Option<u64>,
}

/// What is left of a unit that was taken out; dropped by the caller, outside every borrow.
#[must_use]
pub(super) struct Removed {
    pub(super) body: Option<Body>,
    pub(super) armed: Option<TimerKey>,
}

impl Slots {
    pub(super) fn new(bell: Box<dyn Doorbell>) -> Self {
        Self {
            slots: Vec::new(),
            retired: VecDeque::new(),
            ready: VecDeque::new(),
            inbox: Inbox::new(bell),
            stats: SchedulerStats::default(),
            failures: VecDeque::new(),
            slow_calls: VecDeque::new(),
            supervisor: None,
            reported: None,
            closed: false,
            shuffle: None,
        }
    }

    /// Puts a unit into a slot, ready to run.
    pub(super) fn add(
        &mut self,
        unit: Box<dyn Unit>,
        name: Rc<str>,
        registered: &'static Location<'static>,
    ) -> UnitId {
        let index = self.vacant();
        let slot = &mut self.slots[index as usize];
        slot.occupant = Occupant::Resting(Body {
            unit,
            waker: waker(&slot.flag),
        });
        slot.name = name;
        slot.registered = registered;
        slot.last = None;
        slot.stats = UnitStats::default();
        let id = UnitId {
            index,
            generation: slot.generation,
        };
        self.stats.added += 1;
        self.wake(id);
        id
    }

    /// A slot that no waker names: one of the two longest retired, or a new one.
    fn vacant(&mut self) -> u32 {
        for _ in 0..self.retired.len().min(2) {
            let index = self.retired.pop_front().expect("counted above");
            if Arc::get_mut(&mut self.slots[index as usize].flag).is_some() {
                return index;
            }
            self.retired.push_back(index);
        }
        let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 units");
        let flag = self.inbox.flag(index);
        self.slots.push(Slot {
            generation: 0,
            queued: false,
            occupant: Occupant::Vacant,
            flag,
            armed: None,
            name: Rc::from(""),
            registered: Location::caller(),
            last: None,
            stats: UnitStats::default(),
        });
        index
    }

    fn get(&self, id: UnitId) -> Option<&Slot> {
        self.slots
            .get(id.index as usize)
            .filter(|s| s.generation == id.generation && !matches!(s.occupant, Occupant::Vacant))
    }

    pub(super) fn get_mut(&mut self, id: UnitId) -> Option<&mut Slot> {
        self.slots
            .get_mut(id.index as usize)
            .filter(|s| s.generation == id.generation && !matches!(s.occupant, Occupant::Vacant))
    }

    /// Takes a unit out; one that runs leaves when its call ends. `None`: it is gone already.
    pub(super) fn remove(&mut self, id: UnitId) -> Option<Removed> {
        let slot = self.get_mut(id)?;
        let body = match std::mem::replace(&mut slot.occupant, Occupant::Leaving) {
            Occupant::Resting(body) => body,
            Occupant::Running => {
                return Some(Removed {
                    body: None,
                    armed: None,
                });
            }
            Occupant::Leaving | Occupant::Vacant => return None,
        };
        let armed = self.retire(id.index);
        Some(Removed {
            body: Some(body),
            armed,
        })
    }

    fn retire(&mut self, index: u32) -> Option<TimerKey> {
        let slot = &mut self.slots[index as usize];
        slot.occupant = Occupant::Vacant;
        slot.generation = slot.generation.wrapping_add(1);
        let armed = slot.armed.take();
        self.retired.push_back(index);
        armed.map(|(_, key)| key)
    }

    /// Makes a unit ready, on the scheduler's own thread. False if it is gone.
    pub(super) fn wake(&mut self, id: UnitId) -> bool {
        if self.get(id).is_none() {
            return false;
        }
        let Self {
            slots,
            ready,
            inbox,
            ..
        } = self;
        slots[id.index as usize].make_ready(id.index, ready);
        inbox.disturb();
        true
    }

    /// Moves arrived wakes into the ready queue.
    pub(super) fn collect(&mut self) {
        let Self {
            inbox,
            slots,
            ready,
            stats,
            ..
        } = self;
        inbox.drain(|index| {
            let slot = &mut slots[index as usize];
            if matches!(slot.occupant, Occupant::Vacant) {
                stats.stale_wakes += 1;
            } else {
                slot.make_ready(index, ready);
            }
        });
    }

    /// The next ready unit, taken out of its slot for the time of its call.
    pub(super) fn next(&mut self) -> Option<(UnitId, Body)> {
        loop {
            if let Some(state) = &mut self.shuffle
                && self.ready.len() > 1
            {
                let pick = next_random(state) % self.ready.len() as u64;
                self.ready.swap(0, pick as usize);
            }
            let index = self.ready.pop_front()?;
            let slot = &mut self.slots[index as usize];
            slot.queued = false;
            // A vacant one was removed after it became ready.
            if let Occupant::Resting(_) = slot.occupant {
                let id = UnitId {
                    index,
                    generation: slot.generation,
                };
                return self.take(id).map(|body| (id, body));
            }
        }
    }

    /// Takes a resting unit out for a call.
    pub(super) fn take(&mut self, id: UnitId) -> Option<Body> {
        let slot = self.get_mut(id)?;
        match std::mem::replace(&mut slot.occupant, Occupant::Running) {
            Occupant::Resting(body) => Some(body),
            other => {
                slot.occupant = other;
                None
            }
        }
    }

    /// Puts a unit back after its call, or retires it; what comes back is to be dropped.
    pub(super) fn put_back(&mut self, id: UnitId, body: Body, work: Work) -> Option<Removed> {
        let slot = &mut self.slots[id.index as usize];
        slot.last = Some(work);
        let leaving = matches!(slot.occupant, Occupant::Leaving);
        match work {
            Work::Done | Work::Failed => {}
            Work::Blocked => slot.stats.blocked += 1,
            Work::More => slot.stats.exhausted += 1,
            Work::Idle => {}
        }
        if !leaving && !matches!(work, Work::Done | Work::Failed) {
            slot.occupant = Occupant::Resting(body);
            if work == Work::More && !slot.queued {
                slot.queued = true;
                self.ready.push_back(id.index);
            }
            return None;
        }
        match work {
            Work::Failed => self.stats.failed += 1,
            Work::Done => self.stats.done += 1,
            _ => {}
        }
        let armed = self.retire(id.index);
        Some(Removed {
            body: Some(body),
            armed,
        })
    }

    /// Notes a failure for the host's log: the panic, or what the unit reported.
    pub(super) fn note_failure(&mut self, id: UnitId, exit: Option<Exit>) {
        let reported = self.reported.take();
        let exit = exit
            .or(reported)
            .unwrap_or_else(|| Exit::Failed("no reason given".to_owned()));
        if self.failures.len() == KEPT_FAILURES {
            self.failures.pop_front();
        }
        let name = self.slots[id.index as usize].name.clone();
        self.failures.push_back(Failure { id, name, exit });
        self.call_supervisor();
    }

    /// Notes a call that took longer than the host allows.
    #[cold]
    pub(super) fn note_slow(&mut self, id: UnitId, took: Duration, limit: Duration) {
        if self.slow_calls.len() == KEPT_FAILURES {
            self.slow_calls.pop_front();
        }
        let slot = &self.slots[id.index as usize];
        self.slow_calls.push_back(SlowCall {
            id,
            name: slot.name.clone(),
            registered: slot.registered,
            took,
            limit,
        });
        self.call_supervisor();
    }

    fn call_supervisor(&mut self) {
        if let Some(waker) = self.supervisor.take() {
            waker.wake();
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn waker(&self, id: UnitId) -> Waker {
        self.get(id)
            .map_or_else(|| Waker::noop().clone(), |slot| waker(&slot.flag))
    }

    pub(super) fn info(&self, id: UnitId) -> Option<UnitInfo> {
        self.get(id).map(|slot| info(id, slot))
    }

    pub(super) fn infos(&self) -> Vec<UnitInfo> {
        let occupied = |(_, s): &(usize, &Slot)| !matches!(s.occupant, Occupant::Vacant);
        let with_id = |(index, slot): (usize, &Slot)| {
            info(
                UnitId {
                    index: index as u32,
                    generation: slot.generation,
                },
                slot,
            )
        };
        self.slots
            .iter()
            .enumerate()
            .filter(occupied)
            .map(with_id)
            .collect()
    }

    pub(super) fn ids(&self) -> Vec<UnitId> {
        self.infos().into_iter().map(|info| info.id).collect()
    }

    pub(super) fn clear_stats(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.stats = UnitStats::default());
        self.stats = SchedulerStats::default();
    }
}

fn info(id: UnitId, slot: &Slot) -> UnitInfo {
    let state = match slot.occupant {
        Occupant::Running | Occupant::Leaving => UnitState::Running,
        _ if slot.queued => UnitState::Ready,
        _ if slot.last == Some(Work::Blocked) => UnitState::Blocked,
        _ => UnitState::Waiting,
    };
    UnitInfo {
        id,
        name: slot.name.clone(),
        registered: slot.registered,
        state,
        last: slot.last,
        stats: slot.stats,
    }
}

/// One step of splitmix64: enough to explore orders, the same everywhere.
fn next_random(state: &mut u64) -> u64 {
    crate::testing::splitmix(state)
}
