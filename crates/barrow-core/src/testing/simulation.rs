//! A host with a virtual clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Doorbell, Extensions, Instant, Next, Order, Scheduler, Spawner};

/// Calls of units in one turn of the simulation.
const BUDGET: u32 = 64;
/// Turns at one instant after which something must be spinning.
const PATIENCE: u32 = 1_000_000;

/// Runs a scheduler on virtual time: jumps from deadline to deadline, never sleeps, and does the
/// same again for the same seed.
///
/// ```
/// use barrow_core::testing::Simulation;
/// use std::time::Duration;
///
/// let mut simulation = Simulation::new();
/// let timers = simulation.scheduler().timers();
/// simulation.scheduler().spawn_task(async move {
///     barrow_core::timer::Interval::new(timers, Duration::from_secs(3600)).tick().await;
/// });
/// simulation.advance(Duration::from_secs(7200)); // at once
/// assert!(simulation.scheduler().units().is_empty());
/// ```
#[derive(Debug)]
pub struct Simulation {
    scheduler: Scheduler,
    now: Instant,
    bell: Arc<Rings>,
    turns: u64,
}

#[derive(Debug, Default)]
struct Rings(AtomicU64);

impl Doorbell for Rings {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Simulation {
    /// A simulation at [`Instant::ZERO`], first come, first served.
    #[must_use]
    pub fn new() -> Self {
        let bell = Arc::new(Rings::default());
        let scheduler = Scheduler::new(bell.clone(), Extensions::new());
        Self {
            scheduler,
            now: Instant::ZERO,
            bell,
            turns: 0,
        }
    }

    /// A simulation in which ready units run in an order drawn from `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut simulation = Self::new();
        simulation.scheduler.set_order(Order::Seeded(seed));
        simulation
    }

    /// The scheduler, to add units to.
    pub fn scheduler(&mut self) -> &mut Scheduler {
        &mut self.scheduler
    }

    /// A spawner of the scheduler.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.scheduler.spawner()
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Turns until now.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// How often the doorbell rang: wakes that would have ended a sleep.
    #[must_use]
    pub fn rings(&self) -> u64 {
        self.bell.0.load(Ordering::Relaxed)
    }

    /// One turn at the virtual time.
    pub fn turn(&mut self) -> Next {
        self.turns += 1;
        self.scheduler.turn(self.now, BUDGET)
    }

    /// Runs until nothing is ready, without moving time; returns the next deadline.
    ///
    /// # Panics
    /// If units keep each other ready for a million turns.
    pub fn settle(&mut self) -> Option<Instant> {
        for _ in 0..PATIENCE {
            if let Next::Park { until } = self.turn() {
                return until;
            }
        }
        panic!("something is always ready: {:?}", self.scheduler.units());
    }

    /// Lets `delay` pass: everything due on the way runs at its own instant.
    pub fn advance(&mut self, delay: Duration) {
        let end = self.now + delay;
        while let Some(at) = self.settle().filter(|at| *at <= end) {
            self.now = at.max(self.now);
        }
        self.now = end;
        self.settle();
    }

    /// Moves the clock at once, as an adjustment of a node's clock does: everything due on the
    /// way runs at the end of it.
    pub fn jump(&mut self, delay: Duration) {
        self.now += delay;
        self.settle();
    }

    /// Runs, jumping from deadline to deadline, until `done` holds; false if `limit` passed or
    /// nothing is left to happen.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut() -> bool) -> bool {
        let end = self.now + limit;
        loop {
            let until = self.settle();
            if done() {
                return true;
            }
            match until {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ => return false,
            }
        }
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}
