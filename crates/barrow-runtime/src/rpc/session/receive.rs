//! What the peer sends, as events.

use std::time::Duration;

use barrow_core::Instant;

use super::super::frame::{Assembler, Frame, Hello};
use super::super::status::{CloseReason, Code};
use super::{Call, Event, Session, Side, State};

impl Session {
    pub(super) fn receive(&mut self, now: Instant, bytes: &[u8]) {
        let mut assembler = std::mem::replace(&mut self.assembler, Assembler::new(0));
        assembler.push(bytes);
        let mut frames = 0;
        let result = loop {
            match assembler.next() {
                Ok(Some(frame)) => match self.frame(now, frame) {
                    Ok(()) if self.state != State::Closed => frames += 1,
                    Ok(()) => break Ok(()),
                    Err(reason) => break Err(reason),
                },
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
        };
        if let State::Open(_) = self.state {
            // The time for a frame counts from its first byte.
            self.patience = match (assembler.is_within_frame(), self.patience) {
                (false, _) => None,
                (true, Some(since)) if frames == 0 => Some(since),
                (true, _) => Some(now + self.limits.frame_time),
            };
        }
        self.assembler = assembler;
        if let Err(reason) = result {
            self.close(reason);
        }
    }

    fn frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), CloseReason> {
        match (&self.state, frame) {
            (State::Greeting, Frame::Hello(theirs)) => self.greet(theirs),
            (State::Greeting, Frame::Bye) => Err(CloseReason::Lost),
            (State::Greeting, _) => Err(CloseReason::Violation("a frame before the greeting")),
            (_, Frame::Hello(_)) => Err(CloseReason::Violation("a second greeting")),
            (_, frame) => self.open_frame(now, frame),
        }
    }

    fn greet(&mut self, theirs: Hello) -> Result<(), CloseReason> {
        let ours = self.limits.versions;
        let Some(version) = ours.common(theirs.versions) else {
            return Err(CloseReason::Version {
                ours,
                theirs: theirs.versions,
            });
        };
        self.state = State::Open(theirs);
        self.events.push_back(Event::Ready {
            version,
            max_calls: theirs.max_calls,
        });
        Ok(())
    }

    fn open_frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), CloseReason> {
        match frame {
            Frame::Hello(_) => {}
            Frame::Call {
                call,
                micros,
                window,
                method,
                body,
            } => {
                if self.theirs.contains_key(&call) {
                    return Err(CloseReason::Violation("a call with the number of another"));
                }
                if self.theirs.len() >= self.limits.max_calls as usize {
                    return Err(CloseReason::Violation("more calls than agreed"));
                }
                if self.leaving {
                    // It crossed our goodbye.
                    let failure = Code::UNAVAILABLE.because("the session is ending");
                    self.send_failure(call, &failure);
                    return Ok(());
                }
                self.stats.calls_in += 1;
                let deadline = (micros > 0).then(|| now + Duration::from_micros(micros));
                let window = (window > 0).then_some(window);
                self.begin(Side::Theirs, call, deadline, window);
                self.events.push_back(Event::Called {
                    call,
                    method: method.to_owned(),
                    body: body.to_vec(),
                    deadline,
                    window,
                });
            }
            Frame::Reply { call, body } => match self.ours.get(&call) {
                Some(Call {
                    credit: Some(_), ..
                }) => return Err(CloseReason::Violation("a reply to a call for a stream")),
                _ => {
                    if self.end(Side::Ours, call).is_some() {
                        let body = body.to_vec();
                        self.events.push_back(Event::Replied { call, body });
                    }
                }
            },
            Frame::Item { call, body } => match self.ours.get_mut(&call) {
                None => self.stats.stale += 1,
                Some(Call {
                    credit: Some(credit @ 1..),
                    ..
                }) => {
                    *credit -= 1;
                    let body = body.to_vec();
                    self.events.push_back(Event::Item { call, body });
                }
                Some(_) => return Err(CloseReason::Violation("an item without credit")),
            },
            Frame::End { call } => match self.ours.get(&call) {
                Some(Call { credit: None, .. }) => {
                    return Err(CloseReason::Violation("the end of what is no stream"));
                }
                _ => {
                    if self.end(Side::Ours, call).is_some() {
                        self.events.push_back(Event::Finished { call });
                    }
                }
            },
            Frame::Fail { call, code, text } => {
                if self.end(Side::Ours, call).is_some() {
                    let text = String::from_utf8_lossy(text);
                    self.fail(call, Code(code).because(text));
                }
            }
            Frame::Credit { call, items } => match self.theirs.get_mut(&call) {
                None => self.stats.stale += 1,
                Some(Call {
                    credit: Some(credit),
                    ..
                }) => {
                    *credit = credit.saturating_add(items.into());
                    self.events.push_back(Event::Granted { call, items });
                }
                Some(_) => return Err(CloseReason::Violation("credit for what is no stream")),
            },
            Frame::Cancel { call } => {
                if self.end(Side::Theirs, call).is_some() {
                    self.stats.cancelled += 1;
                    self.events.push_back(Event::Dropped { call });
                }
            }
            Frame::Bye => self.left = true,
        }
        Ok(())
    }
}
