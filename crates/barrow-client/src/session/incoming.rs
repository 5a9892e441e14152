//! What comes from the server.

use super::calls::{Items, Phase};
use super::{CallFailure, CallId, MessageTable, Session, SessionError, SessionState, fixed};
use barrow_messages::memclnt::{ControlPing, MemclntKeepaliveReply, SockclntCreateReply};
use barrow_wire::{Header, HeaderKind, Message, decode_message, frame, message_id};

/// What a driver hears while it hands in bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The greeting is answered: calls can be made.
    Opened,
    /// The call has ended: fetch its end with [`finish`](Session::finish).
    Ended(CallId),
    /// The server owes this call nothing any more, whether anybody still waited for it or not. Comes once a call,
    /// unless the connection is lost.
    Settled(CallId),
    /// Items of a dump wait, where there were none.
    Items(CallId),
    /// A message that belongs to no call, of a type somebody [expects](Session::expect).
    Event {
        /// Its id on this connection.
        id: u16,
        /// All of it, from the id on.
        message: &'a [u8],
    },
    /// The goodbye is answered; the server closes the connection.
    SignedOff,
}

/// What messages of one id are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Of a type that was not used yet.
    Unheard,
    /// Carries its context at this offset.
    Answer(u8),
    /// Carries none.
    Event,
}

impl Role {
    pub(super) fn of(header: HeaderKind) -> Self {
        // An offset is 2 or 6.
        header
            .context_offset()
            .map_or(Self::Event, |offset| Self::Answer(offset as u8))
    }
}

impl Session {
    /// Room for at least `len` bytes that come from the socket. Follow with [`received`](Self::received).
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        self.decoder.space(len)
    }

    /// Takes in the first `len` bytes of [`space`](Self::space). `hear` is told what they bring, in order.
    ///
    /// # Errors
    /// When the connection is of no more use; call [`lose`](Self::lose) then.
    pub fn received(
        &mut self,
        len: usize,
        mut hear: impl FnMut(Incoming<'_>),
    ) -> Result<(), SessionError> {
        self.decoder.filled(len);
        // The decoder is lent out while its messages are looked at.
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = loop {
            match decoder.next_message() {
                Ok(Some(message)) => {
                    if let Err(error) = self.handle(message, &mut hear) {
                        break Err(error);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
        };
        self.decoder = decoder;
        result
    }

    fn handle(
        &mut self,
        message: &[u8],
        hear: &mut impl FnMut(Incoming<'_>),
    ) -> Result<(), SessionError> {
        // A frame holds at least an id.
        let Some(id) = message_id(message) else {
            return Ok(());
        };
        match self.state {
            SessionState::Closed => return Ok(()),
            SessionState::Opening => {
                if id == fixed::SOCKCLNT_CREATE_REPLY {
                    self.open(message)?;
                    hear(Incoming::Opened);
                }
                return Ok(());
            }
            SessionState::SigningOff if id == fixed::SOCKCLNT_DELETE_REPLY => {
                hear(Incoming::SignedOff);
                return Ok(());
            }
            SessionState::Open | SessionState::SigningOff => {}
        }
        match self.roles.get(usize::from(id)) {
            Some(Role::Answer(offset)) => self.answer(id, usize::from(*offset), message, hear),
            Some(Role::Event) => {
                self.counters.events += 1;
                hear(Incoming::Event { id, message });
            }
            Some(Role::Unheard) | None if id == fixed::MEMCLNT_KEEPALIVE => self.stay_alive(),
            Some(Role::Unheard) | None => self.counters.unheard += 1,
        }
        Ok(())
    }

    fn open(&mut self, message: &[u8]) -> Result<(), SessionError> {
        let (_, greeting): (_, SockclntCreateReply) = decode_message(message)?;
        if greeting.response != 0 {
            return Err(SessionError::Refused {
                response: greeting.response,
            });
        }
        self.table = MessageTable::new(&greeting.message_table);
        self.client_index = greeting.index;
        if self.table.id(ControlPing::NAME, ControlPing::CRC).is_none() {
            return Err(SessionError::NoPing {
                name: ControlPing::NAME,
            });
        }
        self.state = SessionState::Open;
        Ok(())
    }

    fn answer(
        &mut self,
        id: u16,
        offset: usize,
        message: &[u8],
        hear: &mut impl FnMut(Incoming<'_>),
    ) {
        let context = message
            .get(offset..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .map(u32::from_be_bytes);
        let Some((call_id, call)) = context.and_then(|context| self.calls.by_context(context))
        else {
            self.counters.stray += 1;
            return;
        };
        if !call.owed {
            self.counters.stray += 1;
            return;
        }
        let ends = id == call.expected.last;
        let item = match call.expected.items {
            Items::One(item) => id == item,
            Items::Any => !ends,
            Items::None => false,
        };
        match call.phase {
            Phase::Waiting if ends => {
                call.reply.clear();
                call.reply.extend_from_slice(message);
                call.phase = Phase::Done(None);
                self.counters.answered += 1;
                hear(Incoming::Ended(call_id));
            }
            Phase::Waiting if item => {
                let first = call.items.is_empty();
                if call.push_item(message) {
                    self.counters.items += 1;
                    if first {
                        hear(Incoming::Items(call_id));
                    }
                } else {
                    let delivered = call.received;
                    call.phase = Phase::Done(Some(CallFailure::Overrun { delivered }));
                    self.counters.items_dropped += 1;
                    hear(Incoming::Ended(call_id));
                }
            }
            Phase::Waiting => {
                // What comes next under this context cannot be told from an answer: the context stays taken until
                // the right one comes or the connection ends.
                call.phase = Phase::Done(Some(CallFailure::Unexpected { id }));
                self.counters.unexpected += 1;
                hear(Incoming::Ended(call_id));
            }
            Phase::Done(_) | Phase::Abandoned if item && !ends => self.counters.items_dropped += 1,
            Phase::Done(_) | Phase::Abandoned | Phase::Free => self.counters.late += 1,
        }
        if ends {
            let gone = call.phase == Phase::Abandoned;
            call.owed = false;
            if gone {
                self.calls.release(call_id);
            }
            hear(Incoming::Settled(call_id));
        }
    }

    /// Answers a server that asks whether this client lives: with its index for a context (binary-api.md, 2.6).
    fn stay_alive(&mut self) {
        let header = Header {
            id: fixed::MEMCLNT_KEEPALIVE_REPLY,
            client_index: 0,
            context: self.client_index,
        };
        let start = self.out.len();
        let reply = MemclntKeepaliveReply::default();
        frame::encode(header, &reply, &mut self.out).expect("the answer has a fixed length");
        self.written += (self.out.len() - start) as u64;
    }
}
