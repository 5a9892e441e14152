//! Tasks with primitives of this crate and of others, on virtual time.

use std::{cell::Cell, cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::select, select, stream::FuturesUnordered};
use tokio::sync as tokio_sync;

use super::*;
use crate::{
    Instant,
    testing::Simulation,
    timer::{Interval, Sleep, timeout},
};

/// A log that tasks share.
type Log<T> = Rc<RefCell<Vec<T>>>;

#[test]
fn who_waits_for_a_stop_is_woken_and_who_gave_up_leaves_nothing_behind() {
    let (mut simulation, stop) = (Simulation::new(), Stop::new());
    let (waiting, ended) = (stop.clone(), Rc::new(Cell::new(0)));
    let count = ended.clone();
    let timers = simulation.scheduler().timers();
    simulation.scheduler().spawn_task(async move {
        for _ in 0..100 {
            let limit = timeout(timers.clone(), Duration::from_secs(1), waiting.raised());
            assert!(limit.await.is_err());
        }
        assert_eq!(waiting.waiting(), 0);
        // Both branches wait in one task, with wakers of their own.
        let both: FuturesUnordered<_> = (0..2).map(|_| waiting.raised()).collect();
        both.for_each(|()| async { count.set(count.get() + 1) })
            .await;
    });
    simulation.advance(Duration::from_secs(200));
    assert_eq!(ended.get(), 0);
    stop.raise();
    simulation.settle();
    assert_eq!(ended.get(), 2);
    assert!(stop.is_raised() && simulation.scheduler().units().is_empty());
}

#[test]
fn channels_of_tokio_work_between_tasks() {
    let (mut simulation, log) = (Simulation::new(), Log::<u32>::default());
    let (sender, mut receiver) = tokio_sync::mpsc::channel(2);
    let (done, told) = tokio_sync::oneshot::channel();
    let noted = log.clone();
    simulation.scheduler().spawn_task(async move {
        while let Some(n) = receiver.recv().await {
            noted.borrow_mut().push(n);
        }
        done.send("all").expect("somebody waits");
    });
    simulation.scheduler().spawn_task(async move {
        for n in 0..50 {
            sender.send(n).await.expect("it is received");
        }
    });
    let answer = Rc::new(Cell::new(""));
    let seen = answer.clone();
    simulation
        .scheduler()
        .spawn_task(async move { seen.set(told.await.expect("it is told")) });
    simulation.settle();
    assert!(log.borrow().iter().copied().eq(0..50));
    assert_eq!(answer.get(), "all");
}

#[test]
fn locks_and_notices_of_tokio_work_between_tasks() {
    let mut simulation = Simulation::new();
    let (lock, notice) = (
        Arc::new(tokio_sync::Mutex::new(0)),
        Arc::new(tokio_sync::Notify::new()),
    );
    let gate = Arc::new(tokio_sync::Semaphore::new(2));
    let (values, mut watched) = tokio_sync::watch::channel(0);
    let values = Rc::new(values);
    for _ in 0..10 {
        let timers = simulation.scheduler().timers();
        let (lock, gate, notice, values) =
            (lock.clone(), gate.clone(), notice.clone(), values.clone());
        simulation.scheduler().spawn_task(async move {
            let _permit = gate.acquire().await.expect("it stays open");
            let mut count = lock.lock().await;
            Sleep::new(timers.clone(), timers.now() + Duration::from_secs(1)).await;
            *count += 1;
            values.send_replace(*count);
            if *count == 10 {
                notice.notify_one();
            }
        });
    }
    let end = Rc::new(Cell::new(Instant::ZERO));
    let (timers, at) = (simulation.scheduler().timers(), end.clone());
    simulation.scheduler().spawn_task(async move {
        notice.notified().await;
        assert_eq!(
            *watched
                .wait_for(|value| *value == 10)
                .await
                .expect("it lives"),
            10
        );
        at.set(timers.now());
    });
    simulation.advance(Duration::from_secs(60));
    assert_eq!(end.get(), Instant::from_secs(10), "one after the other");
    assert!(simulation.scheduler().units().is_empty());
}

#[test]
fn combinators_of_futures_work_in_a_task() {
    let (mut simulation, log) = (Simulation::new(), Log::<&str>::default());
    let (timers, noted) = (simulation.scheduler().timers(), log.clone());
    simulation.scheduler().spawn_task(async move {
        let sleep = |secs| Sleep::new(timers.clone(), timers.now() + Duration::from_secs(secs));
        select! {
            () = sleep(2).fuse() => noted.borrow_mut().push("late"),
            () = sleep(1).fuse() => noted.borrow_mut().push("early"),
        }
        drop(select(sleep(5), sleep(3)).await);
        assert_eq!(timers.now(), Instant::from_secs(4));
        let (one, two) = futures::join!(sleep(1), sleep(2));
        assert_eq!((one, two, timers.now()), ((), (), Instant::from_secs(6)));
        let mut all: FuturesUnordered<_> = (0..100).map(sleep).collect();
        while all.next().await.is_some() {}
        noted.borrow_mut().push("all");
    });
    simulation.advance(Duration::from_secs(200));
    assert_eq!(*log.borrow(), ["early", "all"]);
}

#[test]
fn i3_fairness_a_paced_task_over_a_foreign_channel_lets_others_run() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = tokio_sync::mpsc::unbounded_channel();
    (0..10_000).for_each(|n| sender.send(n).expect("it is received"));
    drop(sender);
    let (taken, seen) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, looks) = (taken.clone(), taken.clone());
    simulation.scheduler().spawn_task(async move {
        let mut pace = Pace::new(64);
        while receiver.recv().await.is_some() {
            count.set(count.get() + 1);
            pace.tick().await;
        }
    });
    let noted = seen.clone();
    simulation
        .scheduler()
        .spawn_task(async move { noted.set(looks.get()) });
    simulation.settle();
    assert_eq!((seen.get(), taken.get()), (64, 10_000));
}

#[test]
fn an_interval_ticks_beside_other_branches() {
    let (mut simulation, ticks) = (Simulation::new(), Rc::new(Cell::new(0)));
    let (timers, count, stop) = (simulation.scheduler().timers(), ticks.clone(), Stop::new());
    let stopped = stop.clone();
    simulation.scheduler().spawn_task(async move {
        let mut interval = Interval::new(timers, Duration::from_millis(20));
        loop {
            select! {
                _ = interval.tick().fuse() => count.set(count.get() + 1),
                () = stopped.raised().fuse() => return,
            }
        }
    });
    simulation.advance(Duration::from_secs(1));
    stop.raise();
    simulation.settle();
    assert_eq!(ticks.get(), 50);
    assert!(simulation.scheduler().units().is_empty());
}
