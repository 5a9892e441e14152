//! Dumps, cursor streams and events.

use super::*;

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
