//! Which worker has the least to do.

use std::time::Duration;

use barrow_core::Instant;

use crate::host::Load;

/// Loads are measured anew after this time.
const WINDOW: Duration = Duration::from_millis(20);
/// What a task is expected to cost where nothing is known: makes the first tasks go around.
const LEAST_COST: f64 = 1e-3;

/// Places tasks by measured work, not by their number: a worker's expected utilisation is what was
/// measured last plus, for each task placed since, what a task costs in the mean.
#[derive(Debug)]
pub(super) struct Balance {
    measured: Vec<Load>,
    expected: Vec<f64>,
    cost: f64,
    /// Where the search starts, so that equals take turns.
    next: usize,
}

impl Balance {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            measured: vec![Load::default(); workers],
            expected: vec![0.0; workers],
            cost: LEAST_COST,
            next: 0,
        }
    }

    /// The worker to place a task on; `loads` has `None` for workers that are gone, `tasks` is how
    /// many tasks there are. `None` when every worker is gone.
    pub(super) fn place(&mut self, loads: &[Option<Load>], tasks: usize) -> Option<usize> {
        let now = loads.iter().flatten().map(|load| load.at).max()?;
        let measured = self.measured.iter().map(|load| load.at).max();
        if now.saturating_since(measured.unwrap_or(Instant::ZERO)) >= WINDOW {
            self.measure(loads, tasks);
        }
        let count = loads.len();
        let living = (0..count)
            .map(|offset| (self.next + offset) % count)
            .filter(|&worker| loads[worker].is_some());
        let place = living.min_by(|&a, &b| self.expected[a].total_cmp(&self.expected[b]))?;
        self.expected[place] += self.cost;
        self.next = (place + 1) % count;
        Some(place)
    }

    fn measure(&mut self, loads: &[Option<Load>], tasks: usize) {
        let places = self.measured.iter_mut().zip(&mut self.expected);
        for ((before, expected), load) in places.zip(loads) {
            if let Some(load) = load {
                *expected = load.utilisation_since(*before);
                *before = *load;
            }
        }
        let sum: f64 = self.expected.iter().sum();
        self.cost = (sum / tasks.max(1) as f64).max(LEAST_COST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(at_ms: u64, busy_ms: u64) -> Option<Load> {
        Some(Load {
            at: Instant::from_millis(at_ms),
            busy: Duration::from_millis(busy_ms),
            sleeps: 0,
        })
    }

    fn places(balance: &mut Balance, loads: &[Option<Load>], tasks: usize) -> Vec<usize> {
        let place = |n| balance.place(loads, tasks + n);
        (0..6).map_while(place).collect()
    }

    #[test]
    fn idle_workers_take_turns() {
        let loads = [load(1, 0), load(1, 0), load(1, 0)];
        assert_eq!(places(&mut Balance::new(3), &loads, 0), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn work_counts_and_not_the_number_of_tasks() {
        let mut balance = Balance::new(2);
        // Worker 0 was awake for 80 of 100 ms with one task, worker 1 for 10 with nine.
        let loads = [load(100, 80), load(100, 10)];
        assert_eq!(balance.place(&loads, 10), Some(1));
        // A task costs 0.09 in the mean: seven more fit before worker 0 is the better place.
        let next: Vec<_> = (0..8)
            .map_while(|n| balance.place(&loads, 11 + n))
            .collect();
        assert_eq!(next, [1, 1, 1, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn workers_that_are_gone_get_nothing() {
        let mut balance = Balance::new(2);
        assert_eq!(places(&mut balance, &[None, load(1, 0)], 0), [1; 6]);
        assert_eq!(balance.place(&[None, None], 0), None);
    }
}
