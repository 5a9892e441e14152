//! A scheduler's handle for code on its own thread.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::Waker,
};

use super::{
    Doorbell, UnitId, UnitInfo,
    slots::{Removed, Slots},
    task::Task,
};
use crate::{
    Extensions, Instant, Unit,
    process::{Exit, ProcessNode, ProcessStatus, ProcessUnit, Restart},
    timer::Timers,
};

/// What a scheduler and all its spawners share.
pub(super) struct Local {
    pub(super) timers: Rc<Timers>,
    pub(super) extensions: Extensions,
    pub(super) slots: RefCell<Slots>,
}

/// Adds, wakes and removes units of one scheduler, from anywhere on its thread: also from inside
/// a unit's `work`, a process node or a destructor. Cheap to clone; not `Send` (other threads use
/// a [`Remote`](super::Remote)).
///
/// After the scheduler is gone every operation is harmless: units are dropped, ids are stale.
///
/// ```
/// use barrow_core::testing::Simulation;
/// use std::{cell::Cell, rc::Rc};
///
/// let mut simulation = Simulation::new();
/// let spawner = simulation.scheduler().spawner();
/// let (count, outer) = (Rc::new(Cell::new(0)), spawner.clone());
/// let seen = count.clone();
/// spawner.spawn_task(async move {
///     for _ in 0..3 {
///         let seen = seen.clone();
///         outer.spawn_task(async move { seen.set(seen.get() + 1) });
///     }
/// });
/// simulation.settle();
/// assert_eq!(count.get(), 3);
/// ```
#[derive(Clone)]
pub struct Spawner {
    pub(super) local: Rc<Local>,
}

impl Spawner {
    pub(super) fn new(bell: Box<dyn Doorbell>, extensions: Extensions) -> Self {
        let (timers, slots) = (Rc::default(), RefCell::new(Slots::new(bell)));
        Self {
            local: Rc::new(Local {
                timers,
                extensions,
                slots,
            }),
        }
    }

    /// Adds a unit; it runs for the first time as soon as its turn comes.
    pub fn spawn(&self, unit: Box<dyn Unit>) -> UnitId {
        let name = Rc::from(unit.name());
        self.spawn_as(name, unit)
    }

    /// Adds a unit under another name than its own.
    pub fn spawn_named(&self, name: &str, unit: Box<dyn Unit>) -> UnitId {
        self.spawn_as(Rc::from(name), unit)
    }

    /// Adds a future as a unit called `task`.
    pub fn spawn_task(&self, future: impl Future<Output = ()> + 'static) -> UnitId {
        self.spawn_named_task("task", future)
    }

    /// Adds a future as a unit with a name of its own.
    pub fn spawn_named_task(
        &self,
        name: &str,
        future: impl Future<Output = ()> + 'static,
    ) -> UnitId {
        self.spawn_as(Rc::from(name), Box::new(Task::new(future)))
    }

    /// Adds a process node; `make` makes it for the start and for each restart.
    pub fn add_process<N: ProcessNode>(
        &self,
        restart: Restart,
        make: impl FnMut() -> N + 'static,
    ) -> (UnitId, ProcessStatus) {
        let (unit, status) = ProcessUnit::new(self, restart, make);
        (self.spawn(Box::new(unit)), status)
    }

    /// Adds a process node that is never restarted.
    pub fn start_process<N: ProcessNode>(&self, node: N) -> (UnitId, ProcessStatus) {
        let mut node = Some(node);
        self.add_process(Restart::Never, move || {
            node.take()
                .expect("a node that is never restarted is made once")
        })
    }

    /// Removes a unit and drops it: at once, or after its call if it runs now. False if it is
    /// gone already.
    pub fn remove(&self, id: UnitId) -> bool {
        let removed = self.local.slots.borrow_mut().remove(id);
        removed.map(|removed| self.discard(removed)).is_some()
    }

    /// Makes a unit ready, without any atomic operation. False if it is gone.
    pub fn wake(&self, id: UnitId) -> bool {
        self.local.slots.borrow_mut().wake(id)
    }

    /// A waker of the unit, usable from every thread; one that does nothing if it is gone.
    #[must_use]
    pub fn waker(&self, id: UnitId) -> Waker {
        self.local.slots.borrow().waker(id)
    }

    /// The time of the current turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.local.timers.now()
    }

    /// The scheduler's timers and its `now`.
    #[must_use]
    pub fn timers(&self) -> Rc<Timers> {
        self.local.timers.clone()
    }

    /// What this host offers beyond the common part.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.local.extensions
    }

    /// Every unit, in the order of slots.
    #[must_use]
    pub fn units(&self) -> Vec<UnitInfo> {
        self.local.slots.borrow().infos()
    }

    /// One unit; `None` if it is gone.
    #[must_use]
    pub fn unit(&self, id: UnitId) -> Option<UnitInfo> {
        self.local.slots.borrow().info(id)
    }

    fn spawn_as(&self, name: Rc<str>, unit: Box<dyn Unit>) -> UnitId {
        let mut slots = self.local.slots.borrow_mut();
        if slots.closed {
            drop(slots); // the unit's destructor may come back here
            return UnitId {
                index: u32::MAX,
                generation: 0,
            };
        }
        slots.add(unit, name)
    }

    /// The unit that runs now has failed for this reason; it may go on.
    pub(crate) fn report_failure(&self, exit: Exit) {
        self.local.slots.borrow_mut().reported = Some(exit);
    }

    /// Drops what is left of a unit; its destructor may do anything, panic included.
    pub(super) fn discard(&self, removed: Removed) {
        if let Some(key) = removed.armed {
            self.local.timers.cancel(key);
        }
        if catch_unwind(AssertUnwindSafe(|| drop(removed.body))).is_err() {
            self.local.slots.borrow_mut().stats.failed += 1;
        }
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}
