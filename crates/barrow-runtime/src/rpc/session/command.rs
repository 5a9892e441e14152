//! What this side wants, as frames.

use std::time::Duration;

use barrow_core::Instant;

use super::super::frame::Frame;
use super::super::status::{Code, Failure};
use super::{Call, CallId, Command, Event, Session, Side, State};

/// A call to be made.
struct Request<'a> {
    call: CallId,
    method: &'a str,
    body: &'a [u8],
    deadline: Option<Instant>,
    window: Option<u32>,
}

impl<'a> Request<'a> {
    /// What is told of the deadline is the time that is left, so that clocks need not agree.
    fn frame(&self, now: Instant) -> Frame<'a> {
        let left = |at: Instant| micros(at.saturating_since(now)).max(1);
        Frame::Call {
            call: self.call,
            micros: self.deadline.map_or(0, left),
            window: self.window.unwrap_or(0),
            method: self.method,
            body: self.body,
        }
    }
}

impl Session {
    pub(super) fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Call {
                call,
                method,
                body,
                deadline,
                window,
            } => {
                let request = Request {
                    call,
                    method: &method,
                    body: &body,
                    deadline,
                    window,
                };
                self.make_call(now, &request);
            }
            Command::Grant { call, items } => match self.ours.get_mut(&call) {
                Some(Call {
                    credit: Some(credit),
                    ..
                }) => {
                    *credit += u64::from(items);
                    self.send(&Frame::Credit { call, items });
                }
                Some(_) => self.stats.misused += 1,
                None => self.stats.stale += 1,
            },
            Command::Leave => self.leave(),
            Command::Cancel { call } => {
                if self.end(Side::Ours, call).is_some() {
                    self.stats.cancelled += 1;
                    self.send(&Frame::Cancel { call });
                }
            }
            Command::Reply { call, body } => {
                if self.end(Side::Theirs, call).is_some() {
                    self.answer(call, &Frame::Reply { call, body: &body });
                }
            }
            Command::Item { call, body } => self.send_item(call, &body),
            Command::Finish { call } => {
                if self.end(Side::Theirs, call).is_some() {
                    self.send(&Frame::End { call });
                }
            }
            Command::Fail { call, failure } => {
                if self.end(Side::Theirs, call).is_some() {
                    self.send_failure(call, &failure);
                }
            }
        }
    }

    fn make_call(&mut self, now: Instant, request: &Request<'_>) {
        let call = request.call;
        let refused = match self.state {
            State::Greeting | State::Closed => Some("the session is not open"),
            State::Open(_) if self.left || self.leaving => Some("the session is ending"),
            State::Open(peer) if self.ours.len() >= peer.max_calls as usize => {
                Some("too many calls at once")
            }
            State::Open(_) => None,
        };
        if self.ours.contains_key(&call) {
            self.stats.misused += 1;
            return;
        }
        if let Some(why) = refused {
            return self.fail(call, Code::UNAVAILABLE.because(why));
        }
        let frame = request.frame(now);
        if request.method.len() > usize::from(u8::MAX) || !frame.fits(self.peer_limit()) {
            return self.fail(call, Code::TOO_LARGE.because("the request is too large"));
        }
        self.stats.calls_out += 1;
        self.send(&frame);
        self.begin(Side::Ours, call, request.deadline, request.window);
    }

    fn send_item(&mut self, call: CallId, body: &[u8]) {
        match self.theirs.get_mut(&call) {
            None => self.stats.stale += 1,
            Some(Call {
                credit: Some(credit @ 1..),
                ..
            }) => {
                *credit -= 1;
                let frame = Frame::Item { call, body };
                if frame.fits(self.peer_limit()) {
                    self.send(&frame);
                } else {
                    self.end(Side::Theirs, call);
                    self.send_failure(call, &Code::TOO_LARGE.because("an item is too large"));
                    self.events.push_back(Event::Dropped { call });
                }
            }
            Some(_) => self.stats.misused += 1,
        }
    }

    /// Sends the reply of a call that has ended, if the peer can take it.
    fn answer(&mut self, call: CallId, frame: &Frame<'_>) {
        if frame.fits(self.peer_limit()) {
            self.send(frame);
        } else {
            self.send_failure(call, &Code::TOO_LARGE.because("the reply is too large"));
        }
    }

    pub(super) fn send_failure(&mut self, call: CallId, failure: &Failure) {
        let limit = self.peer_limit() as usize - 32;
        let text = failure.text.as_bytes();
        self.send(&Frame::Fail {
            call,
            code: failure.code.0,
            text: &text[..text.len().min(limit)],
        });
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
