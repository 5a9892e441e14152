//! A scheduler's handle for code on its own thread.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, Location, catch_unwind},
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use super::{
    Doorbell, Failure, SlowCall, UnitId, UnitInfo,
    slots::{Removed, Slots},
    task::Task,
};
use crate::{
    Clock, Extensions, Instant, NoClock, Unit,
    channel::Sender,
    process::{Exit, InboxError, Inboxes, ProcessNode, ProcessStatus, ProcessUnit, Restart},
    timer::Timers,
};

/// What a scheduler and all its spawners share.
pub(super) struct Local {
    pub(super) timers: Rc<Timers>,
    pub(super) extensions: Extensions,
    pub(super) slots: RefCell<Slots>,
    inboxes: Inboxes,
    pub(super) clock: RefCell<Rc<dyn Clock>>,
    /// Calls that take longer are reported; `None`: none is.
    pub(super) slow_limit: Cell<Option<Duration>>,
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
                inboxes: Inboxes::default(),
                clock: RefCell::new(Rc::new(NoClock)),
                slow_limit: Cell::new(None),
            }),
        }
    }

    /// Adds a unit; it runs for the first time as soon as its turn comes.
    #[track_caller]
    pub fn spawn(&self, unit: Box<dyn Unit>) -> UnitId {
        let name = Rc::from(unit.name());
        self.spawn_as(name, unit)
    }

    /// Adds a unit under another name than its own.
    #[track_caller]
    pub fn spawn_named(&self, name: &str, unit: Box<dyn Unit>) -> UnitId {
        self.spawn_as(Rc::from(name), unit)
    }

    /// Adds a future as a unit called `task`.
    #[track_caller]
    pub fn spawn_task(&self, future: impl Future<Output = ()> + 'static) -> UnitId {
        self.spawn_named_task("task", future)
    }

    /// Adds a future as a unit with a name of its own.
    #[track_caller]
    pub fn spawn_named_task(
        &self,
        name: &str,
        future: impl Future<Output = ()> + 'static,
    ) -> UnitId {
        self.spawn_as(Rc::from(name), Box::new(Task::new(future)))
    }

    /// Adds a process node; `make` makes it for the start and for each restart.
    #[track_caller]
    pub fn add_process<N: ProcessNode>(
        &self,
        restart: Restart,
        make: impl FnMut() -> N + 'static,
    ) -> (UnitId, ProcessStatus) {
        let (unit, status) = ProcessUnit::new(self, restart, make);
        (self.spawn(Box::new(unit)), status)
    }

    /// Adds a process node that is never restarted.
    #[track_caller]
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

    #[track_caller]
    fn spawn_as(&self, name: Rc<str>, unit: Box<dyn Unit>) -> UnitId {
        let mut slots = self.local.slots.borrow_mut();
        if slots.closed {
            drop(slots); // the unit's destructor may come back here
            return UnitId {
                index: u32::MAX,
                generation: 0,
            };
        }
        slots.add(unit, name, Location::caller())
    }

    /// A sender into the inbox `name` of this host, from which a process node
    /// [receives](crate::ProcessContext::inbox). It works before the node starts, and while it is
    /// started again; `capacity` counts if nobody asked for the inbox before.
    ///
    /// ```
    /// use barrow_core::{ProcessContext, ProcessError, Restart, process_node, testing::Simulation};
    ///
    /// enum Event { Count(u64), Crash }
    ///
    /// #[process_node(name = "counting")]
    /// async fn counting(cx: ProcessContext<Counting>) -> Result<(), ProcessError> {
    ///     let mut events = cx.inbox::<Event>("counting", 16)?;
    ///     while let Some(event) = events.recv().await {
    ///         match event {
    ///             Event::Count(_) => {}
    ///             Event::Crash => return Err("as asked".into()),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let mut simulation = Simulation::new();
    /// let events = simulation.spawner().inbox::<Event>("counting", 16).expect("it is new");
    /// events.try_send(Event::Crash).expect("there is room");
    /// events.try_send(Event::Count(2)).expect("there is room");
    /// let (_, status) = simulation.scheduler().add_process(Restart::OnFailure, || Counting {});
    /// simulation.settle();
    /// assert_eq!((status.starts(), events.len()), (2, 0), "the second run took the rest");
    /// ```
    ///
    /// # Errors
    /// [`InboxError::OtherType`] if the name belongs to an inbox for other values.
    pub fn inbox<T: 'static>(&self, name: &str, capacity: usize) -> Result<Sender<T>, InboxError> {
        self.local.inboxes.sender(name, capacity)
    }

    pub(crate) fn inboxes(&self) -> &Inboxes {
        &self.local.inboxes
    }

    /// Zeroes the counters of the scheduler and of every unit.
    pub fn clear_stats(&self) {
        self.local.slots.borrow_mut().clear_stats();
    }

    /// The clock that the host measures calls with.
    pub(crate) fn clock(&self) -> Rc<dyn Clock> {
        self.local.clock.borrow().clone()
    }

    /// Waits until units failed or were slow, for the host's log; one waits at a time. Each is
    /// told once, here or by [`Scheduler::take_failures`](super::Scheduler::take_failures).
    pub async fn incidents(&self) -> (Vec<Failure>, Vec<SlowCall>) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut slots = self.local.slots.borrow_mut();
            let told = (
                slots.failures.drain(..).collect::<Vec<_>>(),
                slots.slow_calls.drain(..).collect::<Vec<_>>(),
            );
            if told.0.is_empty() && told.1.is_empty() {
                let former = slots.supervisor.replace(waker);
                drop(slots);
                drop(former);
                return Poll::Pending;
            }
            Poll::Ready(told)
        })
        .await
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
