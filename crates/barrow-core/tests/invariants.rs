//! The scheduler's invariants, each under its name (section 6 of the dataflow reference).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use barrow_core::{
    Doorbell, Exit, Extensions, Instant, Next, NoErrors, NoNext, ProcessContext, ProcessError,
    ProcessNode, Restart, Scheduler, Unit, UnitContext, Work, channel::bounded,
    testing::Simulation, timer::Sleep,
};

/// A unit made of a closure.
struct Do<F>(F);

impl<F: FnMut(&mut UnitContext<'_>) -> Work> Unit for Do<F> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        (self.0)(cx)
    }
}

/// A bell that a real thread sleeps on.
#[derive(Default)]
struct Bell(Mutex<bool>, Condvar);

const UNPOISONED: &str = "nothing panics under this lock";

impl Doorbell for Bell {
    fn ring(&self) {
        *self.0.lock().expect(UNPOISONED) = true;
        self.1.notify_one();
    }
}

impl Bell {
    /// Sleeps until rung; a minute without a ring is a lost wake-up, not a slow machine.
    fn sleep(&self) {
        let limit = Duration::from_secs(60);
        let rung = self.0.lock().expect(UNPOISONED);
        let slept = self.1.wait_timeout_while(rung, limit, |rung| !*rung);
        let (mut rung, timeout) = slept.expect(UNPOISONED);
        assert!(!timeout.timed_out(), "a wake-up was lost");
        *rung = false;
    }
}

/// Runs until `done`, sleeping on the bell as a worker does.
fn run(scheduler: &mut Scheduler, bell: &Bell, mut done: impl FnMut() -> bool) {
    loop {
        let next = scheduler.turn(Instant::ZERO, 16);
        if done() {
            return;
        }
        if let Next::Park { .. } = next {
            bell.sleep();
        }
    }
}

#[test]
fn i1_no_lost_wakeup_from_many_threads_to_a_parking_host() {
    const ROUNDS: u64 = 20_000;
    let bell = Arc::new(Bell::default());
    let mut scheduler = Scheduler::new(bell.clone(), Extensions::new());
    // Each thread raises its number and wakes; each unit echoes it; one unit a thread.
    let mut threads = Vec::new();
    let finished = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let (asked, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (question, answer, count) = (asked.clone(), answered.clone(), finished.clone());
        let unit = scheduler.add(Do(move |_: &mut UnitContext<'_>| {
            let asked = question.load(Ordering::Relaxed);
            answer.store(asked, Ordering::Release);
            if asked < ROUNDS {
                return Work::Idle;
            }
            count.set(count.get() + 1);
            Work::Done
        }));
        let waker = scheduler.waker(unit);
        threads.push(std::thread::spawn(move || {
            for round in 1..=ROUNDS {
                asked.store(round, Ordering::Relaxed);
                waker.wake_by_ref();
                while answered.load(Ordering::Acquire) < round {
                    std::thread::yield_now();
                }
            }
        }));
    }
    run(&mut scheduler, &bell, || finished.get() == 3);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn i1_no_lost_wakeup_when_a_unit_is_woken_while_it_runs() {
    let mut simulation = Simulation::new();
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    simulation
        .scheduler()
        .add(Do(move |cx: &mut UnitContext<'_>| {
            count.set(count.get() + 1);
            if count.get() < 5 {
                cx.waker.wake_by_ref(); // something came in after it looked
            }
            Work::Idle
        }));
    simulation.settle();
    assert_eq!(calls.get(), 5);
}

#[test]
fn i1_no_lost_wakeup_when_a_unit_is_woken_locally_after_the_host_was_told_to_park() {
    let mut simulation = Simulation::new();
    let unit = simulation
        .scheduler()
        .add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    simulation.settle();
    assert!(simulation.scheduler().wake(unit));
    assert_eq!(simulation.rings(), 1, "the host is told not to sleep");
    assert!(simulation.scheduler().wake(unit));
    assert_eq!(simulation.rings(), 1, "once");
    simulation.settle();
    assert_eq!(simulation.scheduler().unit(unit).unwrap().stats.calls, 2);
}

/// hydro#2977: an operator stops pulling before its input said "pending", so nobody holds its
/// waker. Answering `More` is the contract for that, and enough.
#[test]
fn i1_no_lost_wakeup_when_a_unit_stops_before_its_input_is_empty() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = bounded(16);
    let taken = Rc::new(Cell::new(0));
    let count = taken.clone();
    simulation
        .scheduler()
        .add(Do(move |cx: &mut UnitContext<'_>| {
            receiver.register(cx.waker);
            match receiver.try_recv() {
                Ok(()) => {
                    count.set(count.get() + 1);
                    Work::More
                }
                Err(_) => Work::Idle,
            }
        }));
    (0..10).for_each(|_| sender.try_send(()).unwrap());
    simulation.settle();
    assert_eq!(taken.get(), 10);
}

/// timely#255: a wake from another thread must end the sleep, not wait for the next timer.
#[test]
fn i1_no_lost_wakeup_behind_a_far_timer() {
    let bell = Arc::new(Bell::default());
    let mut scheduler = Scheduler::new(bell.clone(), Extensions::new());
    let timers = scheduler.timers();
    scheduler.spawn_task(async move { Sleep::new(timers, Instant::from_secs(1 << 30)).await });
    let woken = Rc::new(Cell::new(false));
    let (flag, mut first) = (woken.clone(), true);
    let unit = scheduler.add(Do(move |_: &mut UnitContext<'_>| {
        flag.set(!std::mem::replace(&mut first, false));
        Work::Idle
    }));
    let Next::Park { until: Some(_) } = scheduler.turn(Instant::ZERO, 16) else {
        panic!("everything waits for the timer");
    };
    let waker = scheduler.waker(unit);
    let thread = std::thread::spawn(move || waker.wake());
    bell.sleep();
    run(&mut scheduler, &bell, || woken.get());
    thread.join().unwrap();
}

#[test]
fn i2_bounded_turn_ends_at_its_budget_however_much_is_ready() {
    let mut scheduler = Scheduler::new((), Extensions::new());
    for _ in 0..10 {
        scheduler.add(Do(|_: &mut UnitContext<'_>| Work::More));
    }
    for turn in 1..=5 {
        assert_eq!(scheduler.turn(Instant::ZERO, 7), Next::Again);
        assert_eq!(scheduler.stats().calls, turn * 7);
    }
}

#[test]
fn i2_bounded_turn_fires_a_flood_of_timers_over_several_turns() {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let timers = scheduler.timers();
    for n in 0..10_000 {
        timers.arm(Instant::from_micros(n), Waker::noop().clone());
    }
    assert_eq!(scheduler.turn(Instant::from_secs(1), 16), Next::Again);
    assert!(scheduler.stats().timers <= 256);
    let mut turns = 1;
    while scheduler.turn(Instant::from_secs(1), 16) == Next::Again {
        turns += 1;
    }
    assert_eq!(scheduler.stats().timers, 10_000);
    assert!(turns < 10_000, "{turns} turns");
}

#[test]
fn i3_fairness_every_ready_unit_runs_before_any_runs_again() {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let order = Rc::new(RefCell::new(Vec::new()));
    for name in 0..5 {
        let order = order.clone();
        scheduler.add(Do(move |cx: &mut UnitContext<'_>| {
            order.borrow_mut().push(name);
            cx.waker.wake_by_ref();
            if name % 2 == 0 {
                Work::More
            } else {
                Work::Idle
            }
        }));
    }
    assert_eq!(scheduler.turn(Instant::ZERO, 100), Next::Again);
    for round in order.borrow().chunks(5) {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert_eq!(round, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn i6_time_stands_still_in_a_turn_and_never_goes_back() {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let seen = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..2 {
        let seen = seen.clone();
        scheduler.add(Do(move |cx: &mut UnitContext<'_>| {
            seen.borrow_mut().push(cx.now);
            Work::More
        }));
    }
    for secs in [5, 3, 7] {
        let _ = scheduler.turn(Instant::from_secs(secs), 2);
    }
    assert_eq!(*seen.borrow(), [5, 5, 5, 5, 7, 7].map(Instant::from_secs));
}

#[test]
fn i7_idle_is_free() {
    let mut simulation = Simulation::new();
    for _ in 0..100 {
        let (sender, mut receiver) = bounded::<u8>(4);
        simulation.scheduler().spawn_task(async move {
            let _sender = sender;
            receiver.recv().await;
        });
    }
    assert_eq!(
        simulation.settle(),
        None,
        "nothing is timed: the host sleeps for ever"
    );
    let (calls, turns) = (simulation.scheduler().stats().calls, simulation.turns());
    simulation.advance(Duration::from_secs(3600 * 24 * 365));
    assert_eq!(simulation.scheduler().stats().calls, calls);
    assert!(
        simulation.turns() - turns <= 2,
        "a year costs the turns that asked"
    );
    assert_eq!(simulation.rings(), 0);
}

#[test]
fn i7_idle_is_free_for_ten_thousand_units_of_which_one_percent_are_active() {
    let mut simulation = Simulation::new();
    for n in 0..10_000u64 {
        let timers = simulation.scheduler().timers();
        simulation.scheduler().spawn_task(async move {
            let period = Duration::from_secs(if n % 100 == 0 { 1 } else { 1_000_000 });
            loop {
                Sleep::new(timers.clone(), timers.now() + period).await;
            }
        });
    }
    simulation.settle();
    let before = simulation.scheduler().stats().calls;
    simulation.advance(Duration::from_secs(50));
    assert_eq!(simulation.scheduler().stats().calls - before, 100 * 50);
}

#[test]
fn i8_determinism_one_seed_gives_one_trace() {
    let trace = |seed| {
        let mut simulation = Simulation::seeded(seed);
        let log = Rc::new(RefCell::new(Vec::new()));
        for name in 0..8u64 {
            let (timers, log) = (simulation.scheduler().timers(), log.clone());
            simulation.scheduler().spawn_task(async move {
                for step in 0..5u64 {
                    log.borrow_mut().push((name, timers.now()));
                    let nap = Duration::from_millis((name * step) % 3);
                    Sleep::new(timers.clone(), timers.now() + nap).await;
                }
            });
        }
        simulation.advance(Duration::from_secs(1));
        log.take()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2), "another seed is another order");
    assert_eq!(trace(1).len(), trace(2).len());
}

#[test]
fn i9_no_stale_delivery_through_an_id() {
    let mut simulation = Simulation::new();
    let scheduler = simulation.scheduler();
    let old = scheduler.add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    assert!(scheduler.remove(old));
    let new = scheduler.add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    assert_eq!(old.index(), new.index(), "the place is used again");
    assert!(!scheduler.wake(old) && !scheduler.remove(old));
    assert!(scheduler.unit(old).is_none() && scheduler.unit(new).is_some());
}

#[test]
fn i9_no_stale_delivery_through_a_waker() {
    let mut simulation = Simulation::new();
    let old = simulation
        .scheduler()
        .add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    let waker = simulation.scheduler().waker(old);
    simulation.settle();
    simulation.scheduler().remove(old);
    let new = simulation
        .scheduler()
        .add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    simulation.settle();
    assert_ne!(
        old.index(),
        new.index(),
        "somebody still holds a waker of the old unit"
    );
    let calls = simulation.scheduler().unit(new).unwrap().stats.calls;
    waker.wake();
    simulation.settle();
    assert_eq!(simulation.scheduler().unit(new).unwrap().stats.calls, calls);
    assert_eq!(
        simulation.scheduler().stats().stale_wakes,
        1,
        "counted and dropped"
    );
    let next = simulation
        .scheduler()
        .add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    assert_eq!(next.index(), old.index(), "nobody can confuse it any more");
}

#[test]
fn i9_no_stale_delivery_of_a_deadline() {
    struct Due(Rc<Cell<u32>>);
    impl Unit for Due {
        fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
            self.0
                .set(self.0.get() + u32::from(cx.now >= Instant::from_secs(1)));
            Work::Idle
        }
        fn next_deadline(&self) -> Option<Instant> {
            Some(Instant::from_secs(1)).filter(|_| self.0.get() == 0)
        }
    }
    let mut simulation = Simulation::new();
    let (removed, kept) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let unit = simulation.scheduler().add(Due(removed.clone()));
    simulation.settle();
    simulation.scheduler().remove(unit);
    simulation.scheduler().add(Due(kept.clone()));
    simulation.advance(Duration::from_secs(2));
    assert_eq!((removed.get(), kept.get()), (0, 1));
}

#[test]
fn i10_failures_are_values_a_panicking_unit_fails_alone() {
    let mut simulation = Simulation::new();
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let good = simulation
        .scheduler()
        .add(Do(move |_: &mut UnitContext<'_>| {
            count.set(count.get() + 1);
            Work::Idle
        }));
    let (sender, receiver) = bounded::<u8>(1);
    let bad = simulation
        .scheduler()
        .add(Do(move |_: &mut UnitContext<'_>| {
            let _edge = &receiver;
            panic!("the {} broke", "axle")
        }));
    simulation.settle();
    assert!(simulation.scheduler().unit(bad).is_none());
    assert!(sender.is_closed(), "its edges close");
    let failures = simulation.scheduler().take_failures();
    assert_eq!((failures.len(), failures[0].id), (1, bad));
    assert_eq!(failures[0].exit, Exit::Panicked("the axle broke".into()));
    simulation.scheduler().wake(good);
    simulation.settle();
    assert_eq!(calls.get(), 2);
    assert_eq!(simulation.scheduler().stats().failed, 1);
}

#[test]
fn i10_failures_are_values_even_in_destructors() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("while it was dropped");
        }
    }
    let mut simulation = Simulation::new();
    let bomb = Bomb;
    simulation
        .scheduler()
        .add(Do(move |_: &mut UnitContext<'_>| {
            let _bomb = &bomb;
            Work::Done
        }));
    simulation.settle();
    assert!(simulation.scheduler().units().is_empty());
    assert_eq!(simulation.scheduler().stats().failed, 1);
}

struct Fragile;

impl ProcessNode for Fragile {
    const NAME: &'static std::ffi::CStr = c"fragile";
    type NextNodes = NoNext;
    type Errors = NoErrors;
    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        cx.sleep(Duration::from_millis(1)).await;
        panic!("again")
    }
}

#[test]
fn i10_failures_are_values_a_process_that_panics_is_started_again() {
    let mut simulation = Simulation::new();
    let (_, status) = simulation
        .scheduler()
        .add_process(Restart::OnFailure, || Fragile);
    simulation.advance(Duration::from_micros(10_500));
    assert_eq!(status.starts(), 11);
    assert_eq!(
        status.last_exit().map(|e| e.to_string()).as_deref(),
        Some("panicked: again")
    );
}

#[test]
fn a_unit_may_remove_itself_and_others_while_it_runs() {
    let mut simulation = Simulation::new();
    let spawner = simulation.spawner();
    let other = simulation
        .scheduler()
        .add(Do(|_: &mut UnitContext<'_>| Work::Idle));
    let own = Rc::new(Cell::new(None));
    let (inner, id) = (spawner.clone(), own.clone());
    own.set(Some(spawner.spawn(Box::new(Do(
        move |_: &mut UnitContext<'_>| {
            let id = id.get().expect("set before it runs");
            assert!(inner.unit(id).is_some(), "it can see itself");
            assert!(inner.remove(other) && inner.remove(id) && !inner.remove(id));
            Work::More
        },
    )))));
    simulation.settle();
    assert!(simulation.scheduler().units().is_empty());
}

#[test]
fn a_spawner_outlives_its_scheduler_harmlessly() {
    let dropped = Rc::new(());
    let (spawner, id) = {
        let mut simulation = Simulation::new();
        let (spawner, held) = (simulation.spawner(), dropped.clone());
        let inner = spawner.clone();
        let id = spawner.spawn_task(async move {
            let (_inner, _held) = (inner, held);
            std::future::pending::<()>().await;
        });
        simulation.settle();
        (spawner, id)
    };
    assert_eq!(
        Rc::strong_count(&dropped),
        1,
        "units are dropped although they hold a spawner"
    );
    assert!(!spawner.wake(id));
    let held = dropped.clone();
    let late = spawner.spawn_task(async move { drop(held) });
    assert_eq!(Rc::strong_count(&dropped), 1);
    assert!(spawner.unit(late).is_none());
}

#[test]
fn jobs_from_other_threads_run_in_order_and_fail_alone() {
    let bell = Arc::new(Bell::default());
    let mut scheduler = Scheduler::new(bell.clone(), Extensions::new());
    let remote = scheduler.remote();
    let log = Arc::new(Mutex::new(Vec::new()));
    let thread = {
        let log = log.clone();
        std::thread::spawn(move || {
            for n in 0..200u32 {
                let log = log.clone();
                remote
                    .run(move |_| {
                        assert_ne!(n, 100, "this one fails");
                        log.lock().unwrap().push(n);
                    })
                    .expect("the scheduler runs");
            }
            remote
        })
    };
    run(&mut scheduler, &bell, || {
        log.lock().unwrap().last() == Some(&199)
    });
    assert_eq!(log.lock().unwrap().len(), 199);
    assert!(log.lock().unwrap().is_sorted());
    let remote = thread.join().unwrap();
    drop(scheduler);
    assert!(remote.run(|_| {}).is_err());
}
