//! Every interleaving of wakes with a turn and with parking.

use std::{cell::Cell, rc::Rc, sync::Arc};

use loom::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{Doorbell, Next, Scheduler};
use crate::{Extensions, Instant, Unit, UnitContext, Work};

/// Every interleaving with at most three preemptions: more find nothing new and take hours.
fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// Sleeping without a time limit: a lost wake-up is a deadlock, which loom reports.
#[derive(Default)]
struct Bell {
    rung: Mutex<usize>,
    condition: Condvar,
}

impl Doorbell for Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap() += 1;
        self.condition.notify_one();
    }
}

impl Bell {
    fn sleep(&self) {
        let mut rung = self.rung.lock().unwrap();
        while *rung == 0 {
            rung = self.condition.wait(rung).unwrap();
        }
        *rung = 0;
    }
}

/// Sums up what it finds in its input, which is written without any ordering of its own.
struct Reader {
    input: Arc<AtomicUsize>,
    seen: Rc<Cell<usize>>,
}

impl Unit for Reader {
    fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
        self.seen.set(self.input.load(Ordering::Relaxed));
        Work::Idle
    }
}

fn host(
    units: usize,
) -> (
    Arc<Bell>,
    Scheduler,
    Vec<(Arc<AtomicUsize>, Rc<Cell<usize>>)>,
) {
    let bell = Arc::new(Bell::default());
    let scheduler = Scheduler::new(bell.clone(), Extensions::new());
    let inputs = (0..units).map(|_| (Arc::new(AtomicUsize::new(0)), Rc::new(Cell::new(0))));
    (bell, scheduler, inputs.collect())
}

/// Turns and sleeps as a worker does until `done`.
fn run(scheduler: &mut Scheduler, bell: &Bell, done: impl Fn() -> bool) {
    loop {
        let next = scheduler.turn(Instant::ZERO, 4);
        assert!(
            *bell.rung.lock().unwrap() <= 2,
            "one ring for each time that it armed"
        );
        if done() {
            return;
        }
        if let Next::Park { .. } = next {
            bell.sleep();
        }
    }
}

#[test]
fn i1_no_lost_wakeup_between_one_waker_and_a_parking_host() {
    model(|| {
        let (bell, mut scheduler, inputs) = host(1);
        let (input, seen) = inputs[0].clone();
        let unit = scheduler.add(Reader {
            input: input.clone(),
            seen: seen.clone(),
        });
        let waker = scheduler.waker(unit);
        let thread = thread::spawn(move || {
            input.store(1, Ordering::Relaxed);
            waker.wake();
        });
        run(&mut scheduler, &bell, || seen.get() == 1);
        thread.join().unwrap();
        assert_eq!(scheduler.stats().failed, 0);
    });
}

#[test]
fn i1_no_lost_wakeup_when_one_waker_wakes_twice() {
    model(|| {
        let (bell, mut scheduler, inputs) = host(1);
        let (input, seen) = inputs[0].clone();
        let unit = scheduler.add(Reader {
            input: input.clone(),
            seen: seen.clone(),
        });
        let waker = scheduler.waker(unit);
        let thread = thread::spawn(move || {
            input.store(1, Ordering::Relaxed);
            waker.wake_by_ref();
            input.store(2, Ordering::Relaxed);
            waker.wake();
        });
        run(&mut scheduler, &bell, || seen.get() == 2);
        thread.join().unwrap();
    });
}

#[test]
fn i1_no_lost_wakeup_between_two_threads_and_one_unit() {
    model(|| {
        let (bell, mut scheduler, inputs) = host(1);
        let (input, seen) = inputs[0].clone();
        let unit = scheduler.add(Reader {
            input: input.clone(),
            seen: seen.clone(),
        });
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (input, waker) = (input.clone(), scheduler.waker(unit));
                thread::spawn(move || {
                    input.fetch_add(1, Ordering::Relaxed);
                    waker.wake();
                })
            })
            .collect();
        run(&mut scheduler, &bell, || seen.get() == 2);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn i1_no_lost_wakeup_between_two_threads_and_two_units_of_one_word() {
    model(|| {
        let (bell, mut scheduler, inputs) = host(2);
        let mut threads = Vec::new();
        for (input, seen) in &inputs {
            let unit = scheduler.add(Reader {
                input: input.clone(),
                seen: seen.clone(),
            });
            let (input, waker) = (input.clone(), scheduler.waker(unit));
            threads.push(thread::spawn(move || {
                input.store(1, Ordering::Relaxed);
                waker.wake();
            }));
        }
        run(&mut scheduler, &bell, || {
            inputs.iter().all(|(_, seen)| seen.get() == 1)
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn i9_no_stale_delivery_while_a_unit_is_removed_and_another_takes_its_place() {
    model(|| {
        let (_, mut scheduler, inputs) = host(2);
        let (input, seen) = inputs[0].clone();
        let old = scheduler.add(Reader {
            input: input.clone(),
            seen,
        });
        let _ = scheduler.turn(Instant::ZERO, 4);
        let waker = scheduler.waker(old);
        let thread = thread::spawn(move || waker.wake());
        scheduler.remove(old);
        let (input, seen) = inputs[1].clone();
        let new = scheduler.add(Reader { input, seen });
        let _ = scheduler.turn(Instant::ZERO, 4);
        thread.join().unwrap();
        let _ = scheduler.turn(Instant::ZERO, 4);
        let calls = scheduler.unit(new).expect("it is there").stats.calls;
        // In the one case where the waker was dropped before the new unit came, its bit may be
        // taken for the new unit's first wake, never for a second one.
        assert_eq!(calls, 1);
    });
}
