//! Turns: the only code that calls units.

use std::{
    any::Any,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::Waker,
    time::Duration,
};

use super::{
    Doorbell, Failure, Remote, SchedulerStats, SlowCall, Spawner, UnitId, UnitInfo, slots::Body,
};
use crate::{
    Clock, Extensions, Instant, Unit, UnitContext, Work,
    process::{Exit, ProcessNode, ProcessStatus, Restart},
    timer::Timers,
};

/// Items a unit may handle in one call, unless the host says otherwise.
const QUANTUM: u32 = 64;
/// Timer steps of a turn, at least.
const TIMER_STEPS: u32 = 256;

/// What the host does after a turn.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Next {
    /// Something is ready: collect I/O without waiting, then call `turn` again.
    Again,
    /// Nothing is ready: sleep until I/O, the doorbell, or `until`.
    Park {
        /// The earliest deadline; `None`: nothing is timed.
        until: Option<Instant>,
    },
}

/// In which order ready units run.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Default)]
pub enum Order {
    /// First come, first served: every ready unit runs before any runs again.
    #[default]
    Fifo,
    /// Drawn from the seed: simulations explore interleavings, and repeat them exactly.
    Seeded(u64),
}

/// Runs units: fair, bounded, idle for free. A value; not `Send` (it stays on the thread that
/// made it), see the [module](super) for the protocol.
///
/// ```
/// use barrow_core::{Instant, Next, Scheduler, timer::Sleep};
///
/// let mut scheduler = Scheduler::new((), Default::default());
/// let timers = scheduler.timers();
/// scheduler.spawn_task(async move { Sleep::new(timers, Instant::from_millis(3)).await });
///
/// // What every host does, here with literal instants for a clock.
/// let next = scheduler.turn(Instant::ZERO, 64);
/// assert_eq!(next, Next::Park { until: Some(Instant::from_millis(3)) });
/// let next = scheduler.turn(Instant::from_millis(3), 64);
/// assert_eq!(next, Next::Park { until: None });
/// ```
pub struct Scheduler {
    spawner: Spawner,
    quantum: u32,
    clock: Option<Rc<dyn Clock>>,
    remote: Option<Remote>,
}

impl Scheduler {
    /// A scheduler without units. `bell` is how wakes from other threads end the host's sleep;
    /// `extensions` is what its process nodes may ask for by type.
    #[must_use]
    pub fn new(bell: impl Doorbell, extensions: Extensions) -> Self {
        let spawner = Spawner::new(Box::new(bell), extensions);
        Self {
            spawner,
            quantum: QUANTUM,
            clock: None,
            remote: None,
        }
    }

    /// Sets the items a unit may handle in one call (64 by default).
    pub fn set_quantum(&mut self, quantum: u32) {
        self.quantum = quantum.max(1);
    }

    /// Measures each call with `clock` from now on ([`UnitStats::clocks`](super::UnitStats)).
    pub fn set_clock(&mut self, clock: Box<dyn Clock>) {
        let clock: Rc<dyn Clock> = clock.into();
        *self.spawner.local.clock.borrow_mut() = clock.clone();
        self.clock = Some(clock);
    }

    /// Reports each call that takes longer than `limit` ([`Scheduler::take_slow_calls`]); needs a
    /// clock that knows its frequency.
    pub fn set_slow_limit(&mut self, limit: Option<Duration>) {
        self.spawner.local.slow_limit.set(limit);
    }

    /// Sets the order in which ready units run.
    pub fn set_order(&mut self, order: Order) {
        self.spawner.local.slots.borrow_mut().shuffle = match order {
            Order::Fifo => None,
            Order::Seeded(seed) => Some(seed),
        };
    }

    /// One turn at `now`: fires what is due, then makes at most `budget` calls of units.
    ///
    /// A unit that is woken again during the turn runs again behind the other ready ones, budget
    /// permitting. After [`Next::Park`] the host must call `turn` again once the doorbell rang,
    /// `until` has come, or it has woken a unit itself.
    pub fn turn(&mut self, now: Instant, budget: u32) -> Next {
        let local = self.spawner.local.clone();
        local.slots.borrow().inbox.unpark();
        local.timers.advance(now);
        let now = local.timers.now();
        let fired = local.timers.fire(budget.max(TIMER_STEPS));
        let mut stamp = self.clock.as_ref().map_or(0, |clock| clock.clocks());
        let mut calls = 0;
        while calls < budget {
            let next = {
                let mut slots = local.slots.borrow_mut();
                slots.collect();
                slots.next()
            };
            let Some((id, body)) = next else { break };
            calls += 1;
            self.call(id, body, now, &mut stamp);
        }
        let until = local.timers.next_deadline();
        let mut slots = local.slots.borrow_mut();
        slots.stats.turns += 1;
        slots.stats.calls += u64::from(calls);
        slots.stats.timers += u64::from(fired);
        if slots.has_ready() || until.is_some_and(|until| until <= now) || !slots.inbox.park() {
            return Next::Again;
        }
        slots.stats.parks += 1;
        Next::Park { until }
    }

    /// Tells every unit that the host is about to stop, and lets each run once more. The host
    /// goes on with turns for as long as its grace period lasts, then drops the scheduler.
    pub fn shutdown(&mut self, now: Instant) {
        let local = self.spawner.local.clone();
        local.timers.advance(now);
        let now = local.timers.now();
        let ids = local.slots.borrow().ids();
        for id in ids {
            let taken = local.slots.borrow_mut().take(id);
            let Some(mut body) = taken else { continue };
            let outcome = catch_unwind(AssertUnwindSafe(|| body.unit.shutdown(now)));
            let work = if outcome.is_ok() {
                Work::More
            } else {
                Work::Failed
            };
            self.settle(id, body, work, now);
        }
    }

    /// Adds a unit; it runs for the first time as soon as its turn comes.
    #[track_caller]
    pub fn add(&self, unit: impl Unit + 'static) -> UnitId {
        self.spawner.spawn(Box::new(unit))
    }

    /// Adds a process node; `make` makes it for the start and for each restart.
    #[track_caller]
    pub fn add_process<N: ProcessNode>(
        &self,
        restart: Restart,
        make: impl FnMut() -> N + 'static,
    ) -> (UnitId, ProcessStatus) {
        self.spawner.add_process(restart, make)
    }

    /// Adds a process node that is never restarted.
    #[track_caller]
    pub fn start_process<N: ProcessNode>(&self, node: N) -> (UnitId, ProcessStatus) {
        self.spawner.start_process(node)
    }

    /// Adds a future as a unit called `task`.
    #[track_caller]
    pub fn spawn_task(&self, future: impl Future<Output = ()> + 'static) -> UnitId {
        self.spawner.spawn_task(future)
    }

    /// Removes a unit and drops it. False if it is gone already.
    pub fn remove(&self, id: UnitId) -> bool {
        self.spawner.remove(id)
    }

    /// Makes a unit ready. False if it is gone.
    pub fn wake(&self, id: UnitId) -> bool {
        self.spawner.wake(id)
    }

    /// A waker of the unit, usable from every thread; one that does nothing if it is gone.
    #[must_use]
    pub fn waker(&self, id: UnitId) -> Waker {
        self.spawner.waker(id)
    }

    /// A handle for code on this thread.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// A handle for other threads. The first call adds the unit that serves it.
    pub fn remote(&mut self) -> Remote {
        let spawner = &self.spawner;
        let make = || {
            let (remote, unit) = Remote::new(spawner.clone());
            spawner.spawn(Box::new(unit));
            remote
        };
        self.remote.get_or_insert_with(make).clone()
    }

    /// The timers of this thread and its `now`.
    #[must_use]
    pub fn timers(&self) -> Rc<Timers> {
        self.spawner.timers()
    }

    /// What process nodes may ask for by type; the host may add to it at any time.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        self.spawner.extensions()
    }

    /// Every unit, in the order of slots.
    #[must_use]
    pub fn units(&self) -> Vec<UnitInfo> {
        self.spawner.units()
    }

    /// One unit; `None` if it is gone.
    #[must_use]
    pub fn unit(&self, id: UnitId) -> Option<UnitInfo> {
        self.spawner.unit(id)
    }

    /// Counters of the whole scheduler.
    #[must_use]
    pub fn stats(&self) -> SchedulerStats {
        self.spawner.local.slots.borrow().stats
    }

    /// Zeroes the counters of the scheduler and of every unit.
    pub fn clear_stats(&mut self) {
        self.spawner.local.slots.borrow_mut().clear_stats();
    }

    /// Takes the failures since the last call, the latest 64 at most, for the host's log.
    pub fn take_failures(&mut self) -> Vec<Failure> {
        self.spawner
            .local
            .slots
            .borrow_mut()
            .failures
            .drain(..)
            .collect()
    }

    /// Takes the calls since the last time that took longer than the
    /// [limit](Scheduler::set_slow_limit), the latest 64 at most.
    pub fn take_slow_calls(&mut self) -> Vec<SlowCall> {
        let mut slots = self.spawner.local.slots.borrow_mut();
        slots.slow_calls.drain(..).collect()
    }

    /// Calls one unit: the boundary that a panic does not cross.
    fn call(&mut self, id: UnitId, mut body: Body, now: Instant, stamp: &mut u64) {
        let mut cx = UnitContext {
            now,
            quantum: self.quantum,
            waker: &body.waker,
        };
        let unit = &mut body.unit;
        let (work, exit) = match catch_unwind(AssertUnwindSafe(|| unit.work(&mut cx))) {
            Ok(work) => (work, None),
            Err(payload) => recover(&mut **unit, now, &*payload),
        };
        let mut slots = self.spawner.local.slots.borrow_mut();
        if let Some(slot) = slots.get_mut(id) {
            slot.stats.calls += 1;
            slot.stats.panics += u64::from(exit.is_some());
            if let Some(clock) = &self.clock {
                let end = clock.clocks();
                let spent = end.wrapping_sub(std::mem::replace(stamp, end));
                slot.stats.clocks = slot.stats.clocks.wrapping_add(spent);
                slot.stats.max_clocks = slot.stats.max_clocks.max(spent);
                if let Some(limit) = self.spawner.local.slow_limit.get()
                    && let Some(took) = duration(spent, clock.frequency())
                    && took > limit
                {
                    slots.note_slow(id, took, limit);
                }
            }
        }
        if work == Work::Failed || exit.is_some() || slots.reported.is_some() {
            slots.note_failure(id, exit);
        }
        drop(slots);
        self.settle(id, body, work, now);
    }

    /// Puts a unit back with its deadline armed, or drops it.
    fn settle(&self, id: UnitId, body: Body, work: Work, now: Instant) {
        let deadline = match work {
            Work::Done | Work::Failed => None,
            // It stays ready anyhow, and an overdue deadline would fire for ever.
            Work::More => body.unit.next_deadline().filter(|at| *at > now),
            Work::Idle | Work::Blocked => body.unit.next_deadline(),
        };
        let timers = &self.spawner.local.timers;
        let mut slots = self.spawner.local.slots.borrow_mut();
        if let Some(slot) = slots.get_mut(id) {
            // One that fired is armed again even for the same instant: no deadline is lost.
            let armed = slot.armed.take().filter(|(_, key)| timers.is_armed(*key));
            slot.armed = match (armed, deadline) {
                (Some((at, key)), Some(wanted)) if at == wanted => Some((at, key)),
                (Some((_, key)), Some(at)) if timers.rearm(key, at) => Some((at, key)),
                (_, Some(at)) => Some((at, timers.arm(at, body.waker.clone()))),
                (Some((_, key)), None) => {
                    timers.cancel(key);
                    None
                }
                (None, None) => None,
            };
        }
        let removed = slots.put_back(id, body, work);
        drop(slots);
        if let Some(removed) = removed {
            self.spawner.discard(removed);
        }
    }
}

impl Drop for Scheduler {
    /// Drops every unit: they may hold spawners, which hold the slots.
    fn drop(&mut self) {
        let slots = &self.spawner.local.slots;
        slots.borrow_mut().closed = true;
        let ids = slots.borrow().ids();
        for id in ids {
            self.spawner.remove(id);
        }
        self.spawner.inboxes().clear();
        self.spawner.extensions().clear();
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("timers", &self.spawner.local.timers)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A call panicked: what the unit makes of it.
#[cold]
fn recover(unit: &mut dyn Unit, now: Instant, payload: &(dyn Any + Send)) -> (Work, Option<Exit>) {
    let message = panic_message(payload);
    let work = catch_unwind(AssertUnwindSafe(|| unit.panicked(now, &message)));
    (work.unwrap_or(Work::Failed), Some(Exit::Panicked(message)))
}

/// The text of a panic, as far as it has one.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned())
}

/// How long `clocks` are; `None` if the clock does not know.
fn duration(clocks: u64, frequency: u64) -> Option<Duration> {
    let nanos =
        u128::from(clocks) * 1_000_000_000 / u128::from(std::num::NonZero::new(frequency)?.get());
    Some(Duration::from_nanos(
        u64::try_from(nanos).unwrap_or(u64::MAX),
    ))
}
