//! Connections frame by frame: what binary-api.md says of sections 1 to 3, and hostile clients.

use super::*;
use crate::{
    api::{
        ApiCounters, ApiError, ApiLimits, ApiRegisterError, ApiRegistry, ApiTable, ApiTrace,
        Clients, CursorRun, Subscribers, register_cli, register_log_dump, register_memclnt,
    },
    cli::{CliHandle, CliRegistry, Macros, SessionSettings},
    log::Logger,
};
use barrow_core::Instant;
use barrow_messages::{
    graph::{GraphNodeDetails, GraphNodeGet, GraphNodeGetReply},
    interface::{SwInterfaceEvent, WantInterfaceEvents},
    memclnt::{
        ControlPing, ControlPingReply, GetApiJson, GetApiJsonReply, GetFirstMsgId,
        GetFirstMsgIdReply, SockclntCreate, SockclntCreateReply, SockclntDelete,
    },
    vlib::{CliInband, CliInbandReply, GetF64EndianValue, GetF64EndianValueReply},
    vpe::{LogDetails, LogDump, ShowVpeSystemTime, ShowVpeSystemTimeReply},
};
use barrow_wire::{FixedString, Header, Message, VarString, decode_message, frame};
use proptest::prelude::*;
use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

const START: Instant = Instant::from_secs(10);

/// A server with a few messages, and the handles to what its handlers do.
struct Server {
    table: Rc<ApiTable>,
    clients: Clients,
    trace: ApiTrace,
    log: Logger,
    events: Subscribers<WantInterfaceEvents>,
    /// `show_vpe_system_time` is answered once this is set.
    answer: Rc<Cell<bool>>,
    /// Details of `log_dump` made so far, and how many there are.
    made: Rc<Cell<usize>>,
    details: Rc<Cell<usize>>,
    _cli: Rc<CliRegistry>,
}

impl Server {
    fn new() -> Self {
        Self::with_limits(ApiLimits::default())
    }

    fn with_limits(limits: ApiLimits) -> Self {
        Self::build(limits).unwrap()
    }

    fn build(limits: ApiLimits) -> Result<Self, ApiRegisterError> {
        let clients = Clients::new(Rc::new(limits), Rc::new(ApiCounters::default()));
        let mut api = ApiRegistry::new(clients.clone(), barrow_messages::catalogue());
        let log = Logger::quiet();
        register_memclnt(&mut api, 4242)?;
        let handle = CliHandle::default();
        let (settings, macros) = (
            Rc::new(SessionSettings::default()),
            Rc::new(Macros::default()),
        );
        register_cli(&mut api, handle.clone(), settings, macros, log.class("api"))?;
        let mut cli = CliRegistry::default();
        cli.command("show version", "", |cx, _| {
            cx.print("probe v1");
            Ok(())
        })
        .unwrap();
        let cli = Rc::new(cli);
        handle.set(&cli);
        let answer = Rc::new(Cell::new(false));
        let answered = answer.clone();
        api.request_async(move |_, _: ShowVpeSystemTime| {
            let answered = answered.clone();
            std::future::poll_fn(move |_| {
                let reply = ShowVpeSystemTimeReply::default();
                if answered.get() {
                    Poll::Ready(Ok(reply))
                } else {
                    Poll::Pending
                }
            })
        })?;
        let (made, details) = (
            Rc::new(Cell::new(0_usize)),
            Rc::new(Cell::new(100_000_usize)),
        );
        let (counted, all) = (made.clone(), details.clone());
        api.dump(move |_, _: LogDump| {
            let (counted, left) = (counted.clone(), Cell::new(all.get()));
            move || {
                left.set(left.get().checked_sub(1)?);
                counted.set(counted.get() + 1);
                let message = FixedString::truncated(&counted.get().to_string());
                Some(LogDetails {
                    message,
                    ..LogDetails::default()
                })
            }
        })?;
        api.cursor(|_, request: GraphNodeGet| {
            if request.cursor > 1000 {
                return Err(ApiError::NO_SUCH_ENTRY);
            }
            let cursor = Rc::new(Cell::new(request.cursor));
            let end = cursor.clone();
            let details = move || {
                let index = cursor.get();
                cursor.set(index + 1);
                (index < 1000).then(|| GraphNodeDetails {
                    index,
                    ..GraphNodeDetails::default()
                })
            };
            let reply = move || GraphNodeGetReply {
                cursor: end.get(),
                ..Default::default()
            };
            Ok(CursorRun::new(details, reply))
        })?;
        let events = api.subscribe(|request: &WantInterfaceEvents| request.enable_disable != 0)?;
        let table = api.build();
        let trace = ApiTrace::default();
        Ok(Self {
            table,
            clients,
            trace,
            log,
            events,
            answer,
            made,
            details,
            _cli: cli,
        })
    }

    fn connect(&self) -> Peer {
        let client = self.clients.connect(7).unwrap();
        let index = client.index().get();
        let (table, trace) = (self.table.clone(), self.trace.clone());
        let log = self.log.class("api");
        let session = Session::new(table.clone(), &self.clients, client, trace, log);
        Peer {
            session,
            table,
            index,
            now: START,
            received: VecDeque::new(),
            unread: Vec::new(),
        }
    }

    fn counters(&self) -> &ApiCounters {
        self.clients.counters()
    }

    fn logged(&self) -> String {
        self.log
            .entries()
            .iter()
            .map(|entry| format!("{}\n", entry.text))
            .collect()
    }
}

/// A client and the host of its connection in one.
struct Peer {
    session: Session,
    table: Rc<ApiTable>,
    index: u32,
    now: Instant,
    received: VecDeque<Vec<u8>>,
    /// Bytes received that are no whole frame yet.
    unread: Vec<u8>,
}

impl Peer {
    fn id<M: Message>(&self) -> u16 {
        self.table.id_of::<M>().unwrap()
    }

    fn frame<M: Message>(&self, context: u32, message: &M) -> Vec<u8> {
        let header = Header {
            id: self.id::<M>(),
            client_index: self.index,
            context,
        };
        let mut out = Vec::new();
        frame::encode(header, message, &mut out).unwrap();
        out
    }

    /// The bytes arrive; nothing is handled yet.
    fn arrive(&mut self, bytes: &[u8]) {
        self.session.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.session.filled(bytes.len());
    }

    fn work(&mut self) -> Progress {
        let mut cx = Context::from_waker(Waker::noop());
        self.session.work(self.now, &mut cx, &mut 64)
    }

    /// Works until there is nothing to do without reading.
    fn settle(&mut self) {
        while self.work() == Progress::More {}
    }

    /// Reads everything, as far as there is.
    fn drain(&mut self) {
        loop {
            self.settle();
            let output = self.session.output().to_vec();
            if output.is_empty() {
                return;
            }
            self.session.sent(self.now, output.len());
            self.read(&output);
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        let mut decoder = frame::FrameDecoder::new(64 << 20);
        decoder.push(&self.unread);
        while let Some(message) = decoder.next_message().unwrap() {
            self.received.push_back(message.to_vec());
        }
        let left = decoder.pending();
        self.unread.drain(..self.unread.len() - left);
    }

    fn send<M: Message>(&mut self, context: u32, message: &M) {
        let frame = self.frame(context, message);
        self.arrive(&frame);
        self.drain();
    }

    fn receive<M: Message>(&mut self) -> (u32, M) {
        let message = self
            .received
            .pop_front()
            .expect("a message should have come");
        assert_eq!(
            barrow_wire::message_id(&message),
            self.table.id_of::<M>(),
            "{}",
            M::NAME
        );
        let (header, message) = decode_message::<M>(&message).unwrap();
        (header.context, message)
    }

    fn pings(&mut self) {
        self.send(77, &ControlPing {});
        let (context, reply) = self.receive::<ControlPingReply>();
        assert_eq!((context, reply.vpe_pid, self.received.len()), (77, 4242, 0));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|b| char::from(b).to_digit(16))
        .map(|d| d.to_le_bytes()[0])
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

#[test]
fn the_handshake_is_that_of_vpp() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut hello =
        bytes("0000000000000000 00000046 00000000 000f 0000007c 727573742d636c69656e74");
    hello.resize(16 + 70, 0);
    peer.arrive(&hello);
    peer.drain();
    let reply = peer.received.pop_front().unwrap();
    assert_eq!(
        reply[..18],
        bytes("0010 00000000 0000007c 00000000 80000001")
    );
    let (_, reply) = decode_message::<SockclntCreateReply>(&reply).unwrap();
    let ids: std::collections::BTreeMap<_, _> = reply
        .message_table
        .iter()
        .map(|e| (e.name.to_string_lossy().into_owned(), e.index))
        .collect();
    assert_eq!(ids.len(), reply.message_table.len());
    assert_eq!(ids["memclnt_create_9c5e1c2f"], 1);
    assert_eq!(ids["sockclnt_create_455fb9c4"], 15);
    assert_eq!(ids["control_ping_51077d14"], 23);
    assert_eq!(ids["control_ping_reply_f6b0b8ca"], 24);
    assert_eq!(ids["get_api_json_reply_ea715b59"], 28);
    assert!(ids["cli_inband_f8377302"] >= 29);
    assert_eq!(
        ids["cli_inband_reply_05879051"],
        ids["cli_inband_f8377302"] + 2
    );
    assert!(
        ids.contains_key("log_details_03d61cc0"),
        "what a dump is answered with"
    );
    assert!(
        ids.keys()
            .any(|name| name.starts_with("sw_interface_event_"))
    );
    assert!(
        !ids.keys()
            .any(|name| name.starts_with("sw_interface_dump_")),
        "has no handler"
    );
    assert!(
        !ids.keys().any(|name| name.starts_with("ip_route_")),
        "its module has no handler"
    );
    assert_eq!(server.clients.list()[0].name(), "rust-client");
}

#[test]
fn frames_may_come_in_any_pieces() {
    let server = Server::new();
    let mut peer = server.connect();
    let ping = peer.frame(5, &ControlPing {});
    let (header, body) = ping.split_at(16);
    peer.arrive(header);
    peer.drain();
    peer.arrive(body);
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 5);
    for byte in [&ping[..], &ping].concat() {
        peer.arrive(&[byte]);
        peer.drain();
    }
    assert_eq!(peer.received.len(), 2);
}

#[test]
fn answers_come_in_order_with_their_whole_context() {
    let server = Server::new();
    let mut peer = server.connect();
    let contexts: Vec<u32> = (0..200).map(|n: u32| n.wrapping_mul(0x9e37_79b9)).collect();
    let frames: Vec<u8> = contexts
        .iter()
        .flat_map(|c| peer.frame(*c, &ControlPing {}))
        .collect();
    peer.arrive(&frames);
    peer.drain();
    let answered: Vec<u32> = contexts
        .iter()
        .map(|_| peer.receive::<ControlPingReply>().0)
        .collect();
    assert_eq!(answered, contexts);
}

#[test]
fn goodbye_is_answered_with_1_and_ends_the_connection() {
    let server = Server::new();
    let mut peer = server.connect();
    let wrong = SockclntDelete { index: 0x8000_0009 };
    peer.send(1, &wrong);
    assert_eq!(
        peer.received.pop_front().unwrap(),
        bytes("0012 00000001 ffffffff")
    );
    assert_eq!(peer.session.is_finished(), None);
    let mut goodbye = bytes("0000000000000000 0000000e 00000000 0011 80000001 01020304 80000001");
    goodbye.extend(peer.frame(9, &ControlPing {}));
    peer.arrive(&goodbye);
    peer.settle();
    assert_eq!(
        peer.session.is_finished(),
        None,
        "the answer is not sent yet"
    );
    peer.drain();
    assert_eq!(
        peer.received.pop_front().unwrap(),
        bytes("0012 01020304 00000001")
    );
    assert!(peer.received.is_empty(), "nothing behind it is handled");
    assert_eq!(peer.session.is_finished(), Some(Closed::ByRequest));
}

#[test]
fn messages_that_mean_nothing_are_dropped_counted_and_logged() {
    let server = Server::new();
    let mut peer = server.connect();
    let reply_id = peer.id::<ControlPingReply>();
    let mut ids = vec![0, 1, 8, 19, reply_id, 5000, u16::MAX];
    for id in ids.drain(..) {
        let mut out = Vec::new();
        let body = [&id.to_be_bytes()[..], &[0; 100]].concat();
        frame::append(&body, &mut out).unwrap();
        peer.arrive(&out);
        peer.drain();
    }
    assert_eq!(server.counters().unknown.get(), 7);
    assert!(server.logged().contains("no handler for msg id 65535"));
    let whole = peer.frame(1, &GetFirstMsgId::default());
    for length in [2, 9, 73] {
        let mut out = Vec::new();
        frame::append(&whole[16..16 + length], &mut out).unwrap();
        peer.arrive(&out);
        peer.drain();
    }
    assert_eq!(server.counters().truncated.get(), 3);
    assert!(
        server
            .logged()
            .contains("truncated message get_first_msg_id")
    );
    assert!(peer.received.is_empty());
    peer.pings();
}

#[test]
fn a_count_that_claims_too_much_is_a_truncated_message() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut frame = peer.frame(
        1,
        &CliInband {
            cmd: VarString::from("show version"),
        },
    );
    frame[16 + 10..16 + 14].copy_from_slice(&u32::MAX.to_be_bytes());
    peer.arrive(&frame);
    peer.drain();
    assert_eq!(server.counters().truncated.get(), 1);
    peer.pings();
}

#[test]
fn bytes_behind_a_message_are_ignored() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut message = peer.frame(3, &ControlPing {})[16..].to_vec();
    message.extend([9; 50]);
    let mut out = Vec::new();
    frame::append(&message, &mut out).unwrap();
    peer.arrive(&out);
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 3);
}

#[test]
fn a_broken_frame_ends_the_connection_behind_what_was_answered() {
    for length in [0_u32, 1, (16 << 20) + 1, 0xffff_fff0, u32::MAX] {
        let server = Server::new();
        let mut peer = server.connect();
        let mut stream = peer.frame(1, &ControlPing {});
        stream.extend([0; 8]);
        stream.extend(length.to_be_bytes());
        stream.extend([0; 4]);
        stream.extend(peer.frame(2, &ControlPing {}));
        peer.arrive(&stream);
        peer.drain();
        assert_eq!(peer.received.len(), 1);
        assert!(
            matches!(peer.session.is_finished(), Some(Closed::Broken(_))),
            "{length}"
        );
        assert_eq!(server.counters().broken.get(), 1);
        assert!(!peer.session.wants_input());
    }
}

#[test]
fn an_index_of_another_client_is_refused_and_0_is_tolerated() {
    let server = Server::new();
    let mut peer = server.connect();
    let own = peer.index;
    for (index, answered) in [(own, true), (0, true), (own + 1, false), (1 << 31, false)] {
        peer.index = index;
        peer.send(1, &ControlPing {});
        assert_eq!(peer.received.pop_front().is_some(), answered, "{index:#x}");
    }
    assert_eq!(server.counters().foreign.get(), 2);
}

#[test]
fn a_dump_is_made_as_it_is_read() {
    let server = Server::new();
    let limit = server.clients.limits().max_queued;
    let mut peer = server.connect();
    let mut stream = peer.frame(1, &LogDump::default());
    stream.extend(peer.frame(1, &ControlPing {}));
    peer.arrive(&stream);
    peer.settle();
    let one = LogDetails::MIN_MESSAGE_LEN + 16;
    assert!(peer.session.output().len() < limit + one);
    assert_eq!(server.made.get(), peer.session.output().len().div_ceil(one));
    assert!(!peer.session.wants_input());
    // Read a little: as much is made again.
    peer.session.sent(peer.now, 10 * one);
    peer.settle();
    assert!((limit..limit + one).contains(&peer.session.output().len()));
    assert!(peer.session.held() < limit + one + 100);
    peer.received.clear();
    peer.unread.clear();
    while peer
        .received
        .back()
        .is_none_or(|m| m[..2] != peer.id::<ControlPingReply>().to_be_bytes())
    {
        peer.settle();
        let output = peer.session.output().to_vec();
        peer.session.sent(peer.now, output.len());
        peer.read(&output);
    }
    assert_eq!(server.made.get(), 100_000);
    assert_eq!(
        peer.received.len(),
        100_000 - 10 + 1,
        "everything once, then the ping"
    );
}

#[test]
fn a_dump_takes_turns_with_other_work() {
    let server = Server::new();
    server.details.set(200);
    let mut peer = server.connect();
    let dump = peer.frame(1, &LogDump::default());
    peer.arrive(&dump);
    assert_eq!(peer.work(), Progress::More);
    assert!(server.made.get() < 64);
    peer.drain();
    assert_eq!(peer.received.len(), 200);
}

#[test]
fn requests_behind_an_unfinished_one_wait() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut stream = peer.frame(1, &ShowVpeSystemTime {});
    stream.extend(peer.frame(2, &ControlPing {}));
    peer.arrive(&stream);
    peer.drain();
    assert!(peer.received.is_empty());
    assert!(!peer.session.wants_input());
    server.answer.set(true);
    peer.drain();
    assert_eq!(peer.receive::<ShowVpeSystemTimeReply>().0, 1);
    assert_eq!(peer.receive::<ControlPingReply>().0, 2);
    let mut other = server.connect();
    other.pings();
}

#[test]
fn a_cursor_stream_runs_bounded_and_goes_on_where_it_stopped() {
    let server = Server::new();
    let mut peer = server.connect();
    let (mut cursor, mut runs, mut indices) = (0, 0, Vec::new());
    loop {
        runs += 1;
        peer.send(
            runs,
            &GraphNodeGet {
                cursor,
                ..GraphNodeGet::default()
            },
        );
        while peer.received.len() > 1 {
            indices.push(peer.receive::<GraphNodeDetails>().1.index);
        }
        let (context, reply) = peer.receive::<GraphNodeGetReply>();
        assert_eq!(context, runs);
        cursor = reply.cursor;
        match reply.retval {
            0 => break,
            retval => assert_eq!(retval, -165),
        }
    }
    assert_eq!(indices, (0..1000).collect::<Vec<_>>());
    assert_eq!(runs, 4);
    peer.send(
        9,
        &GraphNodeGet {
            cursor: 1001,
            ..GraphNodeGet::default()
        },
    );
    assert_eq!(peer.receive::<GraphNodeGetReply>().1.retval, -6);
}

#[test]
fn subscribers_get_events_with_their_index_and_pid() {
    let server = Server::new();
    let (mut one, mut other) = (server.connect(), server.connect());
    assert!(server.events.is_empty());
    let want = |enable_disable, pid| WantInterfaceEvents {
        enable_disable,
        pid,
    };
    one.send(1, &want(1, 11));
    other.send(1, &want(1, 22));
    server.events.publish(|request| {
        Some(SwInterfaceEvent {
            pid: request.pid,
            deleted: true,
            ..SwInterfaceEvent::default()
        })
    });
    one.drain();
    let event = one.received.pop_back().unwrap();
    assert_eq!(event[2..10], bytes("80000001 0000000b"));
    other.drain();
    assert_eq!(
        other.received.pop_back().unwrap()[2..10],
        bytes("80000002 00000016")
    );
    // Twice, and once too often.
    let retval = |peer: &mut Peer, enable| {
        peer.received.clear();
        peer.send(1, &want(enable, 0));
        i32::from_be_bytes(*peer.received[0][6..].first_chunk().unwrap())
    };
    assert_eq!(retval(&mut one, 1), -31);
    assert_eq!(retval(&mut one, 0), 0);
    assert_eq!(retval(&mut one, 0), -31);
    drop(other);
    assert!(
        server.events.is_empty(),
        "a client that is gone has no subscription"
    );
}

#[test]
fn a_client_that_reads_no_events_is_disconnected() {
    let limits = ApiLimits {
        max_events: 10_000,
        ..ApiLimits::default()
    };
    let server = Server::with_limits(limits);
    let mut peer = server.connect();
    peer.send(
        1,
        &WantInterfaceEvents {
            enable_disable: 1,
            pid: 1,
        },
    );
    let mut most = 0;
    for _ in 0..1000 {
        server.events.publish(|_| Some(SwInterfaceEvent::default()));
        peer.settle();
        most = most.max(peer.session.held());
    }
    assert!(most <= 10_000 + 100, "{most}");
    assert_eq!(peer.session.is_finished(), Some(Closed::Flooded));
    assert_eq!(server.counters().flooded.get(), 1);
}

#[test]
fn events_that_are_read_may_be_many() {
    let limits = ApiLimits {
        max_events: 10_000,
        ..ApiLimits::default()
    };
    let server = Server::with_limits(limits);
    let mut peer = server.connect();
    peer.send(
        1,
        &WantInterfaceEvents {
            enable_disable: 1,
            pid: 1,
        },
    );
    peer.received.clear();
    for _ in 0..1000 {
        server.events.publish(|_| Some(SwInterfaceEvent::default()));
        peer.drain();
    }
    assert_eq!(peer.received.len(), 1000);
}

#[test]
fn a_client_that_accepts_nothing_is_disconnected_after_the_timeout() {
    let server = Server::new();
    let mut peer = server.connect();
    assert_eq!(peer.session.poll_timeout(), None);
    let ping = peer.frame(1, &ControlPing {});
    peer.arrive(&ping);
    peer.settle();
    let timeout = Duration::from_secs(30);
    assert_eq!(
        peer.session.poll_timeout(),
        Some(START.saturating_add(timeout))
    );
    // A byte accepted begins the time anew.
    peer.now = START.saturating_add(Duration::from_secs(20));
    peer.session.sent(peer.now, 1);
    let due = peer.now.saturating_add(timeout);
    assert_eq!(peer.session.poll_timeout(), Some(due));
    peer.session.handle_timeout(peer.now);
    assert_eq!(peer.session.is_finished(), None);
    peer.session.handle_timeout(due);
    assert_eq!(peer.session.is_finished(), Some(Closed::Stalled));
    assert_eq!(server.counters().stalled.get(), 1);
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn what_came_before_the_end_of_input_is_answered() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut stream = peer.frame(1, &ControlPing {});
    stream.extend(&peer.frame(2, &ControlPing {})[..20]);
    peer.arrive(&stream);
    peer.session.end_of_input();
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 1);
    assert_eq!(peer.session.is_finished(), Some(Closed::EndOfInput));
}

#[test]
fn commands_run_in_band() {
    let server = Server::new();
    let mut peer = server.connect();
    let cases = [
        ("show version", 0, "probe v1\n"),
        ("show version\n", 0, "probe v1\n"),
        ("show version\nsh ver\n", 0, "probe v1\nprobe v1\n"),
        ("no such command", -1, "unknown input `no such command'\n"),
        ("show nothing", -1, "show: unknown input `nothing'\n"),
        ("", 0, ""),
    ];
    for (command, retval, text) in cases {
        peer.send(
            1,
            &CliInband {
                cmd: VarString::from(command),
            },
        );
        let (_, reply) = peer.receive::<CliInbandReply>();
        assert_eq!(
            (reply.retval, &*reply.reply.to_string_lossy()),
            (retval, text),
            "{command}"
        );
    }
}

#[test]
fn a_command_by_address_is_refused_and_logged() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(
        1,
        &barrow_messages::vlib::Cli {
            cmd_in_shmem: 0x1234,
        },
    );
    let (_, reply) = peer.receive::<barrow_messages::vlib::CliReply>();
    assert_eq!((reply.retval, reply.reply_in_shmem), (-126, 0));
    assert!(server.logged().contains("cli is refused"));
}

#[test]
fn floating_point_numbers_are_little_endian() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(1, &GetF64EndianValue { f64_one: 1.0 });
    assert_eq!(
        peer.received.pop_front().unwrap()[2..],
        bytes("00000001 00000000 000000000000f03f")
    );
    peer.send(
        1,
        &GetF64EndianValue {
            f64_one: f64::from_bits(1.0_f64.to_bits().swap_bytes()),
        },
    );
    let (_, reply) = peer.receive::<GetF64EndianValueReply>();
    assert_eq!(
        (reply.retval.cast_signed(), reply.f64_one_result.to_bits()),
        (-159, 1.0_f64.to_bits())
    );
}

#[test]
fn the_first_id_of_a_module_is_told_by_its_range_name() {
    let server = Server::new();
    let mut peer = server.connect();
    let range = *server
        .table
        .ranges()
        .find(|range| range.module.name == "vlib")
        .unwrap();
    peer.send(
        1,
        &GetFirstMsgId {
            name: FixedString::truncated(range.module.range_name),
        },
    );
    let (_, reply) = peer.receive::<GetFirstMsgIdReply>();
    assert_eq!((reply.retval, reply.first_msg_id), (0, range.first_id));
    peer.send(
        1,
        &GetFirstMsgId {
            name: FixedString::truncated("acl_9cde599d"),
        },
    );
    let (_, reply) = peer.receive::<GetFirstMsgIdReply>();
    assert_eq!((reply.retval, reply.first_msg_id), (-7, 0xffff));
}

#[test]
fn the_definitions_are_an_array_with_one_byte_more_than_they_need() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(1, &GetApiJson {});
    let message = peer.received.pop_front().unwrap();
    let (_, reply) = decode_message::<GetApiJsonReply>(&message).unwrap();
    let text = reply.json.to_str().unwrap();
    assert_eq!(message.len(), 14 + text.len() + 1);
    assert!(text.starts_with("[\n{") && text.ends_with("}\n]\n"));
    for module in ["vlib", "vpe", "graph", "interface"] {
        assert!(text.contains(&format!("\"{module}\"")), "{module}");
    }
    assert!(!text.contains("sockclnt_create"));
}

#[test]
fn what_clients_send_is_recorded_while_it_is_switched_on() {
    let server = Server::new();
    let mut peer = server.connect();
    assert!(server.trace.to_file(&server.table).is_none());
    peer.pings();
    server.trace.enable(Some(2));
    peer.send(1, &SockclntCreate::default());
    for context in 1..=3 {
        peer.send(context, &ControlPing {});
    }
    server.trace.disable();
    peer.send(4, &ControlPing {});
    assert_eq!(
        server.trace.status(),
        "RX trace: used 2 of 2 items, is not enabled, has wrapped"
    );
    let file = server.trace.to_file(&server.table).unwrap();
    assert!(file.wrapped);
    assert_eq!(
        file.messages,
        [
            bytes("0017 80000001 00000002"),
            bytes("0017 80000001 00000003")
        ]
    );
    assert!(file.table.contains(&(23, "control_ping_51077d14".into())));
    server.trace.free();
    assert_eq!(server.trace.status(), "RX trace: not yet configured.");
}

#[test]
fn a_thousand_clients_that_die_leave_nothing() {
    let server = Server::new();
    for _ in 0..1000 {
        let mut peer = server.connect();
        assert_eq!(peer.index, 0x8000_0001);
        let ping = peer.frame(1, &ControlPing {});
        peer.arrive(&ping[..ping.len() - 1]);
        peer.settle();
    }
    assert!(server.clients.list().is_empty());
}

#[test]
fn the_log_is_dumped_from_a_time_on() {
    let clients = Clients::new(Rc::default(), Rc::default());
    let mut api = ApiRegistry::new(clients.clone(), barrow_messages::catalogue());
    register_memclnt(&mut api, 1).unwrap();
    let seconds = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(100));
    let clock = seconds.clone();
    let now = move || Duration::from_secs(clock.load(std::sync::atomic::Ordering::Relaxed));
    let log = Logger::new(Default::default(), now, crate::log::NullSink);
    register_log_dump(&mut api, log.clone()).unwrap();
    let table = api.build();
    for (at, text) in [(100, "early"), (200, "late")] {
        seconds.store(at, std::sync::atomic::Ordering::Relaxed);
        log.class("test/sub").notice(format_args!("{text}"));
    }
    let client = clients.connect(3).unwrap();
    let index = client.index().get();
    let session = Session::new(
        table.clone(),
        &clients,
        client,
        ApiTrace::default(),
        log.class("api"),
    );
    let mut peer = Peer {
        session,
        table,
        index,
        now: START,
        received: VecDeque::new(),
        unread: Vec::new(),
    };
    peer.send(
        1,
        &LogDump {
            start_timestamp: barrow_messages::vpe_types::Timestamp(150.0),
        },
    );
    let (_, details) = peer.receive::<LogDetails>();
    assert_eq!(details.message.to_string_lossy(), "late");
    assert_eq!(details.msg_class.to_string_lossy(), "test/sub");
    assert_eq!(
        (details.level.0, details.timestamp.0.to_bits()),
        (5, 200.0_f64.to_bits())
    );
    assert!(peer.received.is_empty());
}

#[test]
fn handlers_are_registered_once_and_for_known_messages_only() {
    let clients = Clients::new(Rc::default(), Rc::default());
    let mut api = ApiRegistry::new(clients.clone(), &[]);
    let unknown = api.request(|_, _: ControlPing| Ok(ControlPingReply::default()));
    assert!(matches!(
        unknown,
        Err(ApiRegisterError::UnknownModule { .. })
    ));
    let memclnt = barrow_messages::catalogue()
        .iter()
        .find(|m| m.name == "memclnt")
        .unwrap();
    api.module(memclnt).unwrap();
    assert_eq!(
        api.module(memclnt),
        Err(ApiRegisterError::DuplicateModule("memclnt"))
    );
    register_memclnt(&mut api, 1).unwrap();
    let again = api.request(|_, _: ControlPing| Ok(ControlPingReply::default()));
    assert_eq!(again, Err(ApiRegisterError::Duplicate("control_ping")));
}

/// Frames of any content, some of them nearly right.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let body = (
        any::<u16>(),
        0_u16..120,
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 0..90),
    );
    let frame = body.prop_map(|(any_id, small_id, small, content)| {
        let id = if small { small_id } else { any_id };
        // A client index that passes, in front of anything.
        let message = [
            &id.to_be_bytes()[..],
            &0x8000_0001_u32.to_be_bytes(),
            &content,
        ]
        .concat();
        let mut out = Vec::new();
        frame::append(&message, &mut out).unwrap();
        out
    });
    prop::collection::vec(frame, 0..20).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_bytes_make_a_session_panic_or_grow(
        stream in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), frames()],
        cut in any::<prop::sample::Index>(),
    ) {
        let limits = ApiLimits { max_queued: 10_000, ..ApiLimits::default() };
        let server = Server::with_limits(limits);
        server.details.set(500);
        let mut peer = server.connect();
        let (first, rest) = stream.split_at(cut.index(stream.len() + 1));
        for piece in [first, rest] {
            peer.arrive(piece);
            peer.settle();
            // One answer may exceed the limit: the definitions are the longest.
            prop_assert!(peer.session.output().len() < 1 << 20);
            prop_assert!(peer.session.held() <= peer.session.output().len() + stream.len());
        }
        server.answer.set(true);
        peer.session.end_of_input();
        peer.drain();
        prop_assert!(peer.session.is_finished().is_some());
    }

    #[test]
    fn the_order_of_answers_is_that_of_requests(kinds in prop::collection::vec(0_u8..4, 1..30)) {
        let server = Server::new();
        server.details.set(3);
        server.answer.set(true);
        let mut peer = server.connect();
        let mut expected = Vec::new();
        for (context, kind) in (0_u32..).zip(&kinds) {
            let (frame, answers) = match kind {
                0 => (peer.frame(context, &ControlPing {}), 1),
                1 => (peer.frame(context, &LogDump::default()), 3),
                2 => (peer.frame(context, &ShowVpeSystemTime {}), 1),
                _ => (peer.frame(context, &GraphNodeGet { cursor: 998, ..Default::default() }), 3),
            };
            expected.extend(std::iter::repeat_n(context, answers));
            peer.arrive(&frame);
        }
        peer.drain();
        let contexts: Vec<u32> = peer
            .received
            .iter()
            .map(|message| u32::from_be_bytes(*message[2..].first_chunk().unwrap()))
            .collect();
        prop_assert_eq!(contexts, expected);
    }
}

#[test]
fn a_waiting_event_wakes_its_session() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(
        1,
        &WantInterfaceEvents {
            enable_disable: 1,
            pid: 1,
        },
    );
    struct Woken(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let woken = std::sync::Arc::new(Woken(false.into()));
    let waker = Waker::from(woken.clone());
    let _ = peer
        .session
        .work(START, &mut Context::from_waker(&waker), &mut 10);
    server.events.publish(|_| Some(SwInterfaceEvent::default()));
    assert!(woken.0.load(std::sync::atomic::Ordering::Relaxed));
}
