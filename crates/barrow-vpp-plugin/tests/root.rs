//! The root and the example's node on a host that has VPP's habits.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::channel::{Sender, bounded};
use barrow_core::{
    Extensions, Instant, NoErrors, NoNext, OffloadError, ProcessContext, ProcessError, ProcessNode,
    ProcessState, ProcessStatus, Restart, Scheduler, process_node,
};
use barrow_vpp_plugin::testing::{VppDouble, VppProcess};
use barrow_vpp_plugin::{Deltas, RootBell, root};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use process_node::node::{BACKLOG, Counter, Event, NAME, Napper};

/// A VPP with one process that hosts nodes, as the macro sets it up.
struct Vpp {
    host: VppDouble,
    process: VppProcess,
}

impl Vpp {
    fn new(host: VppDouble, setup: impl FnOnce(&mut Scheduler)) -> Self {
        Self::counting(host, setup, |_| {})
    }

    fn counting(
        host: VppDouble,
        setup: impl FnOnce(&mut Scheduler),
        after_turn: impl FnMut(&mut Scheduler) + 'static,
    ) -> Self {
        let bell = RootBell::default();
        let mut scheduler = Scheduler::new(bell.clone(), Extensions::new());
        setup(&mut scheduler);
        let process = host.start(root(host.clone(), bell, scheduler, after_turn));
        Self { host, process }
    }
}

/// The example's node, the way into its inbox, and its status.
fn napper(scheduler: &mut Scheduler) -> (Sender<Event>, ProcessStatus) {
    let events = scheduler.spawner().inbox::<Event>(NAME, BACKLOG).unwrap();
    let (_, status) = scheduler.add_process(Restart::OnFailure, || Napper {});
    (events, status)
}

/// Notes when it wakes.
#[process_node(name = "clockwork")]
async fn clockwork(
    cx: ProcessContext<Clockwork>,
    naps: Vec<Duration>,
    woke: Rc<RefCell<Vec<(Duration, Duration)>>>,
) -> Result<(), ProcessError> {
    for nap in naps {
        let before = cx.now();
        cx.sleep(nap).await;
        woke.borrow_mut().push((nap, cx.now() - before));
    }
    Ok(())
}

#[test]
fn sleeps_of_every_length_at_every_phase_are_neither_early_nor_lost() {
    let naps = [
        1, 3, 10, 999, 1_000, 1_001, 2_500, 3_000, 4_000, 10_000, 60_000, 3_600_000,
    ];
    for phase in [0, 1, 250, 499, 500, 501, 999] {
        let host = VppDouble::new();
        host.shift(Duration::from_micros(phase));
        let woke: Rc<RefCell<Vec<_>>> = Rc::default();
        let node = Clockwork {
            naps: naps.map(Duration::from_millis).to_vec(),
            woke: woke.clone(),
        };
        let mut vpp = Vpp::new(host, |scheduler| {
            scheduler.start_process(node);
        });
        vpp.process.advance(Duration::from_secs(4_000));
        assert_eq!(woke.borrow().len(), naps.len());
        for (nap, took) in woke.borrow().iter() {
            assert!(took >= nap, "{took:?} for {nap:?} is early");
            assert!(
                *took <= *nap + Duration::from_millis(3),
                "{took:?} for {nap:?} is late"
            );
        }
        assert_eq!(
            vpp.host.lost_timers(),
            0,
            "none was longer than the host can"
        );
    }
}

#[test]
fn the_example_runs_as_on_barrow() {
    let mut handles = None;
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        handles = Some(napper(scheduler));
    });
    let (events, status) = handles.unwrap();
    for ms in [60_000, 10, 3_000, 4_000] {
        events
            .try_send(Event::Nap(Duration::from_millis(ms)))
            .unwrap();
    }
    vpp.process.advance(Duration::from_millis(3_500));
    assert_eq!(status.counter(Counter::Naps as usize), 2);
    vpp.process.advance(Duration::from_secs(57));
    assert_eq!(status.counter(Counter::Naps as usize), 4);
    assert_eq!(status.counter(Counter::Overslept as usize), 0);
    events.try_send(Event::Panic).unwrap();
    events.try_send(Event::Tick).unwrap();
    vpp.process.advance(Duration::from_secs(1));
    assert_eq!(
        (status.starts(), status.counter(Counter::Events as usize)),
        (2, 6)
    );
    events.try_send(Event::Quit).unwrap();
    vpp.process.advance(Duration::from_secs(1));
    assert_eq!(status.state(), ProcessState::Finished);
}

#[test]
fn a_thousand_events_of_one_command_are_one_call() {
    let mut handles = None;
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        handles = Some(napper(scheduler));
    });
    let (events, status) = handles.unwrap();
    let before = vpp.process.calls();
    for _ in 0..1_000 {
        events.try_send(Event::Tick).unwrap();
    }
    assert_eq!(vpp.process.calls() - before, 1);
    vpp.process.advance(Duration::from_secs(1));
    assert_eq!(status.counter(Counter::Events as usize), 1_000);
}

#[test]
fn events_of_another_thread_all_arrive_with_at_most_a_call_a_poll() {
    let mut handles = None;
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        handles = Some(napper(scheduler));
    });
    let (events, status) = handles.unwrap();
    let thread = std::thread::spawn(move || {
        for _ in 0..100_000 {
            while events.try_send(Event::Tick).is_err() {
                std::thread::yield_now();
            }
        }
    });
    while status.counter(Counter::Events as usize) < 100_000 {
        vpp.process.advance(Duration::from_millis(10));
        std::thread::yield_now();
    }
    thread.join().unwrap();
    assert!(vpp.process.calls() <= vpp.process.polls() + 1);
}

#[test]
fn counters_are_passed_on_once() {
    let mut handles = None;
    let host = VppDouble::new();
    let counted: Rc<RefCell<[u64; 4]>> = Rc::default();
    let (bell, total) = (RootBell::default(), counted.clone());
    let mut scheduler = Scheduler::new(bell.clone(), Extensions::new());
    let (events, status) = handles.insert(napper(&mut scheduler)).clone();
    let mut deltas = Deltas::default();
    let after_turn = move |_: &mut Scheduler| {
        deltas.take(&status, |slot, by| total.borrow_mut()[slot as usize] += by);
    };
    let mut process = host.start(root(host.clone(), bell, scheduler, after_turn));
    for _ in 0..7 {
        events.try_send(Event::Tick).unwrap();
        process.advance(Duration::from_millis(20));
    }
    events.try_send(Event::Panic).unwrap();
    process.advance(Duration::from_secs(3));
    assert_eq!(*counted.borrow(), [8, 0, 0, 1]);
}

/// What VPP's host cannot give.
struct Asks(Rc<RefCell<Vec<String>>>);

impl ProcessNode for Asks {
    const NAME: &'static std::ffi::CStr = c"asks";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let blocking: Result<(), OffloadError> = cx.offload(|| ()).await;
        self.0.borrow_mut().push(format!("{blocking:?}"));
        Ok(())
    }
}

#[test]
fn what_the_host_cannot_give_is_a_typed_answer() {
    let answers: Rc<RefCell<Vec<_>>> = Rc::default();
    let node = Asks(answers.clone());
    let _vpp = Vpp::new(VppDouble::new(), |scheduler| {
        scheduler.start_process(node);
    });
    assert_eq!(*answers.borrow(), ["Err(HostHasNoThreads)"]);
}

/// Waits in every way at once.
#[process_node(name = "juggler")]
async fn juggler(
    cx: ProcessContext<Juggler>,
    mut events: barrow_core::channel::Receiver<u64>,
    log: Rc<RefCell<Vec<String>>>,
) -> Result<(), ProcessError> {
    let mut naps = FuturesUnordered::new();
    let shared = cx.sleep(Duration::from_secs(5)).shared();
    let mut both = Box::pin(futures::future::join(shared.clone(), shared).fuse());
    loop {
        futures::select! {
            ms = events.select_next_some() => {
                naps.push(cx.sleep(Duration::from_millis(ms)).map(move |()| ms));
            }
            ms = naps.select_next_some() => log.borrow_mut().push(format!("nap {ms}")),
            _ = both => log.borrow_mut().push("both".into()),
            complete => return Ok(()),
        }
    }
}

#[test]
fn every_combinator_wakes() {
    let (sender, events) = bounded(8);
    let log: Rc<RefCell<Vec<_>>> = Rc::default();
    let node = Juggler {
        events,
        log: log.clone(),
    };
    let mut status = None;
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        status = Some(scheduler.start_process(node).1);
    });
    for ms in [600, 200, 400] {
        sender.try_send(ms).unwrap();
    }
    vpp.process.advance(Duration::from_secs(6));
    assert_eq!(*log.borrow(), ["nap 200", "nap 400", "nap 600", "both"]);
    drop(sender); // closing wakes
    vpp.process.advance(Duration::from_millis(20));
    assert_eq!(status.unwrap().state(), ProcessState::Finished);
}

/// Never rests.
#[process_node(name = "greedy")]
async fn greedy(cx: ProcessContext<Greedy>) -> Result<(), ProcessError> {
    loop {
        cx.yield_now().await;
    }
}

#[test]
fn a_node_that_never_rests_leaves_time_for_the_host() {
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        scheduler.start_process(Greedy {});
    });
    vpp.process.advance(Duration::from_secs(1));
    // Each poll ended, and each was asked for anew.
    let (polls, calls) = (vpp.process.polls(), vpp.process.calls());
    assert!(
        (50..=2_000).contains(&polls) && calls <= polls,
        "{polls} {calls}"
    );
}

#[test]
fn an_idle_root_wakes_once_a_second_and_an_end_drops_what_waits() {
    let (sender, events) = bounded::<u64>(1);
    let node = Juggler {
        events,
        log: Rc::default(),
    };
    let mut vpp = Vpp::new(VppDouble::new(), |scheduler| {
        scheduler.start_process(node);
    });
    vpp.process.advance(Duration::from_secs(100));
    assert!(vpp.process.polls() < 120, "{}", vpp.process.polls());
    assert_eq!(vpp.process.calls(), 0);
    assert_eq!(vpp.host.time(), Instant::from_secs(100));
    drop(vpp);
    assert!(sender.is_closed());
}
