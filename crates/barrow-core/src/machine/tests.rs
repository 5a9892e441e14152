//! The driver's order of calls.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, task::Waker, time::Duration};

use super::{Driver, Machine, Ports, PushOutput};
use crate::{
    Instant, Unit, UnitContext, Work,
    handoff::{Pull, Push, PushError, handoff},
    testing::Simulation,
};

type Log = Rc<RefCell<Vec<String>>>;

/// Answers each input with so many outputs, says goodbye, beats once a second.
struct Echo {
    log: Log,
    outputs: VecDeque<u32>,
    beat: Option<Instant>,
    leaving: bool,
}

impl Machine for Echo {
    type Input<'a> = u32;
    type Output = u32;

    fn handle_input(&mut self, _: Instant, input: u32) {
        assert!(
            self.outputs.is_empty(),
            "outputs are drained before an input"
        );
        self.log.borrow_mut().push(format!("in {input}"));
        self.outputs.extend(0..input);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.log.borrow_mut().push(format!("beat {now}"));
        self.beat = self.beat.map(|_| now + Duration::from_secs(1));
    }

    fn handle_shutdown(&mut self, _: Instant) {
        self.leaving = true;
        self.beat = None;
        self.outputs.push_back(99);
    }

    fn poll_output(&mut self, _: Instant) -> Option<u32> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.beat
    }

    fn is_finished(&self) -> bool {
        self.leaving && self.outputs.is_empty()
    }
}

struct Edge(Pull<u32>, Push<u32>);

impl Ports<Echo> for Edge {
    fn next_input(&mut self, give: impl FnOnce(u32)) -> bool {
        self.0.pop().map(give).is_some()
    }

    fn push(&mut self, output: u32) -> PushOutput<u32> {
        match self.1.push(output) {
            Ok(()) => PushOutput::Pushed,
            Err(PushError::Full(output)) => PushOutput::Blocked(output),
            Err(PushError::Closed(_)) => PushOutput::Closed,
        }
    }

    fn register(&mut self, waker: &Waker) {
        self.0.on_items(waker);
        self.1.on_credit(waker);
    }
}

fn echo(room: usize, beat: Option<Instant>) -> (Driver<Echo, Edge>, Push<u32>, Pull<u32>, Log) {
    let log = Log::default();
    let (inputs, input) = handoff(16);
    let (output, outputs) = handoff(room);
    let echo = Echo {
        log: log.clone(),
        outputs: VecDeque::new(),
        beat,
        leaving: false,
    };
    (
        Driver::new(echo, Edge(input, output)).named("echo"),
        inputs,
        outputs,
        log,
    )
}

#[test]
fn a_blocked_machine_goes_on_exactly_where_it_stopped() {
    let (driver, mut inputs, mut outputs, _) = echo(2, None);
    let mut simulation = Simulation::new();
    let unit = simulation.scheduler().add(driver);
    inputs.push(5).unwrap();
    inputs.push(1).unwrap();
    let mut all = Vec::new();
    simulation.settle();
    let info = simulation.scheduler().unit(unit).unwrap();
    assert_eq!((info.last, &*info.name), (Some(Work::Blocked), "echo"));
    while outputs.take(&mut all, 1) > 0 {
        simulation.settle();
    }
    assert_eq!(all, [0, 1, 2, 3, 4, 0]);
}

#[test]
fn time_goes_on_while_outputs_wait_for_credit() {
    let (driver, mut inputs, outputs, log) = echo(1, Some(Instant::from_secs(1)));
    let mut simulation = Simulation::new();
    simulation.scheduler().add(driver);
    inputs.push(3).unwrap();
    simulation.advance(Duration::from_millis(2_500));
    assert_eq!(
        *log.borrow(),
        ["in 3", "beat 1.000000000s", "beat 2.000000000s"]
    );
    assert_eq!(outputs.len(), 1);
}

#[test]
fn i2_bounded_turn_outputs_count_against_the_quantum_too() {
    let (mut driver, mut inputs, outputs, _) = echo(1_000, None);
    inputs.push(500).unwrap();
    let mut cx = UnitContext {
        now: Instant::ZERO,
        quantum: 10,
        waker: Waker::noop(),
    };
    assert_eq!(driver.work(&mut cx), Work::More);
    assert_eq!((cx.quantum, outputs.len()), (0, 9));
}

#[test]
fn a_machine_whose_peer_is_gone_is_shut_down() {
    let (driver, mut inputs, outputs, _) = echo(4, None);
    let mut simulation = Simulation::new();
    simulation.scheduler().add(driver);
    drop(outputs);
    inputs.push(1).unwrap();
    simulation.settle();
    assert!(
        inputs.is_closed(),
        "the driver has ended and dropped its ports"
    );
}

#[test]
fn shutdown_says_goodbye_before_the_end() {
    let (driver, _inputs, mut outputs, _) = echo(4, None);
    let mut simulation = Simulation::new();
    simulation.scheduler().add(driver);
    simulation.settle();
    let now = simulation.now();
    simulation.scheduler().shutdown(now);
    simulation.settle();
    assert_eq!(outputs.pop(), Some(99));
    assert!(simulation.scheduler().units().is_empty());
}
