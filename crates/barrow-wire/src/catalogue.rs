//! What the bindings of one `.api` file tell about it at run time.

use crate::{HeaderKind, Message};

/// One `.api` file: its names, CRCs, messages and services, and its text in VPP's JSON schema.
#[derive(Clone, Copy, Debug)]
pub struct ModuleInfo {
    /// Base name of the file, for example `interface`.
    pub name: &'static str,
    /// The file option `version`, or empty.
    pub version: &'static str,
    /// CRC of the file with the contents of its imports: `vl_api_version` in the JSON.
    pub crc: u32,
    /// Name and CRC without imports, as `get_first_msg_id` wants it, for example `interface_dbc3dd3c`. Empty when
    /// the bindings were made from JSON, which does not tell that CRC.
    pub range_name: &'static str,
    /// The `.api.json` text. Empty when the bindings were made without it.
    pub json: &'static str,
    /// The messages, in the order of their definition: the order of their ids.
    pub messages: &'static [MessageInfo],
    /// The services: which message answers which.
    pub services: &'static [ServiceInfo],
}

/// One message of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo {
    /// The name.
    pub name: &'static str,
    /// The CRC.
    pub crc: u32,
    /// Name, underscore, CRC in 8 lower-case hexadecimal digits.
    pub name_crc: &'static str,
    /// What the message is for.
    pub kind: MessageKind,
    /// What stands between the id and the first field of its type.
    pub header: HeaderKind,
    /// Bytes of the shortest legal message, id and header included.
    pub min_len: usize,
}

impl MessageInfo {
    /// What is known of the message type `M`, used as `kind`.
    pub const fn of<M: Message>(kind: MessageKind) -> Self {
        Self {
            name: M::NAME,
            crc: M::CRC,
            name_crc: M::NAME_CRC,
            kind,
            header: M::HEADER,
            min_len: M::MIN_MESSAGE_LEN,
        }
    }
}

/// What a message is for, as the services of its file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Sent by clients, answered with one reply.
    Request,
    /// Sent by clients, not answered.
    OneWay,
    /// Sent by clients, answered with details.
    Dump,
    /// Sent by clients, answered with details and then a reply.
    CursorStream,
    /// Answers a request or ends a cursor stream.
    Reply,
    /// One element of the answer to a dump or cursor stream.
    Details,
    /// Sent by the server at any time after a subscription.
    Event,
    /// In no service.
    Unused,
}

/// One service: which messages answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// The message that clients send.
    pub request: &'static str,
    /// The reply; none for a dump or when nothing is answered.
    pub reply: Option<&'static str>,
    /// The details of a dump or cursor stream.
    pub details: Option<&'static str>,
    /// The events that the request subscribes to.
    pub events: &'static [&'static str],
}
