//! The client against servers that behave, refuse, vanish, or make no sense.

use super::super::message::tests::{answer, options_of};
use super::super::options::code;
use super::*;
use proptest::prelude::*;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const GIVEN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

fn identity() -> Identity {
    Identity {
        mac: [2, 0, 0, 0, 0, 1],
        host_name: b"node".to_vec(),
        client_id: Vec::new(),
        broadcast: true,
    }
}

/// A client, its clock, and what it said.
struct Bench {
    client: DhcpClient,
    now: Instant,
}

impl Bench {
    fn new(seed: u64) -> Self {
        Self {
            client: DhcpClient::new(identity(), seed, Instant::ZERO),
            now: Instant::ZERO,
        }
    }

    /// Everything it wants now.
    fn said(&mut self) -> Vec<Output> {
        let mut said = Vec::new();
        while self.client.poll_timeout().is_some_and(|at| at <= self.now) {
            self.client.handle_timeout(self.now);
        }
        said.extend(std::iter::from_fn(|| self.client.poll_output(self.now)));
        said
    }

    /// Goes on to its next deadline; what it wants then.
    fn next(&mut self) -> Vec<Output> {
        self.now = self
            .client
            .poll_timeout()
            .expect("it waits for something")
            .max(self.now);
        self.said()
    }

    fn hear(
        &mut self,
        to: &[u8],
        kind: u8,
        address: Ipv4Addr,
        more: &[(u8, Vec<u8>)],
    ) -> Vec<Output> {
        let mut options = vec![
            (code::MESSAGE_TYPE, vec![kind]),
            (code::SERVER_IDENTIFIER, SERVER.octets().to_vec()),
        ];
        options.extend_from_slice(more);
        let bytes = answer(to, address, &options);
        self.client.handle_input(self.now, Input::Message(&bytes));
        self.said()
    }

    /// From the beginning to a lease of `seconds`.
    fn bound(seed: u64, seconds: u32) -> Self {
        let mut bench = Self::new(seed);
        let discover = broadcast(&bench.next());
        let request = broadcast(&bench.hear(&discover, 2, GIVEN, &[]));
        bench.hear(&request, 5, GIVEN, &lease(seconds));
        while bench.client.phase() == Phase::Checking {
            bench.next();
        }
        bench
    }

    fn seconds(&self) -> u64 {
        self.now.as_nanos() / 1_000_000_000
    }
}

fn lease(seconds: u32) -> Vec<(u8, Vec<u8>)> {
    vec![
        (code::LEASE_TIME, seconds.to_be_bytes().to_vec()),
        (code::SUBNET_MASK, vec![255, 255, 255, 0]),
        (code::ROUTER, SERVER.octets().to_vec()),
    ]
}

/// The only message among these, broadcast.
fn broadcast(said: &[Output]) -> Vec<u8> {
    match said {
        [Output::Broadcast(message)] => message.clone(),
        other => panic!("one broadcast expected: {other:?}"),
    }
}

fn kind(message: &[u8]) -> u8 {
    options_of(message).byte(code::MESSAGE_TYPE).unwrap()
}

#[test]
fn a_lease_is_found_asked_for_checked_and_bound() {
    let mut bench = Bench::new(1);
    let discover = broadcast(&bench.next());
    assert_eq!(kind(&discover), 1);
    let request = broadcast(&bench.hear(&discover, 2, GIVEN, &[]));
    let options = options_of(&request);
    assert_eq!(kind(&request), 3);
    assert_eq!(options.address(code::REQUESTED_ADDRESS), Some(GIVEN));
    assert_eq!(options.address(code::SERVER_IDENTIFIER), Some(SERVER));
    assert_eq!(discover[4..8], request[4..8], "one exchange");
    let said = bench.hear(&request, 5, GIVEN, &lease(3600));
    assert_eq!(said, [Output::Probe(GIVEN)]);
    assert!(bench.client.lease().is_none(), "not before it is checked");
    assert_eq!(bench.next(), [Output::Probe(GIVEN)]);
    assert_eq!(bench.next(), [Output::Probe(GIVEN)]);
    let [Output::Bound(lease)] = &bench.next()[..] else {
        panic!("bound");
    };
    assert_eq!((lease.address, lease.prefix_len), (GIVEN, 24));
    assert_eq!((lease.router, lease.server), (Some(SERVER), SERVER));
    assert_eq!((lease.renewal, lease.rebinding), (1800, 3150));
    assert_eq!(bench.client.lease(), Some(lease));
}

#[test]
fn without_an_answer_it_asks_again_and_ever_more_rarely() {
    let mut bench = Bench::new(3);
    let mut before = 0;
    let mut gaps = Vec::new();
    for _ in 0..8 {
        assert_eq!(kind(&broadcast(&bench.next())), 1);
        let now = bench.now.as_nanos() / 1_000_000;
        gaps.push(now - before);
        before = now;
    }
    for (gap, expected) in gaps[1..].iter().zip([4u64, 8, 16, 32, 64, 64, 64]) {
        let around = (expected - 1) * 1000..=(expected + 1) * 1000;
        assert!(around.contains(gap), "{gaps:?}");
    }
}

#[test]
fn an_offer_that_is_not_kept_is_given_up() {
    let mut bench = Bench::new(4);
    let discover = broadcast(&bench.next());
    bench.hear(&discover, 2, GIVEN, &[]);
    for _ in 1..MOST_REQUESTS {
        assert_eq!(kind(&broadcast(&bench.next())), 3);
    }
    let again = broadcast(&bench.next());
    assert_eq!(kind(&again), 1, "from the beginning");
    assert_ne!(again[4..8], discover[4..8], "another exchange");
}

#[test]
fn a_lease_is_renewed_at_its_server_by_half_of_its_time() {
    let mut bench = Bench::bound(5, 1000);
    let said = bench.next();
    assert_eq!(bench.client.phase(), Phase::Renewing);
    assert_eq!(
        bench.seconds(),
        500,
        "half of it, from the acknowledgement on"
    );
    let [Output::Unicast { from, to, message }] = &said[..] else {
        panic!("to its server alone: {said:?}");
    };
    assert_eq!((*from, *to), (GIVEN, SERVER));
    assert_eq!(message[12..16], GIVEN.octets(), "its address is in use");
    assert_eq!(options_of(message).address(code::REQUESTED_ADDRESS), None);
    assert_eq!(options_of(message).address(code::SERVER_IDENTIFIER), None);
    let said = bench.hear(message, 5, GIVEN, &lease(2000));
    let [Output::Bound(lease)] = &said[..] else {
        panic!("at once, without a check: {said:?}");
    };
    assert_eq!(lease.seconds, 2000);
    assert_eq!(bench.client.phase(), Phase::Bound);
}

#[test]
fn a_silent_server_is_followed_by_any_other_and_then_by_the_end() {
    let mut bench = Bench::bound(6, 800);
    let mut renewals = Vec::new();
    let mut rebinds = Vec::new();
    let end = loop {
        let said = bench.next();
        match &said[..] {
            [Output::Unicast { .. }] => renewals.push(bench.seconds()),
            [Output::Broadcast(message)] => {
                assert_eq!((kind(message), &message[12..16]), (3, &GIVEN.octets()[..]));
                rebinds.push(bench.seconds());
            }
            [Output::Lost(Loss::Expired), Output::Broadcast(_)] => break bench.seconds(),
            other => panic!("{other:?}"),
        }
    };
    // T1 400 s, T2 700 s, the end 800 s; in between by halves, a minute apart at least.
    assert_eq!(renewals, [400, 550, 625, 685]);
    assert_eq!(rebinds, [700, 760]);
    assert_eq!(end, 800);
    assert_eq!(bench.client.phase(), Phase::Looking);
}

#[test]
fn a_refusal_takes_the_lease_away() {
    let mut bench = Bench::bound(7, 1000);
    let said = bench.next();
    let [Output::Unicast { message, .. }] = &said[..] else {
        panic!("{said:?}");
    };
    let said = bench.hear(&message.clone(), 6, Ipv4Addr::UNSPECIFIED, &[]);
    assert_eq!(said, [Output::Lost(Loss::Refused)]);
    assert_eq!(kind(&broadcast(&bench.next())), 1);
    assert_eq!(bench.client.counts().naks, 1);
}

#[test]
fn a_refused_request_begins_anew_after_a_moment() {
    let mut bench = Bench::new(8);
    let discover = broadcast(&bench.next());
    let request = broadcast(&bench.hear(&discover, 2, GIVEN, &[]));
    assert!(
        bench
            .hear(&request, 6, Ipv4Addr::UNSPECIFIED, &[])
            .is_empty()
    );
    let before = bench.now;
    assert_eq!(kind(&broadcast(&bench.next())), 1);
    assert_eq!(bench.now - before, REST_AFTER_NAK);
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let mut bench = Bench::new(9);
    let discover = broadcast(&bench.next());
    let request = broadcast(&bench.hear(&discover, 2, GIVEN, &[]));
    bench.hear(&request, 5, GIVEN, &lease(3600));
    bench
        .client
        .handle_input(bench.now, Input::Conflict(SERVER));
    assert!(bench.said().is_empty(), "that is not ours");
    bench.client.handle_input(bench.now, Input::Conflict(GIVEN));
    let decline = broadcast(&bench.said());
    let options = options_of(&decline);
    assert_eq!(kind(&decline), 4);
    assert_eq!(options.address(code::REQUESTED_ADDRESS), Some(GIVEN));
    assert_eq!(options.address(code::SERVER_IDENTIFIER), Some(SERVER));
    assert_eq!(decline[12..16], [0; 4], "it is not ours");
    let before = bench.now;
    assert_eq!(kind(&broadcast(&bench.next())), 1);
    assert_eq!(bench.now - before, REST_AFTER_DECLINE);
}

#[test]
fn a_conflict_later_gives_the_address_up() {
    let mut bench = Bench::bound(10, 3600);
    bench.client.handle_input(bench.now, Input::Conflict(GIVEN));
    let said = bench.said();
    assert!(
        matches!(
            &said[..],
            [Output::Broadcast(_), Output::Lost(Loss::Conflict)]
        ),
        "{said:?}"
    );
}

#[test]
fn an_end_gives_the_lease_back() {
    let mut bench = Bench::bound(11, 3600);
    bench.client.handle_shutdown(bench.now);
    let said = bench.said();
    let [
        Output::Unicast { message, to, .. },
        Output::Lost(Loss::Released),
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    assert_eq!((kind(message), *to), (7, SERVER));
    assert!(bench.client.is_finished());
    assert_eq!(bench.client.poll_timeout(), None);
}

#[test]
fn a_lease_for_ever_is_never_renewed() {
    let bench = Bench::bound(12, u32::MAX);
    assert_eq!(bench.client.poll_timeout(), None);
    assert_eq!(bench.client.lease().unwrap().expires_at(), None);
}

#[test]
fn messages_for_others_and_of_other_exchanges_are_ignored() {
    let mut bench = Bench::new(13);
    let discover = broadcast(&bench.next());
    let mut other = discover.clone();
    other[5] ^= 1;
    assert!(bench.hear(&other, 2, GIVEN, &[]).is_empty());
    let mut other = discover.clone();
    other[33] ^= 1;
    assert!(bench.hear(&other, 2, GIVEN, &[]).is_empty());
    assert!(
        bench.hear(&discover, 5, GIVEN, &lease(60)).is_empty(),
        "nothing was asked for"
    );
    assert!(
        bench
            .hear(&discover, 2, Ipv4Addr::BROADCAST, &[])
            .is_empty()
    );
    assert_eq!(bench.client.counts().ignored, 4);
}

#[test]
fn another_address_at_renewal_is_checked_before_it_is_used() {
    let mut bench = Bench::bound(14, 1000);
    let said = bench.next();
    let [Output::Unicast { message, .. }] = &said[..] else {
        panic!("{said:?}");
    };
    let other = Ipv4Addr::new(10, 0, 0, 8);
    let said = bench.hear(&message.clone(), 5, other, &lease(1000));
    assert_eq!(said, [Output::Lost(Loss::Refused), Output::Probe(other)]);
    assert_eq!(bench.client.phase(), Phase::Checking);
}

proptest! {
    /// Whatever servers say in whatever order, the client stays in step: it never says that it is bound
    /// twice without a change, a deadline is always set while it is alive, and time alone never stops it.
    #[test]
    fn any_course_of_events_leaves_it_working(
        seed: u64,
        events in prop::collection::vec((0..8u8, any::<u8>(), any::<u32>(), any::<u32>()), 0..60),
    ) {
        let mut bench = Bench::new(seed);
        let mut last = broadcast(&bench.next());
        let mut holds = false;
        for (event, address, a, b) in events {
            let given = Ipv4Addr::new(10, 0, 0, address);
            let times = [
                (code::LEASE_TIME, a.to_be_bytes().to_vec()),
                (code::RENEWAL_TIME, b.to_be_bytes().to_vec()),
                (code::REBINDING_TIME, (a ^ b).to_be_bytes().to_vec()),
            ];
            let said = match event {
                0..=2 => bench.hear(&last.clone(), [2, 5, 6][usize::from(event)], given, &times),
                3 => {
                    bench.client.handle_input(bench.now, Input::Conflict(given));
                    bench.said()
                }
                4 => {
                    let noise = [a.to_be_bytes(), b.to_be_bytes()].concat();
                    bench.client.handle_input(bench.now, Input::Message(&noise));
                    bench.said()
                }
                _ if bench.client.poll_timeout().is_some() => bench.next(),
                _ => Vec::new(),
            };
            for output in said {
                match output {
                    Output::Broadcast(message) | Output::Unicast { message, .. } => last = message,
                    Output::Bound(lease) => {
                        prop_assert!(lease.renewal <= lease.rebinding && lease.rebinding <= lease.seconds);
                        holds = true;
                    }
                    Output::Lost(_) => {
                        prop_assert!(holds);
                        holds = false;
                    }
                    Output::Probe(address) => prop_assert!(Some(address) == bench.client.guarded()),
                }
            }
            prop_assert_eq!(holds, bench.client.lease().is_some());
            let for_ever = bench.client.lease().is_some_and(|lease| lease.expires_at().is_none());
            prop_assert!(for_ever || bench.client.poll_timeout().is_some());
        }
    }
}
