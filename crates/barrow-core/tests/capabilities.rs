//! Every capability that FD.io VPP's Rust crate names for process nodes, shown on Barrow's host: a table, a row
//! each. Its faults are named where a row shows that Barrow does not have them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use barrow_core::{
    Backoff, Clock, ErrorCounters, Exit, Extensions, Instant, NextNodes, Offload, OffloadError,
    ProcessContext, ProcessError, ProcessState, Restart, Severity,
    channel::{Overflow, TryRecvError, TrySendError, bounded, lossy, unbounded},
    process_node,
    testing::Simulation,
};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};

#[derive(Clone, Copy, Debug, NextNodes)]
enum Next {
    #[next_node = "error-drop"]
    Drop,
}

#[derive(Clone, Copy, Debug, ErrorCounters)]
enum Errors {
    #[error_counter(description = "an info", severity = INFO)]
    Info,
    #[error_counter(description = "a warning", severity = WARNING)]
    Warning,
    #[error_counter(description = "an error", severity = ERROR)]
    Error,
    #[error_counter(name = "the_end", description = "a critical one", severity = CRITICAL)]
    Critical,
}

type Body = Box<dyn FnOnce(ProcessContext<Scripted>) -> BodyFuture>;
type BodyFuture = std::pin::Pin<Box<dyn Future<Output = Result<(), ProcessError>>>>;

/// Does what a test says.
#[process_node(name = "scripted", errors = Errors, next_nodes = Next)]
async fn scripted(cx: ProcessContext<Scripted>, body: Body) -> Result<(), ProcessError> {
    body(cx).await
}

/// A node that runs `body` once.
fn node<F, R>(body: F) -> Scripted
where
    F: FnOnce(ProcessContext<Scripted>) -> R + 'static,
    R: Future<Output = Result<(), ProcessError>> + 'static,
{
    Scripted {
        body: Box::new(move |cx| Box::pin(body(cx))),
    }
}

/// A log that a node writes and the test reads.
#[derive(Clone, Default)]
struct Seen(Rc<RefCell<Vec<String>>>);

impl Seen {
    fn push(&self, text: impl ToString) {
        self.0.borrow_mut().push(text.to_string());
    }
    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// The capability, as the origin names it, and what shows it.
type Row = (&'static str, fn());

const TABLE: &[Row] = &[
    ("process node as one async function", one_async_function),
    (
        "exactly one coroutine a node, many futures in it",
        many_futures_in_one_coroutine,
    ),
    ("registration: name, start order, at any time", registration),
    ("next nodes derive", next_nodes),
    ("error counters derive, four severities", error_counters),
    ("run-time data: the node's own fields", run_time_data),
    ("channel: bounded, waits for room", channel_that_waits),
    (
        "channel: try, overflow policies, unbounded",
        channel_policies,
    ),
    (
        "channel: closing wakes, empty is not closed",
        channel_closing,
    ),
    (
        "sender from any thread, made before the start",
        sender_from_another_thread,
    ),
    (
        "sleep: from nothing to years, never early, never lost",
        sleeps_of_every_length,
    ),
    ("timeout and deadline", timeout_and_deadline),
    ("interval", interval),
    ("timers that wake their own waker", timers_in_combinators),
    (
        "suspends by waiting for an event or the clock",
        event_or_clock,
    ),
    (
        "typed events with data, also over a restart",
        events_with_data,
    ),
    ("framework's event loop: counts, states, waits", listing),
    (
        "no surprise suspension: sync code runs to its end",
        run_to_suspend,
    ),
    ("select", select),
    ("FuturesUnordered over sleeps", futures_unordered),
    ("join, Shared, streams", join_shared_streams),
    ("yielding in computations", yielding),
    ("blocking work on another thread", blocking),
    ("host's handles without borrows over an await", extensions),
    ("completion: finished stays finished", completion),
    ("restart policy with back-off", restart),
    ("panic safety", panics),
    ("shutdown: grace, destructors", shutdown),
    ("watchdog: who, how long, where registered", watchdog),
    ("tests on virtual time, any order of units", virtual_time),
];

#[test]
fn every_capability_of_the_origin_is_there() {
    for (name, show) in TABLE {
        println!("{name}");
        show();
    }
}

fn one_async_function() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    let (_, status) = simulation.scheduler().start_process(node(async move |cx| {
        log.push(cx.name().to_str()?);
        Ok(())
    }));
    simulation.settle();
    assert_eq!(seen.take(), ["scripted"]);
    assert_eq!(status.last_exit(), Some(Exit::Finished));
}

fn many_futures_in_one_coroutine() {
    let mut simulation = Simulation::new();
    let done = Rc::new(Cell::new(0));
    let count = done.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let mut all: FuturesUnordered<_> = (1..=1_000u64)
            .map(|n| cx.sleep(Duration::from_millis(n)))
            .collect();
        while all.next().await.is_some() {
            count.set(count.get() + 1);
        }
        Ok(())
    }));
    assert_eq!(simulation.scheduler().units().len(), 1);
    simulation.advance(Duration::from_secs(1));
    assert_eq!(done.get(), 1_000);
}

fn registration() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    for n in 0..5 {
        let log = seen.clone();
        simulation.scheduler().start_process(node(async move |cx| {
            log.push(n);
            if n == 4 {
                let (inner, later) = (log.clone(), node(async |_| Ok(())));
                cx.spawner().start_process(later);
                inner.push("one more");
            }
            Ok(())
        }));
    }
    simulation.settle();
    assert_eq!(seen.take(), ["0", "1", "2", "3", "4", "one more"]);
}

fn next_nodes() {
    assert_eq!(Next::NAMES, [c"error-drop"]);
    assert_eq!(Next::Drop.slot(), 0);
}

fn error_counters() {
    let mut simulation = Simulation::new();
    let (_, status) = simulation.scheduler().start_process(node(async |cx| {
        for (by, error) in [
            (1, Errors::Info),
            (2, Errors::Warning),
            (3, Errors::Error),
            (4, Errors::Critical),
        ] {
            cx.count(error, by);
        }
        Ok(())
    }));
    simulation.settle();
    let counters: Vec<_> = status
        .counters()
        .map(|(counter, value)| (counter.name, counter.severity, value))
        .collect();
    let expected = [
        (c"info", Severity::Info, 1),
        (c"warning", Severity::Warning, 2),
        (c"error", Severity::Error, 3),
        (c"the_end", Severity::Critical, 4),
    ];
    assert_eq!(counters, expected);
}

fn run_time_data() {
    struct Big([u64; 64]); // the origin allows 255 bytes
    let mut simulation = Simulation::new();
    let (seen, mut data) = (Seen::default(), Big([0; 64]));
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        for slot in &mut data.0 {
            *slot = 1;
            cx.yield_now().await;
        }
        log.push(data.0.iter().sum::<u64>());
        Ok(())
    }));
    simulation.settle();
    assert_eq!(seen.take(), ["64"]);
}

fn channel_that_waits() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = bounded(1);
    let seen = Seen::default();
    let (log, other) = (seen.clone(), seen.clone());
    simulation.scheduler().start_process(node(async move |_| {
        for n in 0..4 {
            sender.send(n).await?;
            log.push(format!("sent {n}"));
        }
        Ok(())
    }));
    simulation.settle();
    assert_eq!(seen.take(), ["sent 0"], "the next one waits for room");
    simulation.scheduler().start_process(node(async move |_| {
        while let Some(n) = receiver.recv().await {
            other.push(n);
        }
        Ok(())
    }));
    simulation.settle();
    let got: Vec<_> = seen
        .take()
        .into_iter()
        .filter(|line| !line.starts_with("sent"))
        .collect();
    assert_eq!(got, ["0", "1", "2", "3"]);
}

fn channel_policies() {
    let (sender, mut receiver) = bounded(1);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(receiver.try_recv(), Ok(1));

    let (sender, mut receiver) = lossy(2, Overflow::DropNewest);
    let kept: Vec<_> = (0..4).map(|n| sender.send(n).unwrap()).collect();
    assert_eq!(kept, [true, true, false, false]);
    let mut got = Vec::new();
    assert_eq!((receiver.drain_into(&mut got, 9), got), (2, vec![0, 1]));
    assert_eq!(sender.lost(), 2);

    let (sender, mut receiver) = lossy(2, Overflow::DropOldest);
    for n in 0..4 {
        sender.send(n).unwrap();
    }
    let mut got = Vec::new();
    assert_eq!((receiver.drain_into(&mut got, 9), got), (2, vec![2, 3]));

    let (sender, receiver) = unbounded();
    (0..10_000).for_each(|n| sender.send(n).unwrap());
    assert_eq!(receiver.len(), 10_000);
}

fn channel_closing() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = bounded::<u8>(4);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |_| {
        assert_eq!(receiver.recv().await, None);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        log.push("closed");
        Ok(())
    }));
    simulation.settle();
    assert!(seen.take().is_empty());
    drop(sender);
    simulation.settle();
    assert_eq!(seen.take(), ["closed"], "closing wakes");
}

fn sender_from_another_thread() {
    let (sender, mut receiver) = bounded(8);
    let early = std::thread::spawn(move || {
        sender.try_send(1u64).unwrap();
        sender
    });
    let sender = early.join().unwrap();
    let mut simulation = Simulation::new();
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    let (_, status) = simulation.scheduler().start_process(node(async move |_| {
        while let Some(n) = receiver.recv().await {
            total.fetch_add(n, Ordering::Relaxed);
        }
        Ok(())
    }));
    let thread = std::thread::spawn(move || {
        for n in 0..1_000u64 {
            futures::executor::block_on(sender.send(n)).unwrap();
        }
    });
    while status.state() != ProcessState::Finished {
        simulation.settle();
        std::thread::yield_now();
    }
    thread.join().unwrap();
    assert_eq!(sum.load(Ordering::Relaxed), 1 + 999 * 500);
}

fn sleeps_of_every_length() {
    // The origin loses sleeps beyond 2 s at many phases of its wheel, and ends some 1 ms early.
    let lengths = [
        0u64,
        1,
        10_000,
        999_999,
        1_000_000,
        2_048_000_000,
        3_000_000_000,
        4_000_000_000,
        60_000_000_000,
        3_600_000_000_000,
        365 * 24 * 3_600_000_000_000,
        20 * 365 * 24 * 3_600_000_000_000,
    ];
    for phase in [0u64, 1, 4_999, 10_001, 1_234_567_890] {
        for nanos in lengths {
            let mut simulation = Simulation::new();
            simulation.advance(Duration::from_nanos(phase));
            let ended = Rc::new(Cell::new(None));
            let note = ended.clone();
            simulation.scheduler().start_process(node(async move |cx| {
                cx.sleep(Duration::from_nanos(nanos)).await;
                note.set(Some(cx.now()));
                Ok(())
            }));
            simulation.advance(Duration::from_nanos(nanos));
            assert_eq!(ended.get(), Some(Instant::from_nanos(phase + nanos)));
        }
    }
}

fn timeout_and_deadline() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let never = cx.timeout(Duration::from_secs(3), std::future::pending::<()>());
        log.push(format!(
            "{:?} at {}",
            never.await.is_err(),
            cx.now().as_nanos() / 1_000_000_000
        ));
        let deadline = cx.now() + Duration::from_secs(5);
        for step in 0..3 {
            let part = cx.deadline(deadline, cx.sleep(Duration::from_secs(2)));
            log.push(format!("step {step} {}", part.await.is_ok()));
        }
        Ok(())
    }));
    simulation.advance(Duration::from_secs(60));
    assert_eq!(
        seen.take(),
        ["true at 3", "step 0 true", "step 1 true", "step 2 false"]
    );
}

fn interval() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let mut ticks = cx.interval(Duration::from_secs(10)).take(3);
        while let Some(tick) = ticks.next().await {
            log.push(tick.as_nanos() / 1_000_000_000);
        }
        Ok(())
    }));
    simulation.advance(Duration::from_secs(100));
    assert_eq!(seen.take(), ["10", "20", "30"]);
}

fn timers_in_combinators() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let sleeps = [30, 10, 20].map(|s| {
            let sleep = cx.sleep(Duration::from_secs(s));
            sleep.map(move |()| s)
        });
        let order: Vec<_> = futures::stream::iter(sleeps)
            .buffer_unordered(3)
            .collect()
            .await;
        log.push(format!("{order:?}"));
        Ok(())
    }));
    simulation.advance(Duration::from_secs(30));
    assert_eq!(seen.take(), ["[10, 20, 30]"]);
}

fn event_or_clock() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = bounded(4);
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        loop {
            match cx.timeout(Duration::from_secs(10), receiver.recv()).await {
                Ok(Some(event)) => log.push(event),
                Ok(None) => return Ok(()),
                Err(_elapsed) => log.push("clock"),
            }
        }
    }));
    simulation.advance(Duration::from_secs(10));
    sender.try_send("event").unwrap();
    simulation.advance(Duration::from_secs(5));
    simulation.advance(Duration::from_secs(5));
    assert_eq!(seen.take(), ["clock", "event", "clock"]);
}

#[derive(Debug)]
enum Event {
    LinkUp { interface: u32 },
    Crash,
}

fn events_with_data() {
    let mut simulation = Simulation::new();
    let signal = simulation.spawner().inbox::<Event>("links", 8).unwrap();
    assert!(simulation.spawner().inbox::<u8>("links", 8).is_err());
    signal.try_send(Event::LinkUp { interface: 1 }).unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    let (_, status) = simulation
        .scheduler()
        .add_process(Restart::OnFailure, move || {
            let log = log.clone();
            node(async move |cx| {
                let mut events = cx.inbox::<Event>("links", 8)?;
                assert!(cx.inbox::<Event>("links", 8).is_err(), "one receives");
                while let Some(event) = events.recv().await {
                    match event {
                        Event::LinkUp { interface } => log.push(interface),
                        Event::Crash => panic!("as asked"),
                    }
                }
                Ok(())
            })
        });
    simulation.settle();
    signal.try_send(Event::Crash).unwrap();
    signal.try_send(Event::LinkUp { interface: 2 }).unwrap();
    simulation.settle();
    assert_eq!(seen.take(), ["1", "2"], "nothing is lost by a restart");
    assert_eq!(status.starts(), 2);
    assert!(!signal.is_closed());
    drop(simulation);
    assert!(signal.is_closed(), "the host ended");
}

fn listing() {
    let mut simulation = Simulation::new();
    let (_sender, mut receiver) = bounded::<u8>(1);
    let (_, both) = simulation.scheduler().start_process(node(async move |cx| {
        let limit = Duration::from_secs(9);
        cx.timeout(limit, receiver.recv()).await?;
        Ok(())
    }));
    let (_, clock) = simulation.scheduler().start_process(node(async move |cx| {
        cx.sleep(Duration::from_secs(5)).await;
        Ok(())
    }));
    let (full, _full) = bounded(1);
    let (_, room) = simulation.scheduler().start_process(node(async move |_| {
        full.send(1).await?;
        full.send(2).await?;
        Ok(())
    }));
    simulation.settle();
    assert_eq!(both.waits().state(), "any wait");
    assert_eq!(both.waits().to_string(), "event, 9.000");
    assert_eq!(clock.waits().state(), "clock wait");
    assert_eq!(clock.waits().until, Some(Instant::from_secs(5)));
    assert_eq!(room.waits().state(), "event wait");
    assert_eq!((room.polls(), room.suspends(), room.starts()), (1, 1, 1));
}

fn run_to_suspend() {
    let mut simulation = Simulation::new();
    let depth = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let depth = depth.clone();
        simulation.scheduler().start_process(node(async move |cx| {
            for _ in 0..3 {
                depth.set(depth.get() + 1);
                assert_eq!(depth.get(), 1, "nobody else ran in between");
                depth.set(depth.get() - 1);
                cx.yield_now().await;
            }
            Ok(())
        }));
    }
    simulation.settle();
    assert!(simulation.scheduler().take_failures().is_empty());
}

fn select() {
    let mut simulation = Simulation::new();
    let (one, mut first) = bounded::<u32>(4);
    let (two, mut second) = bounded::<u32>(4);
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        loop {
            futures::select! {
                n = first.select_next_some() => log.push(format!("first {n}")),
                n = second.select_next_some() => log.push(format!("second {n}")),
                () = cx.sleep(Duration::from_secs(3)).fuse() => log.push("silence"),
                complete => return Ok(()),
            }
        }
    }));
    simulation.settle();
    two.try_send(2).unwrap();
    simulation.advance(Duration::from_secs(1));
    one.try_send(1).unwrap();
    simulation.advance(Duration::from_secs(3));
    assert_eq!(seen.take(), ["second 2", "first 1", "silence"]);
}

fn futures_unordered() {
    // In the origin this set is never woken.
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let mut naps: FuturesUnordered<_> = [600u64, 200, 400]
            .into_iter()
            .map(|ms| cx.sleep(Duration::from_millis(ms)).map(move |()| ms))
            .collect();
        while let Some(ms) = naps.next().await {
            assert_eq!(cx.now(), Instant::from_millis(ms));
            log.push(ms);
        }
        Ok(())
    }));
    simulation.advance(Duration::from_secs(1));
    assert_eq!(seen.take(), ["200", "400", "600"]);
}

fn join_shared_streams() {
    let mut simulation = Simulation::new();
    let (sender, receiver) = bounded::<u32>(8);
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let shared = cx.sleep(Duration::from_secs(2)).shared();
        let ticks = cx.interval(Duration::from_secs(1)).take(2).count();
        let values = receiver.map(|n| n * 10).collect::<Vec<_>>();
        let (_, _, ticks, values) = futures::join!(shared.clone(), shared, ticks, values);
        log.push(format!("{ticks} {values:?}"));
        Ok(())
    }));
    simulation.settle();
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    simulation.advance(Duration::from_secs(2));
    drop(sender);
    simulation.settle();
    assert_eq!(seen.take(), ["2 [10, 20]"]);
}

/// A clock of which each look takes a millisecond.
#[derive(Default)]
struct Looks(Cell<u64>);

impl Clock for Looks {
    fn clocks(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
    fn frequency(&self) -> u64 {
        1_000
    }
}

fn yielding() {
    let mut simulation = Simulation::new();
    simulation.scheduler().set_clock(Box::<Looks>::default());
    let seen = Seen::default();
    for name in ["a", "b"] {
        let log = seen.clone();
        simulation.scheduler().start_process(node(async move |cx| {
            let mut chunks = cx.chunks(Duration::from_millis(3));
            for piece in 0..6 {
                log.push(format!("{name}{piece}"));
                chunks.step().await;
            }
            Ok(())
        }));
    }
    simulation.settle();
    let order = seen.take();
    assert_eq!(order.len(), 12);
    let a5 = order.iter().position(|line| line == "a5").unwrap();
    let b0 = order.iter().position(|line| line == "b0").unwrap();
    assert!(0 < b0 && b0 < a5, "{order:?}");
}

fn blocking() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        log.push(format!("{:?}", cx.offload(|| 1).await));
        Ok(())
    }));
    simulation.settle();
    assert_eq!(seen.take(), ["Err(HostHasNoThreads)"]);

    let threads = Offload::new(|job| {
        std::thread::spawn(job);
        Ok(())
    });
    simulation.scheduler().extensions().insert(threads);
    let log = seen.clone();
    let (_, status) = simulation.scheduler().start_process(node(async move |cx| {
        let here = std::thread::current().id();
        let elsewhere = cx.offload(move || std::thread::current().id() != here);
        log.push(elsewhere.await?);
        let bad = cx.offload(|| std::panic::resume_unwind(Box::new("no such disk".to_owned())));
        let bad: Result<(), OffloadError> = bad.await;
        log.push(bad.unwrap_err());
        Ok(())
    }));
    while status.state() != ProcessState::Finished {
        simulation.settle();
        std::thread::yield_now();
    }
    assert_eq!(seen.take(), ["true", "the work panicked: no such disk"]);
}

fn extensions() {
    struct Greeting(&'static str);
    let mut simulation = Simulation::new();
    simulation
        .scheduler()
        .extensions()
        .insert(Greeting("hello"));
    let seen = Seen::default();
    let log = seen.clone();
    simulation.scheduler().start_process(node(async move |cx| {
        let greeting = cx.extension::<Greeting>().ok_or("not here")?;
        cx.sleep(Duration::from_secs(1)).await;
        log.push(greeting.0);
        log.push(cx.extension::<Extensions>().is_none());
        Ok(())
    }));
    simulation.advance(Duration::from_secs(1));
    assert_eq!(seen.take(), ["hello", "true"]);
}

fn completion() {
    let mut simulation = Simulation::new();
    let starts = Rc::new(Cell::new(0));
    let count = starts.clone();
    let (id, status) = simulation
        .scheduler()
        .add_process(Restart::OnFailure, move || {
            count.set(count.get() + 1);
            node(async |_| Ok(()))
        });
    let waker = simulation.scheduler().waker(id);
    simulation.settle();
    waker.wake();
    simulation.advance(Duration::from_secs(100));
    assert_eq!(starts.get(), 1);
    assert_eq!(status.state(), ProcessState::Finished);
}

fn restart() {
    let mut simulation = Simulation::new();
    let starts = Rc::new(RefCell::new(Vec::new()));
    let note = starts.clone();
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
    simulation
        .scheduler()
        .add_process(Restart::AfterBackoff(backoff), move || {
            let note = note.clone();
            node(async move |cx| {
                note.borrow_mut().push(cx.now().as_nanos() / 1_000_000_000);
                Err("the tap is gone".into())
            })
        });
    simulation.advance(Duration::from_secs(12));
    assert_eq!(*starts.borrow(), [0, 1, 3, 7, 11]);
}

fn panics() {
    let mut simulation = Simulation::new();
    let (bad_in, mut bad) = bounded::<u8>(1);
    let (good_in, mut good) = bounded::<u8>(1);
    let (_, failing) = simulation.scheduler().start_process(node(async move |_| {
        bad.recv().await;
        std::panic::resume_unwind(Box::new("as asked"))
    }));
    let (_, other) = simulation.scheduler().start_process(node(async move |_| {
        while good.recv().await.is_some() {}
        Ok(())
    }));
    bad_in.try_send(1).unwrap();
    good_in.try_send(1).unwrap();
    simulation.settle();
    assert_eq!(failing.last_exit(), Some(Exit::Panicked("as asked".into())));
    assert!(bad_in.is_closed(), "its locals are dropped");
    assert_eq!(other.state(), ProcessState::Waiting);
    assert_eq!(simulation.scheduler().take_failures().len(), 1);
}

struct Bell(Seen, &'static str);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}

fn shutdown() {
    let mut simulation = Simulation::new();
    let seen = Seen::default();
    let (polite, stubborn) = (seen.clone(), seen.clone());
    simulation.scheduler().start_process(node(async move |cx| {
        let _bell = Bell(polite.clone(), "polite is dropped");
        cx.stopping().await;
        cx.sleep(Duration::from_secs(1)).await;
        polite.push("goodbye");
        Ok(())
    }));
    simulation.scheduler().start_process(node(async move |_| {
        let _bell = Bell(stubborn, "stubborn is dropped");
        std::future::pending().await
    }));
    simulation.settle();
    let now = simulation.now();
    simulation.scheduler().shutdown(now);
    simulation.advance(Duration::from_secs(2)); // the grace period
    assert_eq!(seen.take(), ["goodbye", "polite is dropped"]);
    drop(simulation);
    assert_eq!(seen.take(), ["stubborn is dropped"]);
}

fn watchdog() {
    let mut simulation = Simulation::new();
    simulation.scheduler().set_clock(Box::<Looks>::default());
    simulation
        .scheduler()
        .set_slow_limit(Some(Duration::from_millis(10)));
    let line = line!() + 1;
    simulation.scheduler().start_process(node(async |cx| {
        let chunks = cx.chunks(Duration::from_millis(20));
        while !chunks.is_used() {} // forgets to rest
        cx.sleep(Duration::from_secs(1)).await;
        Ok(())
    }));
    simulation.advance(Duration::from_secs(2));
    let slow = simulation.scheduler().take_slow_calls();
    assert_eq!(slow.len(), 1, "{slow:?}");
    let text = slow[0].to_string();
    assert!(text.starts_with("scripted (registered at "), "{text}");
    assert!(slow[0].took >= Duration::from_millis(20), "{text}");
    let place = slow[0].registered;
    assert!(place.file().ends_with("capabilities.rs"), "{text}");
    assert!((line..line + 4).contains(&place.line()), "{text}");
}

fn virtual_time() {
    let run = |seed| {
        let mut simulation = Simulation::seeded(seed);
        let seen = Seen::default();
        for n in 0..6 {
            let log = seen.clone();
            simulation.scheduler().start_process(node(async move |cx| {
                cx.sleep(Duration::from_secs(3600)).await;
                log.push(n);
                Ok(())
            }));
        }
        simulation.advance(Duration::from_secs(3600));
        seen.take()
    };
    assert_eq!(run(7), run(7), "the same seed, the same order");
    assert!((0..20).any(|seed| run(seed) != run(7)), "others differ");
}
