//! What a runtime of several workers promises.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::channel::TrySendError;
use barrow_core::{Instant, Machine, Unit, UnitContext, Work};

use super::*;
use crate::bus::{Bus, Topic};

/// Far more than anything here takes; a test that fails by it is stuck, not slow.
const LONG: Duration = Duration::from_secs(60);

fn two() -> Controller<u64> {
    Controller::builder()
        .workers(2)
        .name("test")
        .start()
        .unwrap()
}

fn ended(controller: &mut Controller<u64>, id: TaskId) -> Ended {
    loop {
        match controller.report(LONG).expect("a report") {
            Report::TaskEnded { task, how, .. } if task == id => return how,
            _ => {}
        }
    }
}

#[test]
fn tasks_go_where_they_are_placed() {
    let mut controller = two();
    let second = controller.worker("test-1").unwrap();
    assert_eq!(controller.worker("test-2"), None);
    for place in [Placement::On(second), Placement::Named("test-1".into())] {
        let task = controller
            .spawn(place, "where", |cx, _| async move {
                cx.emit(cx.worker().index() as u64).await;
            })
            .unwrap();
        assert_eq!(task.worker(), second);
        assert_eq!(controller.output(LONG), Some(1));
        assert_eq!(ended(&mut controller, task.id()), Ended::Finished);
    }
    let spread: BTreeSet<_> = (0..8)
        .map(|_| {
            let task = controller.spawn(Placement::LeastLoaded, "idle", |_, _| async {});
            task.unwrap().worker()
        })
        .collect();
    assert_eq!(spread.len(), 2);
    let nowhere = controller.spawn(Placement::Named("x".into()), "idle", |_, _| async {});
    assert_eq!(nowhere.unwrap_err(), SpawnRefused::NoSuchWorker);
}

#[test]
fn the_least_loaded_worker_is_the_one_that_works_least() {
    struct Busy;
    impl Unit for Busy {
        fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
            Work::More
        }
    }
    let controller = two();
    let [first, second] = [0, 1].map(|n| controller.workers().nth(n).unwrap());
    controller
        .spawn_unit(Placement::On(first), "busy", |_, _| Busy)
        .unwrap();
    let idle = |_, mut inbox: Inbox<u64>| async move {
        let _none = inbox.recv().await;
    };
    let spawn = |_| {
        controller
            .spawn(Placement::On(second), "idle", idle)
            .unwrap()
    };
    let _idle: Vec<_> = (0..20).map(spawn).collect();
    // However slow the machine is, the busy worker is busier.
    let mut status = controller.status();
    while status[0].utilisation < 0.5 || status[1].utilisation > 0.4 || status[1].tasks < 20 {
        std::thread::sleep(Duration::from_millis(50));
        status = controller.status();
    }
    assert_eq!((status[0].tasks, status[1].tasks), (1, 20));
    let task = controller.spawn(Placement::LeastLoaded, "new", |_, _| async {});
    assert_eq!(task.unwrap().worker(), second);
}

#[test]
fn messages_to_a_worker_reach_its_root_task() {
    let mut controller = Controller::<u64>::builder()
        .workers(3)
        .root(|cx, mut inbox| async move {
            while let Some(message) = inbox.recv().await {
                cx.emit(message * 10 + cx.worker().index() as u64).await;
            }
        })
        .start()
        .unwrap();
    for (n, worker) in controller.workers().enumerate() {
        controller.blocking_send(worker, n as u64).unwrap();
    }
    let answers: BTreeSet<_> = (0..3).map(|_| controller.output(LONG).unwrap()).collect();
    assert_eq!(answers, BTreeSet::from([0, 11, 22]));
    assert!(controller.shutdown(LONG).unwrap().is_clean());
    let without = two();
    assert_eq!(
        without.try_send(WorkerId(0), 7),
        Err(TrySendError::Closed(7))
    );
}

#[test]
fn i4_backpressure_holds_from_the_controller_to_the_task_and_back() {
    let mut controller = Controller::<u64>::builder()
        .inbox(4)
        .output(2)
        .start()
        .unwrap();
    let task = controller
        .spawn(Placement::LeastLoaded, "echo", |cx, mut inbox| async move {
            while let Some(message) = inbox.recv().await {
                cx.emit(message).await;
            }
        })
        .unwrap();
    // Nobody takes outputs: the task waits with one, two more are out, four wait for it.
    let mut sent = 0;
    let mut refused = 0;
    while refused < 1_000 {
        match task.try_send(sent) {
            Ok(()) => (sent, refused) = (sent + 1, 0),
            Err(TrySendError::Full(_)) => {
                refused += 1;
                std::thread::sleep(Duration::from_micros(100));
            }
            Err(TrySendError::Closed(_)) => panic!("the task is gone"),
        }
    }
    assert_eq!(sent, 4 + 1 + 2);
    let back: Vec<_> = (0..sent)
        .map(|_| controller.output(LONG).unwrap())
        .collect();
    assert!(back.into_iter().eq(0..sent), "in order, none lost");
}

#[test]
fn many_senders_that_wait_all_get_through() {
    let mut controller = Controller::<u64>::builder()
        .workers(2)
        .inbox(1)
        .output(1)
        .start()
        .unwrap();
    let sum = controller
        .spawn(Placement::LeastLoaded, "sum", |cx, mut inbox| async move {
            let mut sum = 0;
            for _ in 0..4_000 {
                sum += inbox.recv().await.unwrap();
            }
            cx.emit(sum).await;
        })
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..1_000).for_each(|_| sum.blocking_send(1).unwrap()));
        }
        for worker in controller.workers() {
            let sum = sum.clone();
            let send = move |_, _| async move {
                for _ in 0..1_000 {
                    sum.send(1).await.unwrap();
                }
            };
            controller
                .spawn(Placement::On(worker), "sender", send)
                .unwrap();
        }
    });
    assert_eq!(controller.output(LONG), Some(4_000));
}

#[test]
fn i10_failures_are_values_a_panicking_task_fails_alone_and_is_reported() {
    let mut controller = two();
    let place = Placement::On(WorkerId(0));
    let good = controller
        .spawn(place.clone(), "good", |cx, mut inbox| async move {
            while let Some(message) = inbox.recv().await {
                cx.emit(message).await;
            }
        })
        .unwrap();
    let bad = controller
        .spawn(place.clone(), "bad", |_, mut inbox| async move {
            let message: u64 = inbox.recv().await.unwrap();
            panic!("cannot stand {message}");
        })
        .unwrap();
    let unborn = controller.spawn(place, "unborn", |_, _| {
        assert!(std::thread::panicking(), "not even made");
        async {}
    });
    bad.blocking_send(13).unwrap();
    assert_eq!(
        ended(&mut controller, bad.id()),
        Ended::Panicked("cannot stand 13".into())
    );
    let unborn = unborn.unwrap().id();
    // Reports come in the order of ends; this one may have come first.
    let _ = unborn;
    assert!(bad.has_ended());
    assert_eq!(bad.try_send(14), Err(TrySendError::Closed(14)));
    good.blocking_send(15).unwrap();
    assert_eq!(controller.output(LONG), Some(15));
    let status = controller.status();
    assert_eq!((status[0].failed, status[0].tasks), (2, 1));
    assert!(controller.shutdown(LONG).unwrap().is_clean());
}

#[test]
fn i9_no_stale_delivery_to_a_task_that_came_later() {
    let mut controller = Controller::<u64>::builder().start().unwrap();
    let old = controller
        .spawn(Placement::LeastLoaded, "old", |_, _| async {})
        .unwrap();
    assert_eq!(ended(&mut controller, old.id()), Ended::Finished);
    let new = controller
        .spawn(Placement::LeastLoaded, "new", |cx, mut inbox| async move {
            cx.emit(inbox.recv().await.unwrap()).await;
        })
        .unwrap();
    assert_ne!(old.id(), new.id());
    assert_eq!(old.try_send(1), Err(TrySendError::Closed(1)));
    new.try_send(2).unwrap();
    assert_eq!(controller.output(LONG), Some(2));
}

#[test]
fn a_shutdown_lets_tasks_finish_what_they_were_sent_and_names_those_that_do_not() {
    let mut controller = two();
    let polite = controller
        .spawn(
            Placement::On(WorkerId(0)),
            "polite",
            |cx, mut inbox| async move {
                while let Some(message) = inbox.recv().await {
                    cx.sleep(Duration::from_millis(1)).await;
                    cx.emit(message).await;
                }
                cx.emit(99).await;
            },
        )
        .unwrap();
    let goodbye = |cx: TaskContext<u64>, _| async move {
        cx.stopping().await;
        assert!(cx.is_stopping());
    };
    controller
        .spawn(Placement::On(WorkerId(1)), "goodbye", goodbye)
        .unwrap();
    controller
        .spawn(Placement::On(WorkerId(1)), "stubborn", |_, _| {
            std::future::pending()
        })
        .unwrap();
    (0..5).for_each(|n| polite.blocking_send(n).unwrap());
    let runtime = controller.runtime();
    let outputs = std::mem::replace(controller.outputs(), barrow_core::channel::bounded(1).1);
    let report = controller.shutdown(Duration::from_millis(300)).unwrap();
    assert_eq!(report.abandoned, [(WorkerId(1), "stubborn".into())]);
    assert!(report.lost.is_empty());
    let mut outputs = outputs;
    let mut all = Vec::new();
    outputs.drain_into(&mut all, 100);
    assert_eq!(all, [0, 1, 2, 3, 4, 99]);
    let late = runtime.spawn(Placement::LeastLoaded, "late", |_, _| async {});
    assert_eq!(late.unwrap_err(), SpawnRefused::Stopped);
    assert!(runtime.status().iter().all(|status| !status.running));
}

#[test]
fn a_cancelled_task_is_dropped_and_says_so() {
    let mut controller = two();
    let task = controller
        .spawn(Placement::LeastLoaded, "waits", |_, _| {
            std::future::pending()
        })
        .unwrap();
    assert!(controller.cancel(&task));
    assert_eq!(ended(&mut controller, task.id()), Ended::Cancelled);
    // Its inbox goes with it, on its worker.
    while !task.has_ended() {
        std::thread::yield_now();
    }
}

/// Answers each number with its double, and says 0 each hour and at the end.
#[derive(Default)]
struct Double {
    answer: Option<u64>,
    left: bool,
}

impl Machine for Double {
    type Input<'a> = u64;
    type Output = u64;
    fn handle_input(&mut self, _: Instant, number: u64) {
        self.answer = Some(number * 2);
    }
    fn handle_timeout(&mut self, _: Instant) {}
    fn handle_shutdown(&mut self, _: Instant) {
        self.left = true;
        self.answer = Some(0);
    }
    fn poll_output(&mut self, _: Instant) -> Option<u64> {
        self.answer.take()
    }
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    fn is_finished(&self) -> bool {
        self.left && self.answer.is_none()
    }
}

#[test]
fn a_machine_of_messages_is_a_task_and_waits_for_room_without_blocking_its_worker() {
    let mut controller = Controller::<u64>::builder().output(1).start().unwrap();
    let double = controller
        .spawn_machine(Placement::LeastLoaded, "double", |_| Double::default())
        .unwrap();
    (0..100).for_each(|n| double.blocking_send(n).unwrap());
    let other = controller
        .spawn(Placement::LeastLoaded, "other", |_, _| async {})
        .unwrap();
    assert_eq!(ended(&mut controller, other.id()), Ended::Finished);
    for n in 0..100 {
        assert_eq!(controller.output(LONG), Some(n * 2));
    }
    assert!(controller.shutdown(LONG).unwrap().is_clean());
}

#[test]
fn what_lives_on_a_worker_need_not_be_send() {
    let mut controller = two();
    controller
        .spawn(Placement::LeastLoaded, "local", |cx, _| async move {
            let shared = Rc::new(5);
            cx.yield_now().await;
            cx.emit(*shared).await;
        })
        .unwrap();
    assert_eq!(controller.output(LONG), Some(5));
}

#[test]
fn i1_no_lost_wakeup_over_the_bus_between_parked_workers() {
    const PING: Topic = Topic::named("ping");
    const PONG: Topic = Topic::named("pong");
    let (mut controller, bus) = (two(), Bus::<u64>::new());
    let (there, here) = (bus.clone(), bus.clone());
    controller
        .spawn(
            Placement::On(WorkerId(0)),
            "there",
            move |cx, _| async move {
                let mut end = there.attach(cx.timers(), 4);
                end.subscribe(PING);
                loop {
                    let message = end.recv().await.message;
                    end.publish(PONG, message + 1).await;
                }
            },
        )
        .unwrap();
    controller
        .spawn(
            Placement::On(WorkerId(1)),
            "here",
            move |cx, _| async move {
                let mut end = here.attach(cx.timers(), 4);
                end.subscribe(PONG);
                // The other one may not listen yet.
                while end.publish(PING, 0).await == 0 {
                    cx.sleep(Duration::from_micros(100)).await;
                }
                let mut number = end.recv().await.message;
                while number < 5_000 {
                    end.publish(PING, number).await;
                    number = end.recv().await.message;
                }
                cx.emit(number).await;
            },
        )
        .unwrap();
    assert_eq!(controller.output(LONG), Some(5_000));
    assert_eq!(bus.stats().dropped, 0);
}

#[test]
fn workers_must_be_between_one_and_many() {
    for count in [0, 65_537] {
        let started = Controller::<u64>::builder().workers(count).start();
        assert!(matches!(started, Err(StartError::Workers(_))));
    }
    let started = Controller::<u64>::builder().pin([1 << 20]).start();
    assert!(matches!(started, Err(StartError::System(_))));
}

/// Counts voluntary context switches of a thread of this process, by its name.
fn switches(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let status = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
        .find(|status| status.starts_with(&format!("Name:\t{name}\n")))
        .expect("the thread is there");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn i7_idle_is_free_for_parked_workers() {
    let controller = Controller::<u64>::builder()
        .workers(2)
        .name("idle")
        .root(|_, mut inbox| async move {
            let _none = inbox.recv().await;
        })
        .start()
        .unwrap();
    let wait = |cx: TaskContext<u64>, mut inbox: Inbox<u64>| async move {
        let _far = cx.timeout(Duration::from_secs(86_400), inbox.recv()).await;
    };
    let spawn = |n| {
        controller
            .spawn(Placement::On(WorkerId(n % 2)), "waits", wait)
            .unwrap()
    };
    let _waiting: Vec<_> = (0..100u32).map(spawn).collect();
    let tasks = || {
        controller
            .status()
            .iter()
            .map(|status| status.tasks)
            .sum::<usize>()
    };
    while tasks() < 102 {
        std::thread::yield_now();
    }
    // Until both have gone to sleep for good.
    let count = || (switches("idle-0"), switches("idle-1"));
    let mut before = count();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = count();
        if now == before {
            break;
        }
        before = now;
    }
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(count(), before, "nobody woke");
}
