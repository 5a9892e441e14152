//! What a controller keeps on each worker.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use barrow_core::channel::Sender;
use barrow_core::task::Stop;
use barrow_core::{Spawner, Unit, UnitId};

use super::hosted::Hosted;
use super::status::{Counters, Ended, Report};
use super::task::{TaskId, WorkerId};
use crate::io::Reactor;
use crate::sys::Clock;

/// The state of a worker's thread.
pub(super) struct Seat {
    pub(super) spawner: Spawner,
    pub(super) reactor: Reactor,
    pub(super) clock: Clock,
    pub(super) roll: Rc<Roll>,
}

impl Seat {
    /// Adds a task whose unit is made at its first call.
    pub(super) fn add<U: Unit + 'static>(
        &self,
        id: TaskId,
        name: Arc<str>,
        stop: Stop,
        make: impl FnOnce() -> U + 'static,
    ) {
        if self.roll.orderly.get() {
            stop.raise(); // it came late: it may still handle what it was sent
        }
        self.roll.counters.begin();
        let hosted = Hosted::new(id, name.clone(), stop, self.roll.clone(), make);
        // It runs in a later turn, so it is enrolled before it can end.
        let unit = self.spawner.spawn_named(&name, Box::new(hosted));
        self.roll.living.borrow_mut().insert(id, (name, unit));
    }

    /// Drops a task wherever it is. False when it has ended.
    pub(super) fn cancel(&self, id: TaskId) -> bool {
        let unit = self.roll.living.borrow().get(&id).map(|(_, unit)| *unit);
        unit.is_some_and(|unit| self.spawner.remove(unit))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.roll.orderly.get() {
            let worker = self.roll.worker;
            self.roll.tell(Report::WorkerLost { worker });
        }
    }
}

/// The tasks that live on a worker.
pub(super) struct Roll {
    worker: WorkerId,
    counters: Arc<Counters>,
    reports: Sender<Report>,
    lost: Arc<AtomicU64>,
    living: RefCell<BTreeMap<TaskId, (Arc<str>, UnitId)>>,
    /// The worker was asked to stop.
    pub(super) orderly: Cell<bool>,
}

impl Roll {
    pub(super) fn new(
        worker: WorkerId,
        counters: Arc<Counters>,
        reports: Sender<Report>,
        lost: Arc<AtomicU64>,
    ) -> Self {
        Self {
            worker,
            counters,
            reports,
            lost,
            living: RefCell::default(),
            orderly: Cell::new(false),
        }
    }

    /// A task has ended.
    pub(super) fn strike(&self, task: TaskId, name: Arc<str>, how: Ended) {
        self.living.borrow_mut().remove(&task);
        self.counters.end(&how);
        let worker = self.worker;
        self.tell(Report::TaskEnded {
            task,
            name,
            worker,
            how,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.living.borrow().is_empty()
    }

    /// Names of the tasks that live.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let living = self.living.borrow();
        living.values().map(|(name, _)| name.clone()).collect()
    }

    /// Reports are news: one that finds no room is counted instead.
    fn tell(&self, report: Report) {
        if self.reports.try_send(report).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
