//! The client as a state machine (RFC 2131, 4.4): messages and time in, messages and news out.
//!
//! ```text
//!   Looking --offer--> Requesting --ack--> Checking --nobody objects--> Bound
//!      ^  ^                |                  | conflict: decline         | T1: renew, unicast
//!      |  +-----nak--------+                  |                           | T2: rebind, broadcast
//!      +--------------------------------------+---- nak, expiry ----------+
//! ```
//!
//! It knows no clock, socket or chance: time is handed in, and randomness is drawn from a seed, so that a
//! run can be repeated. Whoever drives it sends what it says, and tells it of messages and conflicts.

use super::lease::Lease;
use super::message::{Identity, Kind, Reply, Request};
use barrow_core::Machine;
use barrow_engine::Instant;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

/// First time to wait for an answer; doubled each time, up to the longest, with a second of chance either
/// way (RFC 2131, 4.1).
const FIRST_RETRY: Duration = Duration::from_secs(4);
const LAST_RETRY: Duration = Duration::from_secs(64);
/// Requests for an offered address, at most.
const MOST_REQUESTS: u32 = 4;
/// The least time between two renewals (RFC 2131, 4.4.5).
const LEAST_RENEWAL: Duration = Duration::from_secs(60);
/// How often the network is asked whether somebody has the address already, and how long an answer may
/// take. Shorter than RFC 5227 has it: a node is waited for.
const PROBES: u32 = 3;
const PROBE_WAIT: Duration = Duration::from_millis(300);
/// Rest after a conflict (RFC 2131, 3.1.5).
const REST_AFTER_DECLINE: Duration = Duration::from_secs(10);
/// Rest after a refusal, so that a broken server is not asked without end.
const REST_AFTER_NAK: Duration = Duration::from_secs(1);

/// What the machine is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// The payload of a datagram to the client's port.
    Message(&'a [u8]),
    /// Another host uses this address.
    Conflict(Ipv4Addr),
}

/// What the machine wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send this message to every server, from no address.
    Broadcast(Vec<u8>),
    /// Send this message to one server.
    Unicast {
        /// The client's address.
        from: Ipv4Addr,
        /// The server.
        to: Ipv4Addr,
        /// The message.
        message: Vec<u8>,
    },
    /// Ask the network who has this address (an ARP probe).
    Probe(Ipv4Addr),
    /// The lease is valid from now on; in place of the one before.
    Bound(Lease),
    /// The lease is not valid any more: stop using the address at once.
    Lost(Loss),
}

/// Why a lease ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// Nobody renewed it.
    Expired,
    /// A server took it back.
    Refused,
    /// Another host uses the address.
    Conflict,
    /// It was given back.
    Released,
}

/// How far the client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Asks for servers.
    Looking,
    /// Asks for the offered address.
    Requesting,
    /// Asks the network whether the address is free.
    Checking,
    /// Has a lease.
    Bound,
    /// Has a lease and asks its server for more time.
    Renewing,
    /// Has a lease and asks any server for more time.
    Rebinding,
    /// Was told to end.
    Ended,
}

/// What the client counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Discover messages.
    pub discovers: u64,
    /// Offers that were taken.
    pub offers: u64,
    /// Request messages.
    pub requests: u64,
    /// Leases given or prolonged.
    pub acks: u64,
    /// Refusals.
    pub naks: u64,
    /// Conflicts.
    pub declines: u64,
    /// Messages that were for others, or made no sense now.
    pub ignored: u64,
}

/// A client of one interface.
#[derive(Clone, Debug)]
pub struct DhcpClient {
    identity: Identity,
    random: u64,
    phase: Phase,
    /// When the client does something by itself.
    deadline: Option<Instant>,
    /// Messages of this phase so far.
    attempts: u32,
    transaction: u32,
    /// When it began to look for an address.
    began: Instant,
    /// What the latest request asks for.
    offer: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The lease in use, or the one being checked.
    lease: Option<Lease>,
    outputs: VecDeque<Output>,
    counts: Counts,
}

impl DhcpClient {
    /// A client that begins to look for a server at once.
    #[must_use]
    pub fn new(identity: Identity, seed: u64, now: Instant) -> Self {
        Self {
            identity,
            random: seed,
            phase: Phase::Looking,
            deadline: Some(now),
            attempts: 0,
            transaction: 0,
            began: now,
            offer: None,
            lease: None,
            outputs: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// How far it is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The lease, once it is valid.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        let valid = matches!(
            self.phase,
            Phase::Bound | Phase::Renewing | Phase::Rebinding
        );
        self.lease.as_ref().filter(|_| valid)
    }

    /// The address that must not be seen at another host: while it is checked, and while it is used.
    #[must_use]
    pub fn guarded(&self) -> Option<Ipv4Addr> {
        self.lease.as_ref().map(|lease| lease.address)
    }

    /// Messages of this phase so far.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The next number of the generator (splitmix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The time to wait for the answer to message number `attempts`.
    fn patience(&mut self) -> Duration {
        let doubled = FIRST_RETRY * 2u32.pow(self.attempts.saturating_sub(1).min(8));
        let chance = Duration::from_millis(self.draw() % 2000);
        doubled.min(LAST_RETRY) + chance - Duration::from_secs(1)
    }

    fn request(&self, kind: Kind, now: Instant) -> Request {
        let seconds = (now - self.began).as_secs();
        Request {
            kind,
            transaction: self.transaction,
            seconds: u16::try_from(seconds).unwrap_or(u16::MAX),
            own: Ipv4Addr::UNSPECIFIED,
            wanted: None,
            server: None,
        }
    }

    fn broadcast(&mut self, request: Request) {
        let message = request.write(&self.identity);
        self.outputs.push_back(Output::Broadcast(message));
    }

    fn unicast(&mut self, lease: &Lease, request: Request) {
        self.outputs.push_back(Output::Unicast {
            from: lease.address,
            to: lease.server,
            message: request.write(&self.identity),
        });
    }

    fn go(&mut self, phase: Phase, deadline: Option<Instant>) {
        self.phase = phase;
        self.deadline = deadline;
        self.attempts = 0;
    }

    /// Begins anew, at `at`.
    fn start_over(&mut self, at: Instant) {
        self.lease = None;
        self.offer = None;
        self.began = at;
        self.go(Phase::Looking, Some(at));
    }

    fn lose(&mut self, loss: Loss, again: Instant) {
        if self.lease().is_some() {
            self.outputs.push_back(Output::Lost(loss));
        }
        self.start_over(again);
    }

    fn discover(&mut self, now: Instant) {
        if self.attempts == 0 {
            self.transaction = self.draw() as u32;
        }
        self.attempts += 1;
        self.counts.discovers += 1;
        self.broadcast(self.request(Kind::Discover, now));
        self.deadline = Some(now + self.patience());
    }

    /// Asks for the offered address.
    fn ask(&mut self, now: Instant) {
        let Some((address, server)) = self.offer.filter(|_| self.attempts < MOST_REQUESTS) else {
            return self.start_over(now);
        };
        self.attempts += 1;
        self.counts.requests += 1;
        self.broadcast(Request {
            wanted: Some(address),
            server: Some(server),
            ..self.request(Kind::Request, now)
        });
        self.deadline = Some(now + self.patience());
    }

    /// Asks the network about the address, or takes it once it was asked often enough.
    fn check(&mut self, now: Instant) {
        let Some(lease) = &self.lease else {
            return self.start_over(now);
        };
        if self.attempts < PROBES {
            self.attempts += 1;
            self.outputs.push_back(Output::Probe(lease.address));
            self.deadline = Some(now + PROBE_WAIT);
        } else {
            self.bind(now);
        }
    }

    /// The lease is valid from now on.
    fn bind(&mut self, now: Instant) {
        let Some(lease) = self.lease.clone() else {
            return self.start_over(now);
        };
        self.go(Phase::Bound, lease.renew_at());
        self.outputs.push_back(Output::Bound(lease));
    }

    /// Asks for more time.
    fn prolong(&mut self, now: Instant) {
        let Some(lease) = self.lease.clone() else {
            return self.start_over(now);
        };
        if lease.expires_at().is_some_and(|end| end <= now) {
            return self.lose(Loss::Expired, now);
        }
        let rebind_at = lease.rebind_at().unwrap_or(Instant::MAX);
        let any_server = now >= rebind_at;
        let phase = if any_server {
            Phase::Rebinding
        } else {
            Phase::Renewing
        };
        if self.phase != phase {
            self.go(phase, None);
            self.began = now;
            self.transaction = self.draw() as u32;
        }
        self.attempts += 1;
        self.counts.requests += 1;
        let request = Request {
            own: lease.address,
            ..self.request(Kind::Request, now)
        };
        let end = if any_server {
            self.broadcast(request);
            lease.expires_at().unwrap_or(Instant::MAX)
        } else {
            self.unicast(&lease, request);
            rebind_at
        };
        let half = end.saturating_since(now) / 2;
        self.deadline = Some(end.min(now + half.max(LEAST_RENEWAL)));
    }

    /// What a server says to a message of this exchange.
    fn hear(&mut self, now: Instant, reply: &Reply) -> bool {
        let of_offer = self
            .offer
            .is_some_and(|(_, server)| reply.server.is_none_or(|said| said == server));
        match (self.phase, reply.kind) {
            (Phase::Looking, Kind::Offer) => self.take_offer(now, reply),
            (Phase::Requesting, Kind::Ack) if of_offer => self.take_lease(now, reply),
            (Phase::Renewing | Phase::Rebinding, Kind::Ack) => self.take_lease(now, reply),
            (Phase::Requesting, Kind::Nak) if of_offer => {
                self.counts.naks += 1;
                self.start_over(now + REST_AFTER_NAK);
                true
            }
            (Phase::Renewing | Phase::Rebinding, Kind::Nak) => {
                self.counts.naks += 1;
                self.lose(Loss::Refused, now + REST_AFTER_NAK);
                true
            }
            _ => false,
        }
    }

    fn take_offer(&mut self, now: Instant, reply: &Reply) -> bool {
        let (Some(server), true) = (reply.server, Lease::usable(reply.address)) else {
            return false;
        };
        // Before the first message there is no exchange that this could belong to.
        if self.attempts == 0 {
            return false;
        }
        self.counts.offers += 1;
        self.offer = Some((reply.address, server));
        self.go(Phase::Requesting, None);
        self.ask(now);
        true
    }

    fn take_lease(&mut self, now: Instant, reply: &Reply) -> bool {
        let server = self.lease.as_ref().map(|lease| lease.server);
        let server = server.or(self.offer.map(|(_, server)| server));
        let Some(lease) = Lease::of(reply, server, now) else {
            return false;
        };
        self.counts.acks += 1;
        let known = self.lease().is_some_and(|old| old.address == lease.address);
        if !known && self.lease().is_some() {
            // Another address than before: that one goes, this one is checked.
            self.outputs.push_back(Output::Lost(Loss::Refused));
        }
        self.lease = Some(lease);
        if known {
            self.bind(now);
        } else {
            self.go(Phase::Checking, None);
            self.check(now);
        }
        true
    }

    fn conflict(&mut self, now: Instant, address: Ipv4Addr) {
        let Some(lease) = self.lease.clone().filter(|lease| lease.address == address) else {
            return;
        };
        self.counts.declines += 1;
        self.transaction = self.draw() as u32;
        self.broadcast(Request {
            wanted: Some(lease.address),
            server: Some(lease.server),
            ..self.request(Kind::Decline, now)
        });
        self.lose(Loss::Conflict, now + REST_AFTER_DECLINE);
    }
}

impl Machine for DhcpClient {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Conflict(address) => self.conflict(now, address),
            Input::Message(bytes) => {
                let reply = Reply::read(bytes).ok().filter(|reply| {
                    reply.transaction == self.transaction && reply.mac == self.identity.mac
                });
                if !reply.is_some_and(|reply| self.hear(now, &reply)) {
                    self.counts.ignored += 1;
                }
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        match self.phase {
            Phase::Looking => self.discover(now),
            Phase::Requesting => self.ask(now),
            Phase::Checking => self.check(now),
            Phase::Bound | Phase::Renewing | Phase::Rebinding => self.prolong(now),
            Phase::Ended => self.deadline = None,
        }
    }

    /// Gives the lease back.
    fn handle_shutdown(&mut self, now: Instant) {
        if let Some(lease) = self.lease().cloned() {
            self.transaction = self.draw() as u32;
            let release = Request {
                own: lease.address,
                server: Some(lease.server),
                ..self.request(Kind::Release, now)
            };
            self.unicast(&lease, release);
            self.outputs.push_back(Output::Lost(Loss::Released));
        }
        self.lease = None;
        self.go(Phase::Ended, None);
    }

    fn poll_output(&mut self, _: Instant) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn is_finished(&self) -> bool {
        self.phase == Phase::Ended && self.outputs.is_empty()
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
