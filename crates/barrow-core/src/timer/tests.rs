//! The wheel against a sorted map, and the futures on virtual time.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Wake, Waker},
    time::Duration,
};

use proptest::prelude::*;

use super::{Interval, Missed, Sleep, TimerKey, Timers, wheel::SEARCH_LIMIT};
use crate::{Instant, testing::Simulation};

const TICK: u64 = 10_000;
const UNPOISONED: &str = "nothing panics under this lock";
const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;

/// Writes down which timers fire, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<usize>>>);

struct Entry(Log, usize);

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.0.0.lock().expect(UNPOISONED).push(self.1);
    }
}

impl Log {
    fn waker(&self, number: usize) -> Waker {
        Waker::from(Arc::new(Entry(self.clone(), number)))
    }

    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().expect(UNPOISONED))
    }
}

/// Runs everything due, in small steps, and checks the contract of an unfinished `fire`.
fn fire_all(timers: &Timers, budget: u32) {
    loop {
        timers.fire(budget);
        match timers.next_deadline() {
            Some(at) if at <= timers.now() => {}
            _ => return,
        }
    }
}

#[derive(Clone, Debug)]
enum Action {
    Arm(u64),
    Rearm(usize, u64),
    Cancel(usize),
    Advance(u64),
}

/// Distances of every scale, and around the multiples where rings wrap.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..3 * TICK,
        0..200 * TICK,
        (0u32..9, 1u64..65, 0..4 * TICK).prop_map(|(level, times, extra)| {
            let ring = TICK.saturating_mul(1u64.checked_shl(6 * level).unwrap_or(u64::MAX));
            ring.saturating_mul(times)
                .saturating_add(extra)
                .saturating_sub(2 * TICK)
        }),
        0..20 * YEAR,
        Just(u64::MAX),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => distance().prop_map(Action::Arm),
        1 => (any::<usize>(), distance()).prop_map(|(n, d)| Action::Rearm(n, d)),
        1 => any::<usize>().prop_map(Action::Cancel),
        3 => distance().prop_map(|d| Action::Advance(d.min(50 * YEAR))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_wheel_behaves_as_a_sorted_map(
        start in distance(),
        budget in 1u32..9,
        actions in prop::collection::vec(action(), 1..120),
    ) {
        let (timers, log) = (Timers::new(), Log::default());
        timers.advance(Instant::from_nanos(start.min(50 * YEAR)));
        fire_all(&timers, budget);
        let mut keys: Vec<TimerKey> = Vec::new();
        let mut model: BTreeMap<usize, u64> = BTreeMap::new();
        let at = |distance: u64| timers.now().as_nanos().saturating_add(distance);
        for action in actions {
            match action {
                Action::Arm(distance) => {
                    let deadline = at(distance);
                    keys.push(timers.arm(Instant::from_nanos(deadline), log.waker(keys.len())));
                    model.insert(keys.len() - 1, deadline);
                }
                Action::Rearm(pick, distance) if !keys.is_empty() => {
                    let (number, deadline) = (pick % keys.len(), at(distance));
                    let armed = timers.rearm(keys[number], Instant::from_nanos(deadline));
                    prop_assert_eq!(armed, model.contains_key(&number));
                    model.entry(number).and_modify(|d| *d = deadline);
                }
                Action::Cancel(pick) if !keys.is_empty() => {
                    let number = pick % keys.len();
                    let cancelled = timers.cancel(keys[number]);
                    prop_assert_eq!(cancelled, model.remove(&number).is_some());
                }
                Action::Advance(distance) => {
                    timers.advance(Instant::from_nanos(at(distance)));
                    fire_all(&timers, budget);
                    let now = timers.now().as_nanos();
                    let fired = log.take();
                    let ticks: Vec<u64> = fired.iter().map(|n| model[n] / TICK).collect();
                    prop_assert!(ticks.is_sorted(), "fires in the order of ticks");
                    let mut fired = fired;
                    fired.sort_unstable();
                    let due: Vec<usize> =
                        model.iter().filter(|(_, d)| **d <= now).map(|(n, _)| *n).collect();
                    prop_assert_eq!(fired, due, "neither early nor lost");
                    model.retain(|_, deadline| *deadline > now);
                }
                Action::Rearm(..) | Action::Cancel(_) => {}
            }
            prop_assert_eq!(timers.len(), model.len());
            // What is overdue has been armed in the past; else the answer is exact.
            let now = timers.now().as_nanos();
            match (timers.next_deadline(), model.values().min()) {
                (Some(next), Some(min)) if *min > now => prop_assert_eq!(next.as_nanos(), *min),
                (Some(next), Some(_)) => prop_assert!(next.as_nanos() <= now),
                (next, min) => prop_assert!(next.is_none() && min.is_none()),
            }
        }
    }
}

/// Every start phase matters: the bug that loses timers for a rotation shows in some only.
#[test]
fn no_delay_is_late_at_any_start_phase() {
    for delay_ms in [
        1, 10, 641, 2_500, 3_000, 4_000, 10_000, 60_000, 300_000, 3_600_000,
    ] {
        for phase in 0..100 {
            let (timers, log) = (Timers::new(), Log::default());
            timers.advance(Instant::from_micros(phase * 26_214_397));
            timers.fire(u32::MAX);
            let deadline = timers.now() + Duration::from_millis(delay_ms);
            timers.arm(deadline, log.waker(0));
            // A host sleeps exactly as told; a cascade happens on the way only if asked early.
            assert_eq!(timers.next_deadline(), Some(deadline));
            timers.advance(deadline - Duration::from_nanos(1));
            timers.fire(u32::MAX);
            assert!(log.take().is_empty(), "not early");
            assert_eq!(timers.next_deadline(), Some(deadline));
            timers.advance(deadline);
            timers.fire(u32::MAX);
            assert_eq!(log.take(), [0], "not late");
        }
    }
}

#[test]
fn a_crowd_whose_earliest_was_cancelled_wakes_early_at_most_a_few_times() {
    let (timers, log) = (Timers::new(), Log::default());
    let base = Instant::from_secs(60);
    let count = SEARCH_LIMIT * 3;
    let at = |n: usize| base + Duration::from_micros(n as u64);
    let keys: Vec<_> = (0..count)
        .map(|n| timers.arm(at(n), log.waker(n)))
        .collect();
    keys[..100]
        .iter()
        .for_each(|key| assert!(timers.cancel(*key)));
    let mut early = 0;
    loop {
        let next = timers.next_deadline().expect("timers are armed");
        assert!(next <= at(100), "never late");
        timers.advance(next);
        fire_all(&timers, 64);
        let fired = log.take();
        if fired.is_empty() {
            early += 1;
        } else {
            assert_eq!(timers.now(), at(100));
            break;
        }
    }
    assert!(early <= 9, "{early} early wakes");
}

#[test]
fn a_jump_of_the_clock_fires_everything_due_and_nothing_else() {
    let (timers, log) = (Timers::new(), Log::default());
    for n in 0..10_000usize {
        timers.arm(Instant::from_millis(n as u64 * 37 % 100_000), log.waker(n));
    }
    timers.advance(Instant::from_secs(50));
    fire_all(&timers, 1_000);
    let fired = log.take();
    assert!(fired.iter().all(|n| n * 37 % 100_000 <= 50_000));
    assert_eq!(fired.len() + timers.len(), 10_000);
    timers.advance(Instant::from_secs(3));
    assert_eq!(timers.now(), Instant::from_secs(50), "time never goes back");
}

#[test]
fn a_waker_may_use_the_timers_when_it_is_woken_or_dropped() {
    struct Rearms(std::thread::ThreadId);
    thread_local! {
        static TIMERS: RefCell<Option<Rc<Timers>>> = const { RefCell::new(None) };
    }
    impl Wake for Rearms {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Rearms {
        fn drop(&mut self) {
            assert_eq!(self.0, std::thread::current().id());
            TIMERS.with_borrow(|timers| {
                let timers = timers.as_ref().unwrap();
                timers.arm(Instant::from_secs(9), Waker::noop().clone());
            });
        }
    }
    let timers = Rc::new(Timers::new());
    TIMERS.set(Some(timers.clone()));
    let waker = || Waker::from(Arc::new(Rearms(std::thread::current().id())));
    let fires = timers.arm(Instant::from_secs(1), waker());
    let cancelled = timers.arm(Instant::from_secs(2), waker());
    assert!(timers.cancel(cancelled));
    assert!(timers.set_waker(fires, &waker()));
    timers.advance(Instant::from_secs(1));
    assert_eq!(timers.fire(64), 1);
    assert_eq!(timers.len(), 3);
}

/// Runs one future in a simulation and returns the instants it noted.
fn instants<F>(run: impl FnOnce(Rc<Timers>, Rc<RefCell<Vec<Instant>>>) -> F) -> Vec<Instant>
where
    F: Future<Output = ()> + 'static,
{
    let mut simulation = Simulation::new();
    let noted = Rc::new(RefCell::new(Vec::new()));
    let future = run(simulation.scheduler().timers(), noted.clone());
    simulation.scheduler().spawn_task(future);
    simulation.advance(Duration::from_secs(100));
    assert!(simulation.scheduler().units().is_empty(), "it has ended");
    noted.take()
}

#[test]
fn a_sleep_can_be_moved_while_somebody_waits() {
    let noted = instants(|timers, noted| async move {
        let mut sleep = Sleep::new(timers.clone(), Instant::from_secs(50));
        let early = Instant::from_secs(1);
        assert!(
            super::timeout(timers.clone(), Duration::from_secs(1), &mut sleep)
                .await
                .is_err()
        );
        assert_eq!(timers.now(), early);
        sleep.reset(Instant::from_secs(2));
        (&mut sleep).await;
        noted.borrow_mut().push(timers.now());
        sleep.reset(Instant::from_secs(5));
        sleep.await;
        noted.borrow_mut().push(timers.now());
    });
    assert_eq!(noted, [Instant::from_secs(2), Instant::from_secs(5)]);
}

/// One late tick at 3.5 s, and what each policy makes of it.
#[test]
fn missed_ticks_are_skipped_delivered_or_delayed() {
    let ticks = |missed| {
        instants(move |timers, noted| async move {
            let mut interval = Interval::new(timers.clone(), Duration::from_secs(1)).missed(missed);
            interval.tick().await;
            Sleep::new(timers.clone(), Instant::from_millis(3_500)).await;
            for _ in 0..4 {
                interval.tick().await;
                noted.borrow_mut().push(timers.now());
            }
        })
    };
    let millis = |m: [u64; 4]| m.map(Instant::from_millis);
    assert_eq!(ticks(Missed::Skip), millis([3_500, 4_000, 5_000, 6_000]));
    assert_eq!(ticks(Missed::Burst), millis([3_500, 3_500, 4_000, 5_000]));
    assert_eq!(ticks(Missed::Delay), millis([3_500, 4_500, 5_500, 6_500]));
}

#[test]
fn a_dropped_sleep_leaves_no_timer_behind() {
    let mut simulation = Simulation::new();
    let timers = simulation.scheduler().timers();
    let own = timers.clone();
    let unit = simulation
        .scheduler()
        .spawn_task(async move { Sleep::new(own, Instant::from_secs(5)).await });
    simulation.settle();
    assert_eq!(timers.len(), 1);
    simulation.scheduler().remove(unit);
    assert_eq!(timers.len(), 0);
    assert_eq!(simulation.settle(), None);
}
