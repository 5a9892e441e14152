//! Calls whose messages are known at run time only.

use super::calls::{Expected, Items};
use super::start::unavailable;
use super::{Availability, CallId, Session, SessionState, StartError};
use barrow_core::Instant;
use barrow_messages::memclnt::{ControlPing, ControlPingReply};
use barrow_wire::{HeaderKind, frame};
use std::borrow::Cow;

/// What is to be known of a message to tell it on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind<'a> {
    /// Its name.
    pub name: &'a str,
    /// The CRC of our definition.
    pub crc: u32,
    /// What stands before its fields.
    pub header: HeaderKind,
}

/// What answers an untyped request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntypedAnswer<'a> {
    /// One message.
    Reply(Kind<'a>),
    /// Any number of these; the session sends a ping behind the request to see their end.
    Dump(Kind<'a>),
    /// Any number of the first, then one of the second.
    Cursor(Kind<'a>, Kind<'a>),
}

impl Session {
    /// Starts a call whose message is encoded already: `message` begins with its id, and its header is filled in
    /// here.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn start_untyped(
        &mut self,
        request: Kind<'_>,
        message: &[u8],
        answer: UntypedAnswer<'_>,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<CallId, StartError> {
        let id = self.known(request)?;
        let (expected, ping) = match answer {
            UntypedAnswer::Reply(reply) => {
                let last = self.known(reply)?;
                let items = Items::None;
                (Expected { last, items }, None)
            }
            UntypedAnswer::Dump(details) => {
                let items = Items::One(self.known(details)?);
                let last = self.id_of::<ControlPingReply>()?;
                (Expected { last, items }, Some(self.id_of::<ControlPing>()?))
            }
            UntypedAnswer::Cursor(details, reply) => {
                let items = Items::One(self.known(details)?);
                let last = self.known(reply)?;
                (Expected { last, items }, None)
            }
        };
        self.start_by(expected, deadline, limit, |session, context| {
            session.write_untyped(id, context, request.header, message)?;
            match ping {
                Some(ping) => session.write(ping, context, &ControlPing::default()),
                None => Ok(()),
            }
        })
    }

    /// Makes messages of this kind known, as [`expect`](Self::expect) does for a type.
    ///
    /// # Errors
    /// When the server does not have the message.
    pub fn expect_untyped(&mut self, kind: Kind<'_>) -> Result<u16, StartError> {
        self.known(kind)
    }

    fn known(&mut self, kind: Kind<'_>) -> Result<u16, StartError> {
        if self.state() != SessionState::Open {
            return Err(StartError::NotOpen);
        }
        match self.table().availability(kind.name, kind.crc) {
            Availability::Same { id } => {
                self.make_known(id, kind.header);
                Ok(id)
            }
            other => Err(unavailable(
                Cow::Owned(kind.name.to_owned()),
                kind.crc,
                other,
            )),
        }
    }

    fn write_untyped(
        &mut self,
        id: u16,
        context: u32,
        header: HeaderKind,
        message: &[u8],
    ) -> Result<(), StartError> {
        let start = self.out.len();
        frame::append(message, &mut self.out)?;
        let at = start + frame::HEADER_LEN;
        let mut put = |offset: usize, bytes: &[u8]| {
            // A message shorter than its header is sent as it is; the server will not understand it.
            if let Some(place) = self.out.get_mut(at + offset..at + offset + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        put(0, &id.to_be_bytes());
        if header.has_client_index() {
            put(2, &self.client_index.to_be_bytes());
        }
        if let Some(offset) = header.context_offset() {
            put(offset, &context.to_be_bytes());
        }
        self.written += (self.out.len() - start) as u64;
        Ok(())
    }
}
