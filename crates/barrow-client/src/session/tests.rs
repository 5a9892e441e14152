use super::*;
use barrow_messages::interface::{
    SwInterfaceDetails, SwInterfaceDump, SwInterfaceEvent, WantInterfaceEvents,
    WantInterfaceEventsReply,
};
use barrow_messages::memclnt::{
    ControlPing, ControlPingReply, MessageTableEntry, SockclntCreateReply, SockclntDeleteReply,
};
use barrow_wire::frame::FrameError;
use barrow_wire::{Message, decode_message, message_id};
use proptest::prelude::*;

/// The ids of a server that has the ping and some messages of the module `interface`.
const TABLE: &[(&str, u16)] = &[
    (ControlPing::NAME_CRC, 23),
    (ControlPingReply::NAME_CRC, 24),
    (SwInterfaceDump::NAME_CRC, 40),
    (SwInterfaceDetails::NAME_CRC, 41),
    (WantInterfaceEvents::NAME_CRC, 42),
    (WantInterfaceEventsReply::NAME_CRC, 43),
    (SwInterfaceEvent::NAME_CRC, 44),
    ("show_version_00000001", 45),
];

fn greeting() -> Vec<u8> {
    let message_table = TABLE
        .iter()
        .map(|(name, index)| MessageTableEntry {
            index: *index,
            name: (*name).try_into().unwrap(),
        })
        .collect();
    answer(
        16,
        1,
        &SockclntCreateReply {
            response: 0,
            index: 0x8000_0001,
            message_table,
        },
    )
}

fn answer<M: Message>(id: u16, context: u32, message: &M) -> Vec<u8> {
    let header = Header {
        id,
        client_index: 0,
        context,
    };
    let mut out = Vec::new();
    frame::encode(header, message, &mut out).unwrap();
    out
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Opened,
    Ended(CallId),
    Items(CallId),
    Event(u16),
    SignedOff,
}

fn hear(session: &mut Session, bytes: &[u8]) -> Result<Vec<Heard>, SessionError> {
    session.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
    let mut heard = Vec::new();
    session.received(bytes.len(), |incoming| {
        heard.push(match incoming {
            Incoming::Settled(_) => return,
            Incoming::Opened => Heard::Opened,
            Incoming::Ended(call) => Heard::Ended(call),
            Incoming::Items(call) => Heard::Items(call),
            Incoming::Event { id, .. } => Heard::Event(id),
            Incoming::SignedOff => Heard::SignedOff,
        });
    })?;
    Ok(heard)
}

fn send_all(session: &mut Session) -> Vec<u8> {
    let bytes = session.unsent().to_vec();
    session.sent(bytes.len());
    bytes
}

fn open() -> Session {
    let mut session = Session::new("test", 1 << 20);
    session.begin();
    send_all(&mut session);
    assert_eq!(hear(&mut session, &greeting()), Ok(vec![Heard::Opened]));
    session
}

fn ping(session: &mut Session) -> CallId {
    session.request(&ControlPing::default(), None).unwrap()
}

fn pong(call: CallId) -> Vec<u8> {
    answer(24, call.context(), &ControlPingReply::default())
}

fn details(call: CallId) -> Vec<u8> {
    answer(41, call.context(), &SwInterfaceDetails::default())
}

fn result(session: &mut Session, call: CallId) -> Option<Result<u16, CallFailure>> {
    session.finish(call, |end| end.map(|message| message_id(message).unwrap()))
}

#[test]
fn the_greeting_is_the_golden_frame() {
    let mut session = Session::new("rust-client", 1 << 20);
    session.begin();
    let greeting = session.unsent();
    assert_eq!(greeting.len(), 86);
    assert_eq!(greeting[8..12], [0, 0, 0, 70]);
    assert_eq!(greeting[16..22], [0, 15, 0, 0, 0, 1]);
    assert_eq!(&greeting[22..34], b"rust-client\0");
}

#[test]
fn calls_are_possible_only_between_greeting_and_goodbye() {
    let mut session = Session::new("test", 1 << 20);
    let early = session.request(&ControlPing::default(), None);
    assert_eq!(early, Err(StartError::NotOpen));
    let mut session = open();
    assert_eq!(session.state(), SessionState::Open);
    session.sign_off();
    let late = session.request(&ControlPing::default(), None);
    assert_eq!(late, Err(StartError::NotOpen));
    let bye = answer(18, 1, &SockclntDeleteReply { response: 1 });
    assert_eq!(hear(&mut session, &bye), Ok(vec![Heard::SignedOff]));
}

#[test]
fn an_answer_finds_its_request() {
    let mut session = open();
    let (a, b) = (ping(&mut session), ping(&mut session));
    let (_, sent): (_, ControlPing) = decode_message(&session.unsent()[16..]).unwrap();
    assert_eq!(sent, ControlPing::default());
    assert_eq!(hear(&mut session, &pong(b)), Ok(vec![Heard::Ended(b)]));
    assert_eq!(result(&mut session, a), None);
    assert_eq!(result(&mut session, b), Some(Ok(24)));
    assert_eq!(result(&mut session, b), None, "an end is fetched once");
    assert_eq!(hear(&mut session, &pong(a)), Ok(vec![Heard::Ended(a)]));
}

#[test]
fn a_dump_and_its_ping_leave_together_and_the_ping_ends_it() {
    let mut session = open();
    let dump = SwInterfaceDump::default();
    let call = session.dump(&dump, None, 1 << 20).unwrap();
    let mut decoder = FrameDecoder::default();
    decoder.push(session.unsent());
    let first = decoder.next_message().unwrap().and_then(message_id);
    let second = decoder.next_message().unwrap().and_then(message_id);
    assert_eq!((first, second), (Some(40), Some(23)));

    let two = [details(call), details(call)].concat();
    assert_eq!(hear(&mut session, &two), Ok(vec![Heard::Items(call)]));
    assert_eq!(
        hear(&mut session, &pong(call)),
        Ok(vec![Heard::Ended(call)])
    );
    let mut items = Vec::new();
    session.take_items(call, &mut items);
    let mut at = 0;
    let mut count = 0;
    while let Some(item) = next_item(&items, &mut at) {
        decode_message::<SwInterfaceDetails>(item).unwrap();
        count += 1;
    }
    assert_eq!(count, 2);
    assert_eq!(result(&mut session, call), Some(Ok(24)));
}

#[test]
fn a_dump_that_nobody_takes_is_cut_and_the_rest_dropped() {
    let mut session = open();
    let one = details(CallId::clone(&ping(&mut session))).len();
    let dump = SwInterfaceDump::default();
    let call = session.dump(&dump, None, 2 * one).unwrap();
    let four = [details(call), details(call), details(call), details(call)].concat();
    assert_eq!(
        hear(&mut session, &four),
        Ok(vec![Heard::Items(call), Heard::Ended(call)])
    );
    let overrun = CallFailure::Overrun { delivered: 2 };
    assert_eq!(result(&mut session, call), Some(Err(overrun)));
    assert_eq!(session.calls_abandoned(), 1, "its ping is still to come");
    assert_eq!(hear(&mut session, &pong(call)), Ok(vec![]));
    assert_eq!(session.calls_abandoned(), 0);
}

#[test]
fn a_message_the_server_lacks_is_refused_before_anything_is_sent() {
    use barrow_messages::{memclnt::GetApiJson, vpe::ShowVersion};
    let mut session = open();
    let missing = session.request(&GetApiJson::default(), None);
    assert!(matches!(missing, Err(StartError::Missing { .. })));
    let changed = session.request(&ShowVersion::default(), None);
    assert!(matches!(
        changed,
        Err(StartError::Missing { .. } | StartError::Changed { server_crc: 1, .. })
    ));
    assert!(session.unsent().is_empty());
    assert_eq!(session.calls_in_use(), 0);
}

#[test]
fn a_late_answer_reaches_nobody() {
    let mut session = open();
    let gone = ping(&mut session);
    session.cancel(gone, Instant::MAX);
    let next = ping(&mut session);
    assert_ne!(gone.context(), next.context());
    assert_eq!(hear(&mut session, &pong(gone)), Ok(vec![]));
    assert_eq!(session.counters().late, 1);
    assert_eq!(
        hear(&mut session, &pong(next)),
        Ok(vec![Heard::Ended(next)])
    );
    assert_eq!(hear(&mut session, &pong(next)), Ok(vec![]));
    assert_eq!(session.counters().stray, 1);
}

#[test]
fn a_call_past_its_deadline_ends_and_says_how_far_it_came() {
    let mut session = open();
    let at = |ms| Some(Instant::from_millis(ms));
    let sent = session.request(&ControlPing::default(), at(5)).unwrap();
    send_all(&mut session);
    let unsent = session.request(&ControlPing::default(), at(7)).unwrap();
    let mut ended = Vec::new();
    session.handle_timeout(Instant::from_millis(7), |call, waited| {
        assert!(waited);
        ended.push(call);
    });
    assert_eq!(ended, [sent, unsent]);
    let failure = |delivery| Some(Err(CallFailure::TimedOut(delivery)));
    assert_eq!(result(&mut session, sent), failure(Delivery::Sent));
    assert_eq!(result(&mut session, unsent), failure(Delivery::Unsent));
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_lost_connection_ends_every_call_with_its_verdict() {
    let mut session = open();
    let fetched_later = ping(&mut session);
    let dump = session
        .dump(&SwInterfaceDump::default(), None, 4096)
        .unwrap();
    let cancelled = ping(&mut session);
    session.cancel(cancelled, Instant::MAX);
    send_all(&mut session);
    let unsent = ping(&mut session);
    hear(&mut session, &pong(fetched_later)).unwrap();
    hear(&mut session, &details(dump)).unwrap();
    let mut ended = Vec::new();
    session.lose(|call| ended.push(call));
    assert_eq!(ended, [dump, unsent]);
    assert_eq!(result(&mut session, fetched_later), Some(Ok(24)));
    let lost = |delivery| Some(Err(CallFailure::Lost(delivery)));
    assert_eq!(result(&mut session, dump), lost(Delivery::PartlyAnswered));
    assert_eq!(result(&mut session, unsent), lost(Delivery::Unsent));
    assert_eq!(session.calls_in_use(), 0);
}

#[test]
fn ids_belong_to_one_connection() {
    let mut session = open();
    ping(&mut session);
    session.lose(|_| ());
    session.begin();
    send_all(&mut session);
    let moved = SockclntCreateReply {
        response: 0,
        index: 7,
        message_table: vec![
            MessageTableEntry {
                index: 99,
                name: ControlPing::NAME_CRC.try_into().unwrap(),
            },
            MessageTableEntry {
                index: 100,
                name: ControlPingReply::NAME_CRC.try_into().unwrap(),
            },
        ],
    };
    hear(&mut session, &answer(16, 1, &moved)).unwrap();
    let call = ping(&mut session);
    assert_eq!(message_id(&session.unsent()[16..]), Some(99));
    assert_eq!(
        hear(&mut session, &pong(call)),
        Ok(vec![]),
        "24 is nothing now"
    );
    let answer = answer(100, call.context(), &ControlPingReply::default());
    assert_eq!(hear(&mut session, &answer), Ok(vec![Heard::Ended(call)]));
}

#[test]
fn events_are_heard_between_answers_once_their_type_is_known() {
    let mut session = open();
    let event = answer(44, 0, &SwInterfaceEvent::default());
    assert_eq!(hear(&mut session, &event), Ok(vec![]));
    assert_eq!(session.counters().unheard, 1);
    assert_eq!(session.expect::<SwInterfaceEvent>(), Ok(44));
    let call = ping(&mut session);
    let both = [event, pong(call)].concat();
    assert_eq!(
        hear(&mut session, &both),
        Ok(vec![Heard::Event(44), Heard::Ended(call)])
    );
}

#[test]
fn an_answer_of_another_kind_ends_the_call_with_an_error() {
    let mut session = open();
    session.expect::<SwInterfaceDetails>().unwrap();
    let call = ping(&mut session);
    assert_eq!(
        hear(&mut session, &details(call)),
        Ok(vec![Heard::Ended(call)])
    );
    let failure = CallFailure::Unexpected { id: 41 };
    assert_eq!(result(&mut session, call), Some(Err(failure)));
}

#[test]
fn a_server_that_asks_for_a_sign_of_life_gets_one() {
    let mut session = open();
    let ask = answer(
        21,
        5,
        &barrow_messages::memclnt::MemclntKeepalive::default(),
    );
    hear(&mut session, &ask).unwrap();
    let reply = &session.unsent()[16..];
    assert_eq!(reply[..6], [0, 22, 0x80, 0, 0, 1]);
}

#[test]
fn bad_greetings_and_frames_end_the_connection() {
    let refuse = |bytes: &[u8]| {
        let mut session = Session::new("test", 1 << 20);
        session.begin();
        hear(&mut session, bytes).unwrap_err()
    };
    let no = SockclntCreateReply {
        response: -1,
        ..SockclntCreateReply::default()
    };
    assert_eq!(
        refuse(&answer(16, 1, &no)),
        SessionError::Refused { response: -1 }
    );
    let empty = SockclntCreateReply::default();
    assert!(matches!(
        refuse(&answer(16, 1, &empty)),
        SessionError::NoPing { .. }
    ));
    let mut cut = greeting();
    cut[11] -= 1;
    assert!(matches!(refuse(&cut), SessionError::Greeting(_)));
    let mut long = greeting();
    long[8] = 0x7f;
    assert!(matches!(
        refuse(&long),
        SessionError::Frame(FrameError::TooLong { .. })
    ));
}

/// What a script does to a session: the server's side is faulty at will.
#[derive(Clone, Debug)]
enum Step {
    Ping { timeout: u64 },
    Dump { timeout: u64 },
    Cancel(usize),
    Answer(usize),
    Item(usize),
    Repeat(usize),
    Event,
    Garbage(Vec<u8>),
    SendSome(usize),
    Wait(u64),
    Lose,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..20_u64).prop_map(|timeout| Step::Ping { timeout }),
        2 => (1..20_u64).prop_map(|timeout| Step::Dump { timeout }),
        1 => any::<usize>().prop_map(Step::Cancel),
        4 => any::<usize>().prop_map(Step::Answer),
        3 => any::<usize>().prop_map(Step::Item),
        1 => any::<usize>().prop_map(Step::Repeat),
        1 => Just(Step::Event),
        1 => prop::collection::vec(any::<u8>(), 2..40).prop_map(Step::Garbage),
        2 => (0..200_usize).prop_map(Step::SendSome),
        2 => (0..10_u64).prop_map(Step::Wait),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever the server does: every call ends once, an answer reaches the call it carries the context of and no
    /// other, and nothing is left behind.
    #[test]
    fn every_call_ends_once(steps in steps()) {
        let mut session = open();
        let mut now = Instant::ZERO;
        let mut waiting: Vec<CallId> = Vec::new();
        let mut all: Vec<CallId> = Vec::new();
        let pick = |all: &[CallId], n: usize| all.get(n % all.len().max(1)).copied();
        for step in steps {
            let mut ended = Vec::new();
            match step {
                Step::Ping { timeout } => {
                    let deadline = Some(now + std::time::Duration::from_millis(timeout));
                    let call = session.request(&ControlPing::default(), deadline).unwrap();
                    waiting.push(call);
                    all.push(call);
                }
                Step::Dump { timeout } => {
                    let deadline = Some(now + std::time::Duration::from_millis(timeout));
                    let call = session.dump(&SwInterfaceDump::default(), deadline, 500).unwrap();
                    waiting.push(call);
                    all.push(call);
                }
                Step::Cancel(n) => if let Some(call) = pick(&waiting, n) {
                    session.cancel(call, now + std::time::Duration::from_millis(5));
                    waiting.retain(|other| *other != call);
                },
                Step::Answer(n) | Step::Repeat(n) => if let Some(call) = pick(&all, n) {
                    let was = waiting.contains(&call);
                    for heard in hear(&mut session, &pong(call)).unwrap() {
                        prop_assert_eq!(&heard, &Heard::Ended(call));
                        prop_assert!(was);
                        ended.push(call);
                    }
                },
                Step::Item(n) => if let Some(call) = pick(&all, n) {
                    for heard in hear(&mut session, &details(call)).unwrap() {
                        match heard {
                            Heard::Items(of) => prop_assert_eq!(of, call),
                            Heard::Ended(of) => { prop_assert_eq!(of, call); ended.push(of) }
                            other => prop_assert!(false, "{:?}", other),
                        }
                    }
                },
                Step::Event => {
                    let event = answer(44, 0, &SwInterfaceEvent::default());
                    prop_assert_eq!(hear(&mut session, &event).unwrap(), vec![]);
                }
                Step::Garbage(bytes) => {
                    // A frame of any bytes; it may happen to be an answer.
                    let mut framed = Vec::new();
                    frame::append(&bytes, &mut framed).unwrap();
                    for heard in hear(&mut session, &framed).unwrap() {
                        if let Heard::Ended(call) = heard { ended.push(call) }
                    }
                }
                Step::SendSome(n) => { let n = n.min(session.unsent().len()); session.sent(n) }
                Step::Wait(ms) => {
                    now += std::time::Duration::from_millis(ms);
                    session.handle_timeout(now, |call, waited| if waited { ended.push(call) });
                }
                Step::Lose => {
                    session.lose(|call| ended.push(call));
                    prop_assert_eq!(ended.len(), waiting.len());
                    session.begin();
                    send_all(&mut session);
                    hear(&mut session, &greeting()).unwrap();
                }
            }
            for call in ended {
                prop_assert!(waiting.contains(&call), "{:?} ended twice or was cancelled", call);
                waiting.retain(|other| *other != call);
                prop_assert!(session.is_done(call));
                prop_assert!(result(&mut session, call).is_some());
                prop_assert!(result(&mut session, call).is_none());
            }
        }
        session.lose(|call| waiting.retain(|other| *other != call));
        prop_assert!(waiting.is_empty());
    }

    #[test]
    fn any_bytes_are_survived(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20)) {
        let mut session = Session::new("test", 4096);
        session.begin();
        for chunk in chunks {
            if hear(&mut session, &chunk).is_err() {
                break;
            }
        }
    }
}
