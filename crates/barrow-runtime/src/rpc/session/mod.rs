//! A connection between two peers that call each other, without I/O.

mod command;
mod message;
mod receive;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use barrow_core::{Instant, Machine};

use super::frame::{Assembler, Frame, Hello};
use super::status::{CloseReason, Code, Failure};

pub use message::{CallId, Command, Event, Input, Limits, Output, SessionStats};

/// Whose call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Ours,
    Theirs,
}

#[derive(Debug)]
struct Call {
    deadline: Option<Instant>,
    /// Items that may still come or go; `None` for a single reply.
    credit: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Our greeting is out, theirs is awaited.
    Greeting,
    Open(Hello),
    /// [`Event::Closed`] is the last event.
    Closed,
}

/// Calls in both directions over one byte stream: a [`Machine`].
///
/// Every call ends in a reply, a failure, its deadline, or the end of the session, on both sides.
/// What leaves is bounded by what was asked for: a reply for each call, items as far as there is
/// credit. Whatever the peer sends, the session answers with an event, and closes when the peer
/// breaks the protocol.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    state: State,
    assembler: Assembler,
    out: Vec<u8>,
    events: VecDeque<Event>,
    ours: BTreeMap<CallId, Call>,
    theirs: BTreeMap<CallId, Call>,
    deadlines: BTreeSet<(Instant, Side, CallId)>,
    /// When the peer has to have greeted, or finished the frame it has begun.
    patience: Option<Instant>,
    /// We take no more calls.
    leaving: bool,
    /// The peer takes no more calls.
    left: bool,
    stats: SessionStats,
}

impl Session {
    /// A session that greets.
    #[must_use]
    pub fn new(now: Instant, limits: Limits) -> Self {
        let assembler = Assembler::new(limits.max_frame);
        let mut session = Self {
            limits,
            state: State::Greeting,
            out: Vec::new(),
            events: VecDeque::new(),
            ours: BTreeMap::new(),
            theirs: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            patience: Some(now + limits.handshake),
            leaving: false,
            left: false,
            stats: SessionStats::default(),
            assembler,
        };
        session.send(&Frame::Hello(Hello {
            versions: limits.versions,
            max_frame: session.assembler.limit(),
            max_calls: limits.max_calls,
        }));
        session
    }

    /// Calls of this side that have not ended.
    #[must_use]
    pub fn outgoing(&self) -> usize {
        self.ours.len()
    }

    /// Calls of the peer that have not ended.
    #[must_use]
    pub fn incoming(&self) -> usize {
        self.theirs.len()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.stats
    }

    fn send(&mut self, frame: &Frame<'_>) {
        frame.encode(&mut self.out);
    }

    fn calls(&mut self, side: Side) -> &mut BTreeMap<CallId, Call> {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }

    fn begin(&mut self, side: Side, id: CallId, deadline: Option<Instant>, window: Option<u32>) {
        let credit = window.map(u64::from);
        self.deadlines.extend(deadline.map(|at| (at, side, id)));
        self.calls(side).insert(id, Call { deadline, credit });
    }

    /// Takes a call out; one that is gone counts as stale.
    fn end(&mut self, side: Side, id: CallId) -> Option<Call> {
        let Some(call) = self.calls(side).remove(&id) else {
            self.stats.stale += 1;
            return None;
        };
        if let Some(at) = call.deadline {
            self.deadlines.remove(&(at, side, id));
        }
        Some(call)
    }

    fn fail(&mut self, call: CallId, failure: Failure) {
        self.events.push_back(Event::Failed { call, failure });
    }

    fn peer_limit(&self) -> u32 {
        match self.state {
            State::Open(peer) => peer.max_frame,
            State::Greeting | State::Closed => 64,
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.state == State::Closed {
            return;
        }
        if self.state == State::Greeting || matches!(reason, CloseReason::Violation(_)) {
            self.send(&Frame::Bye);
        }
        self.state = State::Closed;
        self.patience = None;
        self.deadlines.clear();
        for call in std::mem::take(&mut self.ours).into_keys() {
            self.fail(call, Code::LOST.because(reason.to_string()));
        }
        for call in std::mem::take(&mut self.theirs).into_keys() {
            self.events.push_back(Event::Dropped { call });
        }
        let stats = self.stats;
        self.events.push_back(Event::Closed { reason, stats });
    }

    fn leave(&mut self) {
        if self.state != State::Closed && !std::mem::replace(&mut self.leaving, true) {
            self.send(&Frame::Bye);
        }
    }

    /// After a goodbye, the end of the last call is the end of all.
    fn maybe_finish(&mut self) {
        let goodbye = self.leaving || self.left;
        if goodbye && self.ours.is_empty() && self.theirs.is_empty() {
            self.close(CloseReason::Finished);
        }
    }
}

impl Machine for Session {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Bytes(bytes) if self.state != State::Closed => self.receive(now, bytes),
            Input::Bytes(_) => {}
            Input::End => self.close(CloseReason::Lost),
            Input::Command(command) => self.command(now, command),
        }
        self.maybe_finish();
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.patience.is_some_and(|at| at <= now) {
            let greeting = self.state == State::Greeting;
            return self.close(match greeting {
                true => CloseReason::NoGreeting,
                false => CloseReason::Stalled,
            });
        }
        let Some(&(_, side, call)) = self.deadlines.first().filter(|(at, ..)| *at <= now) else {
            return;
        };
        self.end(side, call);
        self.stats.deadlines += 1;
        let failure = Code::DEADLINE.because("the deadline came first");
        match side {
            Side::Ours => {
                self.send(&Frame::Cancel { call });
                self.fail(call, failure);
            }
            Side::Theirs => {
                self.send_failure(call, &failure);
                self.events.push_back(Event::Dropped { call });
            }
        }
        self.maybe_finish();
    }

    fn handle_shutdown(&mut self, _: Instant) {
        self.leave();
        self.maybe_finish();
    }

    fn poll_output(&mut self, _: Instant) -> Option<Output> {
        if !self.out.is_empty() {
            return Some(Output::Bytes(std::mem::take(&mut self.out)));
        }
        self.events.pop_front().map(Output::Event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.deadlines.first().map(|(at, ..)| *at);
        deadline.into_iter().chain(self.patience).min()
    }

    fn is_finished(&self) -> bool {
        self.state == State::Closed && self.out.is_empty() && self.events.is_empty()
    }
}
