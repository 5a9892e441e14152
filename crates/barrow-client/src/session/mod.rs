//! The protocol of one client, without clock and without socket.
//!
//! A [`Session`] knows what VPP's binary API is on a byte stream: the greeting with its message table, the framing,
//! which answer belongs to which request, dumps and their closing ping, cursor streams, events, the sign-off. A
//! driver gives it the bytes that came and the time, takes the bytes to send, and hears what became of the calls.
//!
//! ```text
//!   request, dump, ... -> +---------+ -> unsent bytes -> socket
//!                         | Session |
//!   CallId, Incoming   <- +---------+ <- received bytes <- socket
//! ```
//!
//! # What holds
//!
//! - Every call ends exactly once: answered, or with a [`CallFailure`] that says how far it had come.
//! - An answer never reaches another call: a context is not used again before its answer came or the connection
//!   ended, even when the caller has gone away.
//! - Order is kept: requests leave in the order they were started.
//! - Memory is bounded: a frame has a limit, a dump has one, and plain replies have one place each.
//! - Nothing that the server sends makes it panic.
//!
//! A session outlives its connection: after [`lose`](Session::lose) it may [`begin`](Session::begin) again, with
//! another message table. What ended before can still be fetched.

mod calls;
mod counters;
mod error;
mod incoming;
mod start;
mod table;
mod untyped;

pub use calls::CallId;
pub use counters::SessionCounters;
pub use error::{CallFailure, Delivery, SessionError, StartError};
pub use incoming::Incoming;
pub use table::{Availability, Changed, Compatibility, MessageTable};
pub use untyped::{Kind, UntypedAnswer};

pub(crate) use calls::next_item;

use barrow_core::Instant;
use barrow_messages::memclnt::{SockclntCreate, SockclntDelete};
use barrow_wire::frame::{self, FrameDecoder};
use barrow_wire::{FixedString, Header};
use calls::{Calls, Phase};
use incoming::Role;
use rustc_hash::FxHashMap;
use std::any::TypeId;

/// The ids that are fixed by `memclnt.api`: the greeting has to work before the table is known.
mod fixed {
    pub(super) const SOCKCLNT_CREATE: u16 = 15;
    pub(super) const SOCKCLNT_CREATE_REPLY: u16 = 16;
    pub(super) const SOCKCLNT_DELETE: u16 = 17;
    pub(super) const SOCKCLNT_DELETE_REPLY: u16 = 18;
    pub(super) const MEMCLNT_KEEPALIVE: u16 = 21;
    pub(super) const MEMCLNT_KEEPALIVE_REPLY: u16 = 22;
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// No connection.
    Closed,
    /// The greeting is on its way.
    Opening,
    /// Calls can be made.
    Open,
    /// The sign-off is on its way.
    SigningOff,
}

/// The client's side of the protocol; see the [module](self).
#[derive(Debug)]
pub struct Session {
    name: FixedString<64>,
    state: SessionState,
    client_index: u32,
    decoder: FrameDecoder,
    max_message_len: usize,
    /// Bytes to be sent; those before `out_start` are gone already.
    out: Vec<u8>,
    out_start: usize,
    /// Bytes appended to `out` since the connection began.
    written: u64,
    table: MessageTable,
    /// The ids of the types used so far on this connection.
    ids: FxHashMap<TypeId, Result<u16, Availability>>,
    /// What messages from the server are, by id, for the types used so far.
    roles: Vec<Role>,
    calls: Calls,
    counters: SessionCounters,
}

impl Session {
    /// A session of the client `name` (at most 63 bytes of it are used), not connected yet. Messages of more than
    /// `max_message_len` bytes are refused; a full VPP's greeting has 140 kB, its `get_api_json_reply` 3 MB.
    #[must_use]
    pub fn new(name: &str, max_message_len: usize) -> Self {
        Self {
            name: FixedString::truncated(name),
            state: SessionState::Closed,
            client_index: 0,
            decoder: FrameDecoder::new(max_message_len),
            max_message_len,
            out: Vec::new(),
            out_start: 0,
            written: 0,
            table: MessageTable::default(),
            ids: FxHashMap::default(),
            roles: Vec::new(),
            calls: Calls::default(),
            counters: SessionCounters::default(),
        }
    }

    /// A connection is there: writes the greeting. What was left of an earlier connection is [lost](Self::lose).
    pub fn begin(&mut self) {
        self.lose(|_| ());
        self.state = SessionState::Opening;
        let header = Header {
            id: fixed::SOCKCLNT_CREATE,
            client_index: 0,
            context: 1,
        };
        let greeting = SockclntCreate { name: self.name };
        frame::encode(header, &greeting, &mut self.out).expect("the greeting has a fixed length");
        self.written = self.out.len() as u64;
    }

    /// The connection is gone. Every call that is owed its answer ends; `ended` hears of those somebody waits for.
    pub fn lose(&mut self, mut ended: impl FnMut(CallId)) {
        let sent = self.sent_bytes();
        for id in self.calls.owed() {
            let Some(call) = self.calls.get(id) else {
                continue;
            };
            call.owed = false;
            match call.phase {
                Phase::Waiting => {
                    let delivery = delivery(call, sent);
                    call.phase = Phase::Done(Some(CallFailure::Lost(delivery)));
                    ended(id);
                }
                Phase::Abandoned => self.calls.release(id),
                Phase::Done(_) | Phase::Free => {}
            }
        }
        self.state = SessionState::Closed;
        self.decoder = FrameDecoder::new(self.max_message_len);
        self.out.clear();
        self.out_start = 0;
        self.written = 0;
        self.ids.clear();
        self.roles.clear();
    }

    /// Says goodbye. VPP keeps clients that leave without (binary-api.md, section 1.6). Calls in flight are still
    /// answered before; new ones cannot be made.
    pub fn sign_off(&mut self) {
        if self.state != SessionState::Open {
            return;
        }
        self.state = SessionState::SigningOff;
        let header = Header {
            id: fixed::SOCKCLNT_DELETE,
            client_index: self.client_index,
            context: 1,
        };
        let goodbye = SockclntDelete {
            index: self.client_index,
        };
        let start = self.out.len();
        frame::encode(header, &goodbye, &mut self.out).expect("the goodbye has a fixed length");
        self.written += (self.out.len() - start) as u64;
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// What the server knows: of this connection, or the last one.
    #[must_use]
    pub fn table(&self) -> &MessageTable {
        &self.table
    }

    /// The index the server gave this client.
    #[must_use]
    pub fn client_index(&self) -> u32 {
        self.client_index
    }

    /// What has been counted over all connections.
    #[must_use]
    pub fn counters(&self) -> &SessionCounters {
        &self.counters
    }

    /// Calls that hold a context: in flight, or not fetched yet, or abandoned and owed their answer.
    #[must_use]
    pub fn calls_in_use(&self) -> usize {
        self.calls.in_use()
    }

    /// Calls nobody waits for any more and whose answer has not come.
    #[must_use]
    pub fn calls_abandoned(&self) -> usize {
        self.calls.abandoned
    }

    /// Bytes to be sent now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        &self.out[self.out_start..]
    }

    /// Says that the first `len` bytes of [`unsent`](Self::unsent) have left.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn sent(&mut self, len: usize) {
        assert!(
            len <= self.unsent().len(),
            "more bytes sent than there were"
        );
        self.out_start += len;
        if self.out_start == self.out.len() {
            self.out.clear();
            self.out.shrink_to(64 << 10);
            self.out_start = 0;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called: at the earliest deadline, or somewhat before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.calls.next_check()
    }

    /// Ends the calls whose time is over. `over` hears of them, with whether somebody still waited: the server is not
    /// expected any more to answer either kind.
    pub fn handle_timeout(&mut self, now: Instant, mut over: impl FnMut(CallId, bool)) {
        if self.poll_timeout().is_none_or(|check| now < check) {
            return;
        }
        let mut expired = Vec::new();
        self.calls.expire(now, |id| expired.push(id));
        let sent = self.sent_bytes();
        for id in expired {
            let Some(call) = self.calls.get(id) else {
                continue;
            };
            let waited = call.phase == Phase::Waiting;
            if waited {
                let delivery = delivery(call, sent);
                call.phase = Phase::Done(Some(CallFailure::TimedOut(delivery)));
                self.counters.timed_out += 1;
            }
            over(id, waited);
        }
    }

    /// The end of a call, once it has one: the last message, or why there is none. Frees the call.
    pub fn finish<R>(
        &mut self,
        id: CallId,
        take: impl FnOnce(Result<&[u8], CallFailure>) -> R,
    ) -> Option<R> {
        let call = self.calls.get(id)?;
        let taken = match call.phase {
            Phase::Done(None) => take(Ok(&call.reply)),
            Phase::Done(Some(failure)) => take(Err(failure)),
            Phase::Waiting | Phase::Free | Phase::Abandoned => return None,
        };
        self.calls.release(id);
        Some(taken)
    }

    /// Whether the call has ended, so that [`finish`](Self::finish) gives its end. False for one that is gone.
    #[must_use]
    pub fn is_done(&mut self, id: CallId) -> bool {
        self.calls
            .get(id)
            .is_some_and(|call| matches!(call.phase, Phase::Done(_)))
    }

    /// Moves the items of a dump that wait into `into`, which must be empty and gives its memory in exchange. See
    /// [`next_item`] for how to take them apart.
    pub(crate) fn take_items(&mut self, id: CallId, into: &mut Vec<u8>) {
        debug_assert!(into.is_empty());
        if let Some(call) = self.calls.get(id) {
            std::mem::swap(&mut call.items, into);
        }
    }

    /// Nobody waits for this call any more. Its answer is dropped when it comes; the server is not expected to answer
    /// after `until`.
    pub fn cancel(&mut self, id: CallId, until: Instant) {
        self.calls.shorten(id, until);
        self.calls.release(id);
    }

    /// Bytes of this connection that have left.
    fn sent_bytes(&self) -> u64 {
        self.written - self.unsent().len() as u64
    }
}

/// How far `call` has come when `sent` bytes of the connection have left.
fn delivery(call: &calls::Call, sent: u64) -> Delivery {
    if call.received > 0 {
        Delivery::PartlyAnswered
    } else if sent >= call.written_to {
        Delivery::Sent
    } else {
        Delivery::Unsent
    }
}

#[cfg(test)]
mod tests;
