//! Clients that lie, flood, stall or die.

use super::*;

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
