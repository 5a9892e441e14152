//! Starting calls.

use super::calls::{Expected, Items};
use super::incoming::Role;
use super::{Availability, CallId, Session, SessionState, StartError};
use barrow_core::Instant;
use barrow_messages::memclnt::{ControlPing, ControlPingReply};
use barrow_wire::{CursorStream, Dump, Header, HeaderKind, Message, OneWay, Request, frame};
use std::any::TypeId;
use std::borrow::Cow;

impl Session {
    /// Starts a request.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn request<M: Request>(
        &mut self,
        message: &M,
        deadline: Option<Instant>,
    ) -> Result<CallId, StartError> {
        let id = self.id_of::<M>()?;
        let expected = Expected {
            last: self.id_of::<M::Reply>()?,
            items: Items::None,
        };
        self.start((id, message), expected, deadline, 0, None)
    }

    /// Starts a dump, with the ping behind it that marks its end. At most `limit` bytes of items wait to be taken.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn dump<M: Dump>(
        &mut self,
        message: &M,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<CallId, StartError> {
        self.id_of::<M>()?;
        let items = Items::One(self.id_of::<M::Details>()?);
        self.closed_by_ping(message, items, deadline, limit)
    }

    /// Starts a request that is answered with messages of several kinds, closed by a ping. Only kinds made known by
    /// [`expect`](Self::expect) are received.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn dump_of_kinds<M: Message>(
        &mut self,
        message: &M,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<CallId, StartError> {
        self.closed_by_ping(message, Items::Any, deadline, limit)
    }

    /// Starts one run of a cursor stream.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn cursor_stream<M: CursorStream>(
        &mut self,
        message: &M,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<CallId, StartError> {
        let id = self.id_of::<M>()?;
        let expected = Expected {
            last: self.id_of::<M::Reply>()?,
            items: Items::One(self.id_of::<M::Details>()?),
        };
        self.start((id, message), expected, deadline, limit, None)
    }

    /// Sends a message that is not answered.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is sent then.
    pub fn send<M: OneWay>(&mut self, message: &M) -> Result<(), StartError> {
        let id = self.id_of::<M>()?;
        self.write(id, 0, message)
    }

    /// Makes messages of this type known: answers of several kinds, or events. Returns their id on this connection.
    ///
    /// # Errors
    /// When the server does not have the message.
    pub fn expect<M: Message>(&mut self) -> Result<u16, StartError> {
        self.id_of::<M>()
    }

    fn closed_by_ping<M: Message>(
        &mut self,
        message: &M,
        items: Items,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<CallId, StartError> {
        let id = self.id_of::<M>()?;
        let ping = self.id_of::<ControlPing>()?;
        let expected = Expected {
            last: self.id_of::<ControlPingReply>()?,
            items,
        };
        self.start((id, message), expected, deadline, limit, Some(ping))
    }

    fn start<M: Message>(
        &mut self,
        (id, message): (u16, &M),
        expected: Expected,
        deadline: Option<Instant>,
        limit: usize,
        ping: Option<u16>,
    ) -> Result<CallId, StartError> {
        self.start_by(expected, deadline, limit, |session, context| {
            session.write(id, context, message)?;
            match ping {
                Some(ping) => session.write(ping, context, &ControlPing::default()),
                None => Ok(()),
            }
        })
    }

    pub(super) fn start_by(
        &mut self,
        expected: Expected,
        deadline: Option<Instant>,
        limit: usize,
        write: impl FnOnce(&mut Self, u32) -> Result<(), StartError>,
    ) -> Result<CallId, StartError> {
        let call = self
            .calls
            .start(expected, deadline, limit)
            .ok_or(StartError::Exhausted)?;
        let written = write(self, call.context());
        let written_to = self.written;
        let place = self.calls.get(call).expect("started above");
        place.written_to = written_to;
        if let Err(error) = written {
            place.owed = false;
            self.calls.release(call);
            return Err(error);
        }
        self.counters.calls += 1;
        Ok(call)
    }

    pub(super) fn write<M: Message>(
        &mut self,
        id: u16,
        context: u32,
        message: &M,
    ) -> Result<(), StartError> {
        let header = Header {
            id,
            client_index: self.client_index,
            context,
        };
        let start = self.out.len();
        frame::encode(header, message, &mut self.out)?;
        self.written += (self.out.len() - start) as u64;
        Ok(())
    }

    /// The id of `M` on this connection. From then on messages of this id are understood.
    pub(super) fn id_of<M: Message>(&mut self) -> Result<u16, StartError> {
        if self.state != SessionState::Open {
            return Err(StartError::NotOpen);
        }
        let known = self.ids.get(&TypeId::of::<M>()).copied();
        let found = known.unwrap_or_else(|| self.resolve::<M>());
        found.map_err(|availability| unavailable(M::NAME.into(), M::CRC, availability))
    }

    #[cold]
    fn resolve<M: Message>(&mut self) -> Result<u16, Availability> {
        let found = match self.table.availability(M::NAME, M::CRC) {
            Availability::Same { id } => Ok(id),
            other => Err(other),
        };
        self.ids.insert(TypeId::of::<M>(), found);
        if let Ok(id) = found {
            self.make_known(id, M::HEADER);
        }
        found
    }

    pub(super) fn make_known(&mut self, id: u16, header: HeaderKind) {
        let place = usize::from(id);
        if self.roles.len() <= place {
            self.roles.resize(place + 1, Role::Unheard);
        }
        self.roles[place] = Role::of(header);
    }
}

pub(super) fn unavailable(
    name: Cow<'static, str>,
    crc: u32,
    availability: Availability,
) -> StartError {
    match availability {
        Availability::Changed { server_crc } => StartError::Changed {
            name,
            crc,
            server_crc,
        },
        Availability::Same { .. } | Availability::Missing => StartError::Missing { name },
    }
}
