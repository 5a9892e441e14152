//! Groups, kinds and stacks: no thread, no clock.

use std::{collections::VecDeque, time::Duration};

use super::{Group, GroupOutput, Joint, Layer, MemberId, Stack};
use crate::{Instant, Machine};

/// Answers `n` with `n` outputs; beats when told to; ends by itself after a goodbye.
#[derive(Default)]
struct Counter {
    outputs: VecDeque<u32>,
    beat: Option<(Instant, Duration)>,
    beats: u32,
    leaving: bool,
}

impl Counter {
    fn beating(first: Instant, period: Duration) -> Self {
        Self {
            beat: Some((first, period)),
            ..Self::default()
        }
    }
}

impl Machine for Counter {
    type Input<'a> = u32;
    type Output = u32;
    fn handle_input(&mut self, _: Instant, input: u32) {
        assert!(self.outputs.is_empty(), "drained before an input");
        self.outputs.extend(0..input);
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.beats += 1;
        self.beat = self.beat.map(|(_, period)| (now + period, period));
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
        self.beat.map(|(at, _)| at)
    }
    fn is_finished(&self) -> bool {
        self.leaving && self.outputs.is_empty()
    }
}

fn drain<M: Machine>(machine: &mut M, now: Instant) -> Vec<M::Output> {
    std::iter::from_fn(|| machine.poll_output(now)).collect()
}

#[test]
fn i3_fairness_members_of_a_group_take_turns() {
    let (now, mut group) = (Instant::ZERO, Group::new());
    let ids: Vec<MemberId> = (0..3).map(|_| group.insert(Counter::default())).collect();
    for id in &ids {
        group.with(now, *id, |member| member.handle_input(now, 2));
    }
    let order: Vec<u32> = drain(&mut group, now)
        .into_iter()
        .map(|output| match output {
            GroupOutput::Output(id, _) => id.index(),
            GroupOutput::Finished(id) => panic!("{id:?} has finished"),
        })
        .collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn i9_no_stale_delivery_to_a_member_in_the_place_of_another() {
    let (now, mut group) = (Instant::ZERO, Group::new());
    let old = group.insert(Counter::default());
    assert!(group.remove(old).is_some() && group.remove(old).is_none());
    let new = group.insert(Counter::default());
    assert_eq!(old.index(), new.index());
    group.handle_input(now, (old, 3));
    assert_eq!((drain(&mut group, now), group.stale_inputs()), (vec![], 1));
    group.handle_input(now, (new, 1));
    assert_eq!(drain(&mut group, now), [GroupOutput::Output(new, 0)]);
}

#[test]
fn a_group_tells_the_earliest_deadline_and_serves_one_member_a_call() {
    let (second, mut group) = (Duration::from_secs(1), Group::new());
    let beating = |n: u64| Counter::beating(Instant::from_secs(n), second);
    let ids: Vec<MemberId> = [5, 1, 1].map(|n| group.insert(beating(n))).into();
    let beats = |group: &Group<Counter>| -> Vec<u32> {
        ids.iter().map(|id| group.get(*id).unwrap().beats).collect()
    };
    let now = Instant::from_secs(1);
    assert_eq!(group.poll_timeout(), Some(now));
    group.handle_timeout(now);
    assert_eq!(beats(&group), [0, 1, 0]);
    assert_eq!(group.poll_timeout(), Some(now), "another one is due");
    group.handle_timeout(now);
    assert_eq!(beats(&group), [0, 1, 1]);
    assert_eq!(group.poll_timeout(), Some(Instant::from_secs(2)));
    group.handle_timeout(now);
    assert_eq!(beats(&group), [0, 1, 1], "nothing is due");
    group.remove(ids[1]);
    group.remove(ids[2]);
    assert_eq!(group.poll_timeout(), Some(Instant::from_secs(5)));
}

#[test]
fn i3_fairness_a_member_that_stays_overdue_does_not_starve_the_others() {
    let mut group = Group::new();
    group.insert(Counter::beating(Instant::ZERO, Duration::ZERO));
    let other = group.insert(Counter::beating(
        Instant::from_secs(1),
        Duration::from_secs(1),
    ));
    for _ in 0..3 {
        group.handle_timeout(Instant::from_secs(2));
    }
    assert_eq!(group.get(other).unwrap().beats, 1);
}

#[test]
fn a_group_says_goodbye_for_each_member_and_finishes_with_the_last() {
    let (now, mut group) = (Instant::ZERO, Group::new());
    let ids = [0, 1].map(|_| group.insert(Counter::default()));
    group.handle_shutdown(now);
    assert!(!group.is_finished());
    let said = drain(&mut group, now);
    for id in ids {
        assert!(said.contains(&GroupOutput::Output(id, 99)));
        assert!(said.contains(&GroupOutput::Finished(id)));
    }
    assert!(group.is_finished() && group.is_empty() && said.len() == 4);
}

/// Kinds in one group.
#[derive(Machine)]
enum Kind {
    Plain(Counter),
    Boxed(Box<Counter>),
}

#[test]
fn kinds_live_in_one_group() {
    let (now, mut group) = (Instant::ZERO, Group::new());
    let plain = group.insert(Kind::Plain(Counter::default()));
    let boxed = group.insert(Kind::Boxed(Box::new(Counter::beating(
        Instant::from_secs(1),
        Duration::from_secs(1),
    ))));
    group.handle_input(now, (plain, 1));
    assert_eq!(drain(&mut group, now), [GroupOutput::Output(plain, 0)]);
    assert_eq!(group.poll_timeout(), Some(Instant::from_secs(1)));
    group.handle_timeout(Instant::from_secs(1));
    assert_eq!(group.poll_timeout(), Some(Instant::from_secs(2)));
    group.handle_shutdown(now);
    assert_eq!(drain(&mut group, now).len(), 4);
    assert!(group.get(boxed).is_none() && group.is_finished());
}

/// Even numbers cross to the other layer as half of it; odd ones leave the stack.
struct Halves;

impl Joint<Counter, Counter> for Halves {
    type Output = Layer<u32, u32>;
    fn rise(&mut self, output: u32, up: impl FnOnce(u32)) -> Option<Layer<u32, u32>> {
        if output % 2 == 1 {
            return Some(Layer::Lower(output));
        }
        up(output / 2);
        None
    }
    fn sink(&mut self, output: u32, down: impl FnOnce(u32)) -> Option<Layer<u32, u32>> {
        if output % 2 == 1 {
            return Some(Layer::Upper(output));
        }
        down(output / 2);
        None
    }
}

#[test]
fn each_layer_of_a_stack_is_drained_before_its_input() {
    let now = Instant::ZERO;
    let mut stack = Stack::new(Counter::default(), Counter::default(), Halves);
    // `Counter` itself asserts the order, whichever layer starts and however much goes across.
    for (n, left) in [(2, 1), (6, 4), (40, 40)] {
        stack.handle_input(now, Layer::Lower(n));
        assert!(drain(&mut stack, now).len() >= left);
        stack.handle_input(now, Layer::Upper(n));
        assert!(drain(&mut stack, now).len() >= left);
    }
}

#[test]
fn a_stack_ends_from_the_top_and_tells_the_top_of_an_end_below() {
    let now = Instant::ZERO;
    let mut stack = Stack::new(Counter::default(), Counter::default(), Halves);
    stack.handle_shutdown(now);
    assert_eq!(drain(&mut stack, now), [Layer::Upper(99), Layer::Lower(99)]);
    assert!(stack.is_finished());

    let lost = Counter {
        leaving: true,
        ..Counter::default()
    };
    let mut stack = Stack::new(Counter::default(), lost, Halves);
    let said = drain(&mut stack, now);
    assert!(said.contains(&Layer::Upper(99)), "{said:?}");
    assert!(stack.is_finished());
}

#[test]
fn a_stack_keeps_the_time_of_both_layers() {
    let second = Duration::from_secs(1);
    let upper = Counter::beating(Instant::from_secs(3), second);
    let lower = Counter::beating(Instant::from_secs(2), second);
    let mut stack = Stack::new(upper, lower, Halves);
    assert_eq!(stack.poll_timeout(), Some(Instant::from_secs(2)));
    stack.handle_timeout(Instant::from_secs(2));
    assert_eq!((stack.upper().beats, stack.lower().beats), (0, 1));
    stack.handle_timeout(Instant::from_secs(3));
    assert_eq!((stack.upper().beats, stack.lower().beats), (1, 2));
}

#[test]
fn i4_backpressure_a_group_asks_for_nothing_while_its_outputs_wait() {
    use super::{Driver, Ports, PushOutput};
    use crate::{
        handoff::{Pull, Push, PushError, handoff},
        testing::Simulation,
    };
    struct Edge(Pull<(MemberId, u32)>, Push<GroupOutput<u32>>);
    impl Ports<Group<Counter>> for Edge {
        fn next_input(&mut self, give: impl FnOnce((MemberId, u32))) -> bool {
            self.0.pop().map(give).is_some()
        }
        fn push(&mut self, output: GroupOutput<u32>) -> PushOutput<GroupOutput<u32>> {
            match self.1.push(output) {
                Ok(()) => PushOutput::Pushed,
                Err(PushError::Full(output)) => PushOutput::Blocked(output),
                Err(PushError::Closed(_)) => PushOutput::Closed,
            }
        }
        fn register(&mut self, waker: &std::task::Waker) {
            self.0.on_items(waker);
            self.1.on_credit(waker);
        }
    }
    let mut group = Group::new();
    let id = group.insert(Counter::default());
    let (mut inputs, input) = handoff(8);
    let (output, mut outputs) = handoff(4);
    let mut simulation = Simulation::new();
    simulation
        .scheduler()
        .add(Driver::new(group, Edge(input, output)));
    (0..8).for_each(|_| inputs.push((id, 5)).unwrap());
    simulation.settle();
    assert_eq!(
        inputs.credit(),
        1,
        "one input was taken, four of its outputs are out"
    );
    let mut all = Vec::new();
    while outputs.take(&mut all, 4) > 0 {
        simulation.settle();
    }
    assert_eq!(all.len(), 40);
}
