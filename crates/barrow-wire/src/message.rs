//! Messages: what stands before their fields, and how they belong together.
//!
//! A message starts with the id that the server has assigned, usually followed by the sender's or receiver's
//! `client_index` and by a `context` that ties an answer to its request. Those are the [`Header`]; all other fields
//! belong to the message's own type, so that code which handles it sees what the message is about and nothing else.
//! Which of the two a message has is told by its field list, never by its role: see [`HeaderKind`].

use crate::{Decode, DecodeError, DecodeOwned, Encode, EncodeError, Reader, Writer};
use std::fmt;

/// A message of the binary API, without its header.
///
/// Implemented by generated code. [`NAME_CRC`](Self::NAME_CRC) is how both sides of a connection name it.
pub trait Message:
    Encode + DecodeOwned + Default + Clone + fmt::Debug + PartialEq + Send + 'static
{
    /// The name in the `.api` file, for example `sw_interface_dump`.
    const NAME: &'static str;
    /// The CRC of its definition and of the types it uses.
    const CRC: u32;
    /// Name, underscore, CRC in 8 lower-case hexadecimal digits.
    const NAME_CRC: &'static str;
    /// The `.api` file that defines it, for example `interface`.
    const MODULE: &'static str;
    /// What stands between the id and the first field of this type.
    const HEADER: HeaderKind;
    /// Bytes of the shortest legal message, id and header included.
    const MIN_MESSAGE_LEN: usize = 2 + Self::HEADER.len() + <Self as Decode<'static>>::MIN_LEN;
}

/// A message that is answered with exactly one other.
pub trait Request: Message {
    /// The answer.
    type Reply: Reply;
}

/// A message that is not answered at all.
pub trait OneWay: Message {}

/// The one answer to a request.
pub trait Reply: Message {
    /// Whether the message has a `retval` field. A few replies have none and so cannot tell an error.
    const HAS_RETVAL: bool;

    /// The `retval` field: 0, or one of VPP's (negative) error numbers. 0 if there is no such field.
    fn retval(&self) -> i32;

    /// Sets the `retval` field; nothing happens if there is none ([`HAS_RETVAL`](Self::HAS_RETVAL)).
    fn set_retval(&mut self, retval: i32);
}

/// A message that is answered with any number of others. Nothing marks their end: the client sends a `control_ping`
/// right behind it and waits for that to be answered.
pub trait Dump: Message {
    /// What it is answered with.
    type Details: Message;
}

/// A message that is answered with any number of details and then one reply, which tells whether to go on (`retval`
/// -165, EAGAIN) and from where.
pub trait CursorStream: Message {
    /// What comes first.
    type Details: Message;
    /// What comes last.
    type Reply: Reply;

    /// Makes this the request that goes on where `reply` stopped. Returns whether it could: only messages with a
    /// field `cursor` in request and reply can.
    #[must_use]
    fn resume_after(&mut self, reply: &Self::Reply) -> bool;
}

/// A request that makes the server send events from then on.
pub trait Subscribe: Request {
    /// The (first) event.
    type Event: EventOf<Self>;
    /// The names of all events it brings.
    const EVENTS: &'static [&'static str];

    /// Makes this the request that subscribes, or the one that ends the subscription. Returns whether it could: only
    /// messages with a field `enable_disable`, `enable` or `is_add` can.
    #[must_use]
    fn set_enabled(&mut self, _on: bool) -> bool {
        false
    }
}

/// An event that the request `R` subscribes to. The language allows several for one request.
pub trait EventOf<R: Request>: Message {}

/// What stands between a message's id and its own fields.
///
/// Found from the leading fields of the definition (binary-api.md, section 3.3). Other fields called `client_index`
/// or `context`, further back, are ordinary fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderKind {
    /// `client_index`, `context`, in a message that clients send.
    Request,
    /// `context`, in a message that the server sends: most replies and details.
    Reply,
    /// `client_index`, `context`, in a message that the server sends: a few replies and details.
    ClientThenContext,
    /// `client_index` alone: most events.
    Event,
    /// `context`, in a message that clients send: `sockclnt_create`.
    ContextOnly,
    /// Neither.
    None,
}

impl HeaderKind {
    /// Whether a `client_index` is there; it always comes right behind the id.
    pub const fn has_client_index(self) -> bool {
        matches!(self, Self::Request | Self::ClientThenContext | Self::Event)
    }

    /// Whether a `context` is there.
    pub const fn has_context(self) -> bool {
        matches!(
            self,
            Self::Request | Self::ClientThenContext | Self::Reply | Self::ContextOnly
        )
    }

    /// Bytes, without the id: 8, 4 or 0.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a number of bytes, not a collection"
    )]
    pub const fn len(self) -> usize {
        4 * (self.has_client_index() as usize + self.has_context() as usize)
    }

    /// Where the `context` stands in the message (the id is at 0), if there is one.
    pub const fn context_offset(self) -> Option<usize> {
        if !self.has_context() {
            None
        } else if self.has_client_index() {
            Some(6)
        } else {
            Some(2)
        }
    }
}

/// What stands before the fields of a message. Parts that a message has not are 0 when read and ignored when written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `_vl_msg_id`: assigned by the server at run time.
    pub id: u16,
    /// Which client; assigned by the server when the session starts.
    pub client_index: u32,
    /// Chosen by the client; comes back in every answer.
    pub context: u32,
}

impl Header {
    /// Appends the header as `kind` has it.
    pub fn encode(&self, kind: HeaderKind, w: &mut Writer<'_>) {
        self.id.encode(w);
        if kind.has_client_index() {
            self.client_index.encode(w);
        }
        if kind.has_context() {
            self.context.encode(w);
        }
    }

    /// Reads a header as `kind` has it.
    ///
    /// # Errors
    /// When the input is shorter.
    pub fn decode(kind: HeaderKind, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = r.field("_vl_msg_id")?;
        let client_index = if kind.has_client_index() {
            r.field("client_index")?
        } else {
            0
        };
        let context = if kind.has_context() {
            r.field("context")?
        } else {
            0
        };
        Ok(Self {
            id,
            client_index,
            context,
        })
    }
}

/// The id at the start of a message.
pub fn message_id(message: &[u8]) -> Option<u16> {
    message.first_chunk().copied().map(u16::from_be_bytes)
}

/// Appends header and message to `out`, without the header of a frame (see [`frame::encode`](crate::frame::encode)).
///
/// # Errors
/// When the message has no wire form; `out` is then as it was.
pub fn encode_message<M: Message>(
    header: Header,
    message: &M,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    Writer::run(out, |w| {
        header.encode(M::HEADER, w);
        message.encode(w);
    })
}

/// Takes header and message apart. Bytes behind the message are ignored.
///
/// # Errors
/// When the message is shorter than its definition and its own count fields say.
pub fn decode_message<M: Message>(bytes: &[u8]) -> Result<(Header, M), DecodeError> {
    let r = &mut Reader::new(bytes);
    let decoded = Header::decode(M::HEADER, r).and_then(|header| Ok((header, M::decode(r)?)));
    decoded.map_err(|error| error.within(M::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_is_found_by_kind() {
        let offset = |kind: HeaderKind| kind.context_offset();
        assert_eq!(offset(HeaderKind::Request), Some(6));
        assert_eq!(offset(HeaderKind::ClientThenContext), Some(6));
        assert_eq!(offset(HeaderKind::Reply), Some(2));
        assert_eq!(offset(HeaderKind::ContextOnly), Some(2));
        assert_eq!(offset(HeaderKind::Event), None);
        assert_eq!(offset(HeaderKind::None), None);
        assert_eq!(HeaderKind::Request.len(), 8);
        assert_eq!(HeaderKind::Event.len(), 4);
    }

    #[test]
    fn a_header_holds_only_what_its_kind_has() {
        let header = Header {
            id: 1,
            client_index: 2,
            context: 3,
        };
        let mut out = Vec::new();
        Writer::run(&mut out, |w| header.encode(HeaderKind::Event, w)).unwrap();
        assert_eq!(out, [0, 1, 0, 0, 0, 2]);
        let read = Header::decode(HeaderKind::Event, &mut Reader::new(&out)).unwrap();
        assert_eq!(
            read,
            Header {
                context: 0,
                ..header
            }
        );
    }
}
