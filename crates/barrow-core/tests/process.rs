//! Process nodes on virtual time: waiting, restarting, stopping, listing.

use std::{cell::RefCell, ffi::CStr, rc::Rc, time::Duration};

use barrow_core::{
    Backoff, ErrorCounters, Exit, Instant, NextNodes, NoErrors, NoNext, ProcessContext,
    ProcessError, ProcessNode, ProcessState, Restart,
    channel::{Receiver, bounded},
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
    #[error_counter(description = "events seen", severity = INFO)]
    Events,
    #[error_counter(name = "naps", description = "naps taken", severity = CRITICAL)]
    Naps,
}

#[derive(Debug)]
enum Event {
    Enable,
    Nap(u64),
    Panic,
    Quit,
}

/// The example of the blueprint: events, and naps that run side by side.
struct Example {
    events: Receiver<Event>,
    naps: Rc<RefCell<Vec<(u64, Instant)>>>,
}

impl ProcessNode for Example {
    const NAME: &'static CStr = c"example-process";
    type NextNodes = Next;
    type Errors = Errors;

    async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let mut naps = FuturesUnordered::new();
        loop {
            futures::select! {
                event = self.events.recv().fuse() => match event {
                    Some(Event::Enable) => cx.count(Errors::Events, 1),
                    Some(Event::Nap(ms)) => {
                        let cx = cx.clone();
                        naps.push(async move {
                            cx.sleep(Duration::from_millis(ms)).await;
                            ms
                        });
                    }
                    Some(Event::Panic) => panic!("as asked"),
                    Some(Event::Quit) | None => return Ok(()),
                },
                ms = naps.select_next_some() => {
                    self.naps.borrow_mut().push((ms, cx.now()));
                    cx.count(Errors::Naps, 1);
                }
            }
        }
    }
}

#[test]
fn naps_in_a_set_of_futures_end_at_their_own_instants() {
    let mut simulation = Simulation::new();
    let (sender, events) = bounded(16);
    let naps = Rc::default();
    let node = Example {
        events,
        naps: Rc::clone(&naps),
    };
    let (_, status) = simulation.scheduler().start_process(node);
    for ms in [60_000, 10, 3_000, 4_000, 10_000] {
        sender.try_send(Event::Nap(ms)).unwrap();
    }
    sender.try_send(Event::Enable).unwrap();
    simulation.advance(Duration::from_secs(100));
    let expected = [10, 3_000, 4_000, 10_000, 60_000].map(|ms| (ms, Instant::from_millis(ms)));
    assert_eq!(*naps.borrow(), expected);
    let counters: Vec<_> = status
        .counters()
        .map(|(c, value)| (c.name, value))
        .collect();
    assert_eq!(counters, [(c"events", 1), (c"naps", 5)]);
    assert_eq!(
        (status.state(), Next::NAMES),
        (ProcessState::Waiting, [c"error-drop"].as_slice())
    );
    assert_eq!(Next::Drop.slot(), 0);
    sender.try_send(Event::Quit).unwrap();
    simulation.settle();
    assert_eq!(status.state(), ProcessState::Finished);
    assert!(sender.is_closed(), "its locals are gone with its future");
}

#[test]
fn a_node_that_panics_without_restart_is_a_listed_failure() {
    let mut simulation = Simulation::new();
    let (sender, events) = bounded(16);
    let (id, status) = simulation.scheduler().start_process(Example {
        events,
        naps: Rc::default(),
    });
    sender.try_send(Event::Panic).unwrap();
    simulation.settle();
    assert_eq!(status.last_exit(), Some(Exit::Panicked("as asked".into())));
    assert_eq!(status.state(), ProcessState::Failed);
    let failures = simulation.scheduler().take_failures();
    assert_eq!(
        (failures[0].id, &*failures[0].name),
        (id, "example-process")
    );
}

/// Fails after a while.
#[process_node(name = "failing")]
async fn failing(
    cx: ProcessContext<Failing>,
    starts: Rc<RefCell<Vec<Instant>>>,
    /// How long it lives.
    life: Duration,
) -> Result<(), ProcessError> {
    starts.borrow_mut().push(cx.now());
    cx.sleep(life).await;
    Err("the tap is gone")?;
    Ok(())
}

fn starts_of(restart: Restart, life: Duration) -> (Vec<Duration>, Exit) {
    let mut simulation = Simulation::new();
    let starts: Rc<RefCell<Vec<Instant>>> = Rc::default();
    let shared = starts.clone();
    let (_, status) = simulation
        .scheduler()
        .add_process(restart, move || Failing {
            starts: shared.clone(),
            life,
        });
    simulation.advance(Duration::from_secs(60));
    let failures = simulation.scheduler().take_failures();
    assert!(
        failures
            .iter()
            .all(|f| f.exit == Exit::Failed("the tap is gone".into()))
    );
    assert!(
        !failures.is_empty(),
        "failures are told also of a node that is started again"
    );
    let starts = starts.borrow();
    assert_eq!(status.starts(), starts.len() as u64);
    let gaps = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    (gaps, status.last_exit().expect("it has failed"))
}

#[test]
fn restarts_follow_their_policy() {
    let second = Duration::from_secs(1);
    let (gaps, exit) = starts_of(Restart::Never, second);
    assert_eq!(
        (gaps.len(), exit),
        (0, Exit::Failed("the tap is gone".into()))
    );

    let (gaps, _) = starts_of(Restart::OnFailure, second);
    assert!(gaps.len() == 60 && gaps.iter().all(|gap| *gap == second));

    let backoff = Backoff::new(second, 8 * second);
    let (gaps, _) = starts_of(Restart::AfterBackoff(backoff), Duration::ZERO);
    let seconds: Vec<_> = gaps.iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 8, 8, 8, 8, 8]);
}

#[test]
fn a_long_good_run_makes_the_next_back_off_short_again() {
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
    let (gaps, _) = starts_of(Restart::AfterBackoff(backoff), Duration::from_secs(5));
    assert!(
        gaps.iter().all(|gap| *gap == Duration::from_secs(6)),
        "{gaps:?}"
    );
}

struct Greeting(&'static str);

/// Answers what its host offers.
#[process_node(name = "asker", node = Asking)]
async fn asks(
    cx: ProcessContext<Asking>,
    answers: Rc<RefCell<Vec<Option<&'static str>>>>,
) -> Result<(), ProcessError> {
    answers
        .borrow_mut()
        .push(cx.extension::<Greeting>().map(|greeting| greeting.0));
    Ok(())
}

#[test]
fn an_extension_is_there_where_the_host_offers_it() {
    let mut simulation = Simulation::new();
    let answers: Rc<RefCell<Vec<_>>> = Rc::default();
    simulation.scheduler().start_process(Asking {
        answers: answers.clone(),
    });
    simulation.settle();
    simulation
        .scheduler()
        .extensions()
        .insert(Greeting("hello"));
    simulation.scheduler().start_process(Asking {
        answers: answers.clone(),
    });
    simulation.settle();
    assert_eq!(*answers.borrow(), [None, Some("hello")]);
}

/// Works until it is told to stop, then says goodbye.
#[process_node(name = "polite")]
async fn polite(
    cx: ProcessContext<Polite>,
    log: Rc<RefCell<Vec<&'static str>>>,
) -> Result<(), ProcessError> {
    let beats = async {
        let mut interval = cx.interval(Duration::from_secs(1));
        loop {
            interval.tick().await;
            log.borrow_mut().push("beat");
        }
    };
    futures::select! {
        () = beats.fuse() => {}
        () = cx.stopping().fuse() => log.borrow_mut().push("goodbye"),
    }
    Ok(())
}

#[test]
fn a_node_learns_that_its_host_stops() {
    let mut simulation = Simulation::new();
    let log: Rc<RefCell<Vec<_>>> = Rc::default();
    let (_, status) = simulation
        .scheduler()
        .start_process(Polite { log: log.clone() });
    let (_, failing) = simulation.scheduler().add_process(
        Restart::AfterBackoff(Backoff::new(
            Duration::from_secs(100),
            Duration::from_secs(100),
        )),
        || Failing {
            starts: Rc::default(),
            life: Duration::ZERO,
        },
    );
    simulation.advance(Duration::from_secs(2));
    let now = simulation.now();
    simulation.scheduler().shutdown(now);
    assert_eq!(simulation.settle(), None);
    assert_eq!(*log.borrow(), ["beat", "beat", "goodbye"]);
    assert_eq!(status.state(), ProcessState::Finished);
    assert_eq!(
        failing.starts(),
        1,
        "a host that stops starts nothing again"
    );
    assert!(simulation.scheduler().units().is_empty());
}

/// Computes for long.
#[process_node(name = "busy")]
async fn busy(
    cx: ProcessContext<Busy>,
    log: Rc<RefCell<Vec<u32>>>,
    number: u32,
) -> Result<(), ProcessError> {
    for _ in 0..3 {
        log.borrow_mut().push(number);
        cx.yield_now().await;
    }
    Ok(())
}

#[test]
fn a_node_that_yields_lets_the_others_run_first() {
    let mut simulation = Simulation::new();
    let log: Rc<RefCell<Vec<_>>> = Rc::default();
    for number in 0..3 {
        simulation.scheduler().start_process(Busy {
            log: log.clone(),
            number,
        });
    }
    simulation.settle();
    assert_eq!(*log.borrow(), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

struct Hasty;

impl ProcessNode for Hasty {
    const NAME: &'static CStr = c"hasty";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let never = cx.timeout(Duration::from_secs(3), std::future::pending::<()>());
        assert!(never.await.is_err());
        assert_eq!(cx.now(), Instant::from_secs(3));
        let quick = cx.timeout(Duration::from_secs(3), async { 5 });
        assert_eq!(quick.await?, 5);
        cx.sleep(Duration::ZERO).await;
        assert_eq!(
            cx.now(),
            Instant::from_secs(3),
            "a sleep of nothing does not wait"
        );
        std::future::pending().await
    }
}

#[test]
fn a_time_limit_ends_what_takes_longer_and_a_removed_node_is_listed_as_such() {
    let mut simulation = Simulation::new();
    let (id, status) = simulation.scheduler().start_process(Hasty);
    simulation.advance(Duration::from_secs(5));
    assert_eq!(
        status.state(),
        ProcessState::Waiting,
        "{:?}",
        status.last_exit()
    );
    simulation.scheduler().remove(id);
    assert_eq!(status.state(), ProcessState::Removed);
}
