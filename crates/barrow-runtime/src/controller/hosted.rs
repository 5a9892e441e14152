//! A task's unit with what the controller wants to know of it.

use std::rc::Rc;
use std::sync::Arc;

use barrow_core::task::Stop;
use barrow_core::{Instant, Unit, UnitContext, Work};

use super::seat::Roll;
use super::status::Ended;
use super::task::TaskId;

/// A unit that is made at its first call, is asked to stop when the host shuts down, and whose end
/// is reported, however it comes.
pub(super) struct Hosted<F, U> {
    make: Option<F>,
    unit: Option<U>,
    id: TaskId,
    name: Arc<str>,
    stop: Stop,
    roll: Rc<Roll>,
    ended: Option<Ended>,
}

impl<F: FnOnce() -> U, U: Unit> Hosted<F, U> {
    pub(super) fn new(id: TaskId, name: Arc<str>, stop: Stop, roll: Rc<Roll>, make: F) -> Self {
        Self {
            make: Some(make),
            unit: None,
            id,
            name,
            stop,
            roll,
            ended: None,
        }
    }

    fn note(&mut self, work: Work) -> Work {
        match work {
            Work::Done => self.ended = Some(Ended::Finished),
            Work::Failed => self.ended = Some(Ended::Failed),
            Work::Idle | Work::More | Work::Blocked => {}
        }
        work
    }
}

impl<F: FnOnce() -> U, U: Unit> Unit for Hosted<F, U> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        if let Some(make) = self.make.take() {
            self.unit = Some(make());
        }
        // Without a unit, making it panicked; that call was the last one.
        let work = self
            .unit
            .as_mut()
            .map_or(Work::Failed, |unit| unit.work(cx));
        self.note(work)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.unit.as_ref().and_then(Unit::next_deadline)
    }

    fn name(&self) -> String {
        (*self.name).to_owned()
    }

    fn shutdown(&mut self, now: Instant) {
        self.stop.raise();
        if let Some(unit) = &mut self.unit {
            unit.shutdown(now);
        }
    }

    fn panicked(&mut self, now: Instant, message: &str) -> Work {
        let work = match &mut self.unit {
            Some(unit) => unit.panicked(now, message),
            None => Work::Failed,
        };
        if work == Work::Failed {
            self.ended = Some(Ended::Panicked(message.to_owned()));
            return work;
        }
        self.note(work)
    }
}

impl<F, U> Drop for Hosted<F, U> {
    fn drop(&mut self) {
        // Whatever the unit's destructor does comes first: then it is really gone.
        self.unit = None;
        let how = self.ended.take().unwrap_or(Ended::Cancelled);
        self.roll.strike(self.id, self.name.clone(), how);
    }
}
