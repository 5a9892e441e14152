//! Two sessions face to face: bytes and instants.

use std::time::Duration;

use barrow_core::testing::{Faults, Pipe, Read};
use proptest::prelude::*;

use super::super::frame::Versions;
use super::super::status::Failure;
use super::*;

const T0: Instant = Instant::ZERO;

fn limits() -> Limits {
    Limits {
        max_frame: 1_000,
        max_calls: 4,
        ..Limits::default()
    }
}

/// Takes everything out: bytes together, events in order.
fn drain(session: &mut Session, now: Instant) -> (Vec<u8>, Vec<Event>) {
    let (mut bytes, mut events) = (Vec::new(), Vec::new());
    while let Some(output) = session.poll_output(now) {
        match output {
            Output::Bytes(more) => bytes.extend(more),
            Output::Event(event) => events.push(event),
        }
    }
    (bytes, events)
}

/// Two sessions without a wire between them: what one says the other hears at once.
struct Pair {
    now: Instant,
    sessions: [Session; 2],
    events: [Vec<Event>; 2],
}

impl Pair {
    fn new(limits: [Limits; 2]) -> Self {
        let mut pair = Self {
            now: T0,
            sessions: limits.map(|limits| Session::new(T0, limits)),
            events: [Vec::new(), Vec::new()],
        };
        pair.settle();
        pair
    }

    /// A pair that has greeted.
    fn open() -> Self {
        let mut pair = Self::new([limits(), limits()]);
        let ready = Event::Ready {
            version: 1,
            max_calls: 4,
        };
        assert_eq!(pair.take(), [vec![ready.clone()], vec![ready]]);
        pair
    }

    fn settle(&mut self) {
        for _ in 0..10 {
            for side in 0..2 {
                let (bytes, events) = drain(&mut self.sessions[side], self.now);
                self.events[side].extend(events);
                let other = &mut self.sessions[1 - side];
                if !bytes.is_empty() {
                    other.handle_input(self.now, Input::Bytes(&bytes));
                }
                let (bytes, events) = drain(other, self.now);
                self.events[1 - side].extend(events);
                if !bytes.is_empty() {
                    self.sessions[side].handle_input(self.now, Input::Bytes(&bytes));
                }
            }
        }
    }

    fn say(&mut self, side: usize, command: Command) {
        self.sessions[side].handle_input(self.now, Input::Command(command));
        self.settle();
    }

    fn call(&mut self, call: CallId, deadline: Option<Instant>, window: Option<u32>) {
        let (method, body) = ("m".to_owned(), vec![1, 2]);
        self.say(
            0,
            Command::Call {
                call,
                method,
                body,
                deadline,
                window,
            },
        );
    }

    fn wait_until(&mut self, now: Instant) {
        self.now = now;
        for session in &mut self.sessions {
            while session.poll_timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
        }
        self.settle();
    }

    fn take(&mut self) -> [Vec<Event>; 2] {
        std::mem::take(&mut self.events)
    }
}

fn called(call: CallId, deadline: Option<Instant>, window: Option<u32>) -> Event {
    Event::Called {
        call,
        method: "m".into(),
        body: vec![1, 2],
        deadline,
        window,
    }
}

fn closed(events: &[Event]) -> Option<CloseReason> {
    match events.last() {
        Some(Event::Closed { reason, .. }) => Some(reason.clone()),
        _ => None,
    }
}

#[test]
fn a_call_gets_its_reply() {
    let mut pair = Pair::open();
    pair.call(7, None, None);
    assert_eq!(pair.take(), [vec![], vec![called(7, None, None)]]);
    let body = vec![9];
    pair.say(1, Command::Reply { call: 7, body });
    let replied = Event::Replied {
        call: 7,
        body: vec![9],
    };
    assert_eq!(pair.take(), [vec![replied], vec![]]);
    assert_eq!(
        pair.sessions
            .each_ref()
            .map(|s| s.outgoing() + s.incoming()),
        [0, 0]
    );
}

#[test]
fn a_deadline_ends_the_call_on_both_sides_and_a_late_reply_is_stale() {
    let mut pair = Pair::open();
    let deadline = Instant::from_millis(50);
    pair.call(1, Some(deadline), None);
    assert_eq!(pair.sessions[0].poll_timeout(), Some(deadline));
    assert_eq!(
        pair.sessions[1].poll_timeout(),
        Some(deadline),
        "the time left travels"
    );
    pair.take();
    pair.wait_until(deadline);
    let failure = Code::DEADLINE.because("the deadline came first");
    let failed = Event::Failed { call: 1, failure };
    assert_eq!(
        pair.take(),
        [vec![failed], vec![Event::Dropped { call: 1 }]]
    );
    pair.say(
        1,
        Command::Reply {
            call: 1,
            body: vec![],
        },
    );
    assert_eq!(pair.take(), [vec![], vec![]]);
    assert!(pair.sessions[1].stats().stale >= 1);
    assert_eq!(pair.sessions[0].poll_timeout(), None);
}

#[test]
fn a_call_that_is_given_up_is_dropped_by_the_peer() {
    let mut pair = Pair::open();
    pair.call(1, Some(Instant::from_secs(9)), None);
    pair.take();
    pair.say(0, Command::Cancel { call: 1 });
    assert_eq!(pair.take(), [vec![], vec![Event::Dropped { call: 1 }]]);
    assert_eq!(
        pair.sessions.each_ref().map(|s| s.stats().cancelled),
        [1, 1]
    );
    assert_eq!(
        pair.sessions.each_ref().map(Machine::poll_timeout),
        [None, None]
    );
}

#[test]
fn i4_backpressure_a_stream_sends_as_many_items_as_were_granted() {
    let mut pair = Pair::open();
    pair.call(1, None, Some(2));
    assert_eq!(pair.take()[1], [called(1, None, Some(2))]);
    let item = |n| Command::Item {
        call: 1,
        body: vec![n],
    };
    (0..3).for_each(|n| pair.say(1, item(n)));
    assert_eq!(pair.take()[0].len(), 2);
    assert_eq!(
        pair.sessions[1].stats().misused,
        1,
        "an item without credit stays here"
    );
    pair.say(0, Command::Grant { call: 1, items: 5 });
    assert_eq!(pair.take()[1], [Event::Granted { call: 1, items: 5 }]);
    pair.say(1, item(3));
    pair.say(1, Command::Finish { call: 1 });
    let last = Event::Item {
        call: 1,
        body: vec![3],
    };
    assert_eq!(pair.take()[0], [last, Event::Finished { call: 1 }]);
}

#[test]
fn both_sides_may_call_with_the_same_numbers() {
    let mut pair = Pair::open();
    pair.call(1, None, None);
    pair.say(
        1,
        Command::Call {
            call: 1,
            method: "back".into(),
            body: vec![],
            deadline: None,
            window: None,
        },
    );
    pair.take();
    pair.say(
        0,
        Command::Reply {
            call: 1,
            body: vec![0],
        },
    );
    pair.say(
        1,
        Command::Reply {
            call: 1,
            body: vec![1],
        },
    );
    let replied = |n| Event::Replied {
        call: 1,
        body: vec![n],
    };
    assert_eq!(pair.take(), [vec![replied(1)], vec![replied(0)]]);
}

#[test]
fn peers_of_other_versions_part_with_a_reason_on_both_sides() {
    let version = |lowest, highest| Versions { lowest, highest };
    let of = |versions| Limits {
        versions,
        ..limits()
    };
    let mut pair = Pair::new([of(version(1, 2)), of(version(3, 4))]);
    let [ours, theirs] = pair.take();
    let reason = |ours, theirs| Some(CloseReason::Version { ours, theirs });
    assert_eq!(closed(&ours), reason(version(1, 2), version(3, 4)));
    assert_eq!(closed(&theirs), reason(version(3, 4), version(1, 2)));
    assert!(pair.sessions.iter().all(Session::is_finished));

    let mut pair = Pair::new([of(version(1, 3)), of(version(2, 9))]);
    assert!(matches!(pair.take()[1][0], Event::Ready { version: 3, .. }));
}

#[test]
fn silence_and_stalls_have_an_end() {
    let mut silent = Session::new(T0, limits());
    let (hello, _) = drain(&mut silent, T0);
    let at = silent.poll_timeout().unwrap();
    assert_eq!(at, T0 + limits().handshake);
    silent.handle_timeout(at);
    assert_eq!(
        closed(&drain(&mut silent, at).1),
        Some(CloseReason::NoGreeting)
    );

    let mut stalled = Session::new(T0, limits());
    stalled.handle_input(T0, Input::Bytes(&hello));
    drain(&mut stalled, T0);
    assert_eq!(
        stalled.poll_timeout(),
        None,
        "between frames there is no hurry"
    );
    let begun = Instant::from_secs(100);
    stalled.handle_input(begun, Input::Bytes(&[0, 0, 0, 9, 5]));
    let later = Instant::from_secs(110);
    stalled.handle_input(later, Input::Bytes(&[0]));
    let at = begun + limits().frame_time;
    assert_eq!(stalled.poll_timeout(), Some(at), "a trickle does not help");
    stalled.handle_timeout(at);
    assert_eq!(
        closed(&drain(&mut stalled, at).1),
        Some(CloseReason::Stalled)
    );
}

#[test]
fn who_breaks_the_protocol_is_left_with_a_reason() {
    use super::super::frame::Frame;
    let cases: [(&str, Vec<Frame<'static>>); 5] = [
        (
            "credit beyond what was granted",
            vec![Frame::Item { call: 1, body: b"" }],
        ),
        (
            "a reply to a stream",
            vec![Frame::Reply { call: 1, body: b"" }],
        ),
        ("the end of a single call", vec![Frame::End { call: 2 }]),
        (
            "more calls than agreed",
            (0..5)
                .map(|call| Frame::Call {
                    call,
                    micros: 0,
                    window: 0,
                    method: "",
                    body: b"",
                })
                .collect(),
        ),
        (
            "one number twice",
            vec![
                Frame::Call {
                    call: 1,
                    micros: 0,
                    window: 0,
                    method: "",
                    body: b""
                };
                2
            ],
        ),
    ];
    for (what, frames) in cases {
        let mut pair = Pair::open();
        pair.call(1, None, Some(1));
        pair.call(2, None, None);
        pair.say(
            1,
            Command::Item {
                call: 1,
                body: vec![],
            },
        );
        pair.take();
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.encode(&mut bytes));
        pair.sessions[0].handle_input(T0, Input::Bytes(&bytes));
        let (_, events) = drain(&mut pair.sessions[0], T0);
        assert!(
            matches!(closed(&events), Some(CloseReason::Violation(_))),
            "{what}: {events:?}"
        );
        let failed = |event: &&Event| matches!(event, Event::Failed { .. });
        assert_eq!(
            events.iter().filter(failed).count(),
            2,
            "{what}: calls fail as well"
        );
    }
}

#[test]
fn what_is_too_large_for_the_peer_fails_alone() {
    let mut pair = Pair::open();
    let big = vec![0; 2_000];
    pair.say(
        0,
        Command::Call {
            call: 1,
            method: "m".into(),
            body: big.clone(),
            deadline: None,
            window: None,
        },
    );
    let code = |event: &Event| match event {
        Event::Failed {
            failure: Failure { code, .. },
            ..
        } => *code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(&pair.take()[0][0]), Code::TOO_LARGE);
    pair.call(2, None, None);
    pair.take();
    pair.say(1, Command::Reply { call: 2, body: big });
    assert_eq!(code(&pair.take()[0][0]), Code::TOO_LARGE);
    pair.call(3, None, None);
    assert_eq!(pair.take()[1].len(), 1, "the session goes on");
}

#[test]
fn a_goodbye_lets_calls_finish_and_takes_no_more() {
    let mut pair = Pair::open();
    pair.call(1, None, None);
    pair.sessions[1].handle_shutdown(T0);
    pair.settle();
    pair.take();
    pair.call(2, None, None);
    assert!(matches!(
        &pair.take()[0][..],
        [Event::Failed { call: 2, .. }]
    ));
    pair.say(
        1,
        Command::Reply {
            call: 1,
            body: vec![],
        },
    );
    let [ours, theirs] = pair.take();
    assert!(matches!(ours[0], Event::Replied { call: 1, .. }));
    assert_eq!(
        [closed(&ours), closed(&theirs)],
        [(); 2].map(|()| Some(CloseReason::Finished))
    );
    assert!(pair.sessions.iter().all(Session::is_finished));
}

#[test]
fn the_end_of_the_wire_ends_every_call() {
    let mut pair = Pair::open();
    pair.call(1, Some(Instant::from_secs(5)), None);
    pair.take();
    for session in &mut pair.sessions {
        session.handle_input(T0, Input::End);
    }
    pair.settle();
    let [ours, theirs] = pair.take();
    assert!(matches!(
        ours[0],
        Event::Failed {
            call: 1,
            failure: Failure {
                code: Code::LOST,
                ..
            }
        }
    ));
    assert_eq!(theirs[0], Event::Dropped { call: 1 });
    assert!(
        pair.sessions
            .iter()
            .all(|s| s.is_finished() && s.poll_timeout().is_none())
    );
}

proptest! {
    #[test]
    fn never_panics_on_any_bytes_and_stays_bounded(
        greeted in any::<bool>(),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..16),
    ) {
        let mut session = Session::new(T0, limits());
        if greeted {
            let (hello, _) = drain(&mut Session::new(T0, limits()), T0);
            session.handle_input(T0, Input::Bytes(&hello));
        }
        for piece in &pieces {
            session.handle_input(T0, Input::Bytes(piece));
            let (bytes, _) = drain(&mut session, T0);
            prop_assert!(bytes.len() <= 200 + 64 * piece.len());
        }
    }

    #[test]
    #[ignore = "its harness was mended and not run since: take this away with the first run that passes"]
    fn every_call_ends_over_any_wire(
        seed in any::<u64>(),
        cut in prop::option::of(30u64..2_000),
        calls in prop::collection::vec((0u64..400, any::<bool>()), 1..40),
    ) {
        let faults = |seed| Faults {
            seed,
            capacity: 100,
            fragment: 13,
            delay: Duration::from_millis(20),
            cut_after: cut,
            ..Faults::default()
        };
        let mut pipes = [Pipe::new(faults(seed)), Pipe::new(faults(!seed))];
        let mut sessions = [Session::new(T0, limits()), Session::new(T0, limits())];
        let mut unsent = [Vec::new(), Vec::new()];
        let mut ends = [false; 2];
        let (mut now, mut next, mut outcomes) = (T0, 0, 0);
        let mut ready = false;
        for _ in 0..20_000 {
            let mut calm = true;
            for side in 0..2 {
                let (bytes, events) = drain(&mut sessions[side], now);
                unsent[side].extend(bytes);
                for event in events {
                    match event {
                        Event::Ready { .. } if side == 0 => ready = true,
                        Event::Called { call, body, window: None, .. } => {
                            let command = Command::Reply { call, body };
                            sessions[side].handle_input(now, Input::Command(command));
                        }
                        Event::Called { call, window: Some(_), .. } => {
                            for command in [Command::Item { call, body: vec![1] }, Command::Finish { call }] {
                                sessions[side].handle_input(now, Input::Command(command));
                            }
                        }
                        Event::Replied { .. } | Event::Failed { .. } | Event::Finished { .. } => outcomes += 1,
                        _ => {}
                    }
                    calm = false;
                }
                let sent = pipes[side].write(now, &unsent[side]).unwrap_or(unsent[side].len());
                calm &= sent == 0;
                unsent[side].drain(..sent);
                if sessions[side].is_finished() && unsent[side].is_empty() {
                    pipes[side].close();
                }
                let mut buffer = [0; 64];
                match pipes[1 - side].read(now, &mut buffer) {
                    Read::Bytes(count) => {
                        calm = false;
                        sessions[side].handle_input(now, Input::Bytes(&buffer[..count]));
                    }
                    Read::Empty(_) => {}
                    Read::End | Read::Reset => {
                        if !std::mem::replace(&mut ends[side], true) {
                            calm = false;
                            sessions[side].handle_input(now, Input::End);
                        }
                    }
                }
            }
            if ready && next < calls.len() && sessions[0].outgoing() < 4 {
                let (millis, stream) = calls[next];
                let call = Command::Call {
                    call: next as u64,
                    method: "m".into(),
                    body: vec![7; 30],
                    deadline: (millis > 0).then(|| now + Duration::from_millis(millis)),
                    window: stream.then_some(1),
                };
                sessions[0].handle_input(now, Input::Command(call));
                next += 1;
                calm = false;
            }
            if calm {
                if outcomes == calls.len() {
                    break;
                }
                let mut times: Vec<Instant> =
                    sessions.iter().filter_map(Machine::poll_timeout).collect();
                times.push(now + Duration::from_millis(1));
                now = times.into_iter().min().unwrap().max(now);
                for session in &mut sessions {
                    if session.poll_timeout().is_some_and(|at| at <= now) {
                        session.handle_timeout(now);
                    }
                }
                if sessions[0].is_finished() && !ready {
                    break; // it never came to a call
                }
            }
        }
        if ready {
            prop_assert_eq!(outcomes, calls.len(), "each call ends once");
        }
        prop_assert_eq!((sessions[0].outgoing(), sessions[1].incoming()), (0, 0));
    }
}
