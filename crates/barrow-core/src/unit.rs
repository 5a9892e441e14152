//! What a scheduler schedules.

use std::task::Waker;

use crate::Instant;

/// How one call of [`Unit::work`] ended.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Every input was seen empty or pending: wait for a wake or the deadline.
    Idle,
    /// Stopped by the quantum, not by lack of work: stays ready, behind the others.
    More,
    /// An output has no credit: wait for a wake or the deadline (counted, and named in listings).
    Blocked,
    /// Finished: the unit is dropped.
    Done,
    /// Broken: the unit is dropped and counted as a failure.
    Failed,
}

/// What one call of [`Unit::work`] gets.
#[derive(Debug)]
pub struct UnitContext<'a> {
    /// The time of this turn; the same for every unit in it.
    pub now: Instant,
    /// Items this call may still handle. A unit counts it down and answers [`Work::More`] at zero.
    pub quantum: u32,
    /// Wakes this unit, from any thread, without allocating.
    pub waker: &'a Waker,
}

/// Something that does a bounded piece of work when it is ready: a driven machine, an async task,
/// a process node, a whole dataflow region.
///
/// The contract that keeps wake-ups from being lost: `work` answers [`Work::Idle`] only when it
/// has *seen* each input empty **after** making sure that the input would wake it; whoever stops
/// earlier answers [`Work::More`]. Spurious calls are always allowed.
///
/// ```
/// use barrow_core::{Instant, Unit, UnitContext, Work, testing::Simulation};
///
/// struct Countdown(u32);
/// impl Unit for Countdown {
///     fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
///         while self.0 > 0 {
///             if cx.quantum == 0 {
///                 return Work::More;
///             }
///             cx.quantum -= 1;
///             self.0 -= 1;
///         }
///         Work::Done
///     }
/// }
///
/// let mut simulation = Simulation::new();
/// let unit = simulation.scheduler().add(Countdown(1_000));
/// simulation.settle();
/// assert!(simulation.scheduler().unit(unit).is_none(), "it is done and gone");
/// ```
pub trait Unit {
    /// Handles at most `cx.quantum` items.
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work;

    /// When this unit wants to be called even if nobody wakes it. Asked once after each `work`;
    /// the scheduler keeps the timer.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// What listings call this unit; asked once, when it is added.
    fn name(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }

    /// The host is about to stop: finish soon. `work` is called afterwards.
    fn shutdown(&mut self, now: Instant) {
        let _ = now;
    }

    /// `work` panicked with `message`. The default fails the unit; a supervisor may recover.
    fn panicked(&mut self, now: Instant, message: &str) -> Work {
        let _ = (now, message);
        Work::Failed
    }
}

impl<U: Unit + ?Sized> Unit for Box<U> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        (**self).work(cx)
    }
    fn next_deadline(&self) -> Option<Instant> {
        (**self).next_deadline()
    }
    fn name(&self) -> String {
        (**self).name()
    }
    fn shutdown(&mut self, now: Instant) {
        (**self).shutdown(now);
    }
    fn panicked(&mut self, now: Instant, message: &str) -> Work {
        (**self).panicked(now, message)
    }
}
