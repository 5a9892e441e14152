//! `ping` from the command to the wire and back.

use crate::ip::checksum::Sum;
use crate::testing::{Router, frame, host_mac, own_mac};
use barrow_engine::cli::{CliSession, Macros, SessionSettings, execute};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const HOST: [u8; 4] = [10, 0, 0, 2];

/// A command that runs while the test does something else.
struct Running {
    session: CliSession,
    future: Pin<Box<dyn Future<Output = bool>>>,
}

impl Running {
    fn new(router: &Router, command: &str) -> Self {
        let session = CliSession::program_session(
            "test",
            Rc::<SessionSettings>::default(),
            Rc::<Macros>::default(),
        );
        let (registry, own, command) = (
            router.bed.cli().clone(),
            session.clone(),
            command.to_owned(),
        );
        let future = Box::pin(async move { execute(&registry, &own, &command).await.is_ok() });
        Self { session, future }
    }

    /// Goes on; whether it succeeded once it is at its end.
    fn go_on(&mut self, router: &mut Router) -> Option<bool> {
        let mut cx = Context::from_waker(Waker::noop());
        let polled = self.future.as_mut().poll(&mut cx);
        router.bed.run();
        match polled {
            Poll::Ready(ok) => Some(ok),
            Poll::Pending => None,
        }
    }

    fn text(&self) -> String {
        self.session.output().take()
    }
}

fn router() -> Router {
    let mut router = Router::new(1);
    router.address(0, [10, 0, 0, 1], 24);
    router.neighbor(0, HOST, host_mac(2));
    router
}

/// The answer of a host to a request on the wire.
fn answer(request: &[u8]) -> Vec<u8> {
    let mut ip4 = request[14..].to_vec();
    for at in 0..4 {
        ip4.swap(12 + at, 16 + at);
    }
    ip4[20] = 0;
    ip4[22..24].fill(0);
    let sum = Sum::new().bytes(&ip4[20..]).finish();
    ip4[22..24].copy_from_slice(&sum.to_be_bytes());
    frame(own_mac(0), host_mac(2), 0x0800, &ip4)
}

#[test]
fn a_host_that_answers_is_told_with_the_time_it_took() {
    let mut router = router();
    let mut ping = Running::new(&router, "ping 10.0.0.2 repeat 2");
    for round in 1..=2u8 {
        assert_eq!(ping.go_on(&mut router), None);
        let sent = router.sent();
        assert_eq!(sent.len(), 1);
        let bytes = &sent[0].bytes;
        assert_eq!(bytes.len(), 14 + 96);
        assert_eq!((bytes[26..30].to_vec(), bytes[34]), (vec![10, 0, 0, 1], 8));
        assert_eq!(bytes[40..42], [0, round], "the sequence number");
        assert_eq!(Sum::new().bytes(&bytes[34..]).fold(), 0xffff);
        router.bed.advance(Duration::from_micros(1500));
        router.receive(0, [answer(bytes)]);
        if round < 2 {
            assert_eq!(ping.go_on(&mut router), None);
            router.bed.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(ping.go_on(&mut router), Some(true));
    assert_eq!(
        ping.text(),
        "116 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.5000 ms\n\
         116 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=1.5000 ms\n\
         \nStatistics: 2 sent, 2 received, 0% packet loss\n"
    );
    assert_eq!(router.bed.error("ip4-icmp-echo-reply", "received"), 2);
    router.bed.assert_conserved();
}

#[test]
fn a_host_that_does_not_answer_is_lost() {
    let mut router = router();
    let mut ping = Running::new(&router, "ping 10.0.0.2 repeat 2 interval 0.1 burst 3");
    for _ in 0..2 {
        assert_eq!(ping.go_on(&mut router), None);
        assert_eq!(router.sent().len(), 3);
        router.bed.advance(Duration::from_millis(100));
    }
    assert_eq!(ping.go_on(&mut router), Some(true));
    assert_eq!(
        ping.text(),
        "\nStatistics: 6 sent, 0 received, 100% packet loss\n"
    );
}

#[test]
fn the_node_answers_itself() {
    let mut router = router();
    let mut ping = Running::new(&router, "ping 10.0.0.1 repeat 1");
    assert_eq!(ping.go_on(&mut router), None);
    assert_eq!(ping.go_on(&mut router), Some(true));
    assert!(ping.text().contains("1 sent, 1 received, 0% packet loss"));
    router.bed.assert_conserved();
}

#[test]
fn without_route_or_address_nothing_is_sent() {
    let mut router = router();
    for (command, failure) in [
        ("ping 99.0.0.1 repeat 1 interval 0", "no egress interface"),
        (
            "ping 10.0.0.2 repeat 1 interval 0 table-id 9",
            "no FIB table for lookup",
        ),
        (
            "ping 10.0.0.2 repeat 1 interval 0 source local0",
            "no source address for egress interface",
        ),
    ] {
        let mut ping = Running::new(&router, command);
        while ping.go_on(&mut router).is_none() {
            router.bed.advance(Duration::from_millis(1));
        }
        assert_eq!(
            ping.text(),
            format!("Failed: {failure}\n\nStatistics: 0 sent, 0 received, 0% packet loss\n"),
            "{command}"
        );
    }
    assert!(router.sent().is_empty());
}

#[test]
fn an_answer_that_nobody_asked_for_is_somebody_elses() {
    let mut router = router();
    let mut ping = Running::new(&router, "ping 10.0.0.2 repeat 1");
    assert_eq!(ping.go_on(&mut router), None);
    let mut late = answer(&router.sent()[0].bytes);
    late[14 + 20 + 4] ^= 1;
    router.receive(0, [late]);
    assert_eq!(router.bed.error("ip4-icmp-echo-reply", "unknown"), 1);
    drop(ping);
    router.bed.assert_conserved();
}

#[test]
fn requests_larger_than_a_buffer_are_sent_whole() {
    let mut router = router();
    let mut ping = Running::new(&router, "ping 10.0.0.2 repeat 1 size 5000");
    assert_eq!(ping.go_on(&mut router), None);
    let sent = router.sent();
    assert_eq!(sent[0].bytes.len(), 14 + 20 + 8 + 8 + 5000);
    assert_eq!(Sum::new().bytes(&sent[0].bytes[34..]).fold(), 0xffff);
}
