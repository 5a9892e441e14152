//! Messages, services, and the counters that a file may describe.

use super::types::{Field, Options, Primitive, Value};
use crate::source::Origin;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The name.
    pub name: String,
    /// The fields behind `u16 _vl_msg_id`, which every message begins with.
    pub fields: Vec<Field>,
    /// The CRC: computed from text, taken from JSON.
    pub crc: u32,
    /// `deprecated`, `in_progress`, `status`, `replaced_by`, `vat_help`.
    pub options: Options,
    /// The comment before it, as written.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

impl Message {
    /// How the protocol names it: name, underscore, 8 hexadecimal digits.
    pub fn name_crc(&self) -> String {
        format!("{}_{:08x}", self.name, self.crc)
    }

    /// Which of `client_index` and `context` stand right behind the message id, in this order.
    ///
    /// Only these leading fields make the header. A `client_index` further back (`control_ping_reply`) is a field
    /// like any other, and so is one that counts an array.
    pub fn header(&self) -> Header {
        let counts = |name: &str| {
            self.fields
                .iter()
                .any(|field| field.counted_by() == Some(name))
        };
        let is = |at: usize, name: &str| {
            let leads = |field: &Field| field.name == name && field.is_scalar(Primitive::U32);
            self.fields.get(at).is_some_and(leads) && !counts(name)
        };
        let client_index = is(0, "client_index");
        Header {
            client_index,
            context: is(usize::from(client_index), "context"),
        }
    }

    /// The fields behind the header.
    pub fn body(&self) -> &[Field] {
        let Header {
            client_index,
            context,
        } = self.header();
        &self.fields[usize::from(client_index) + usize::from(context)..]
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether the message is marked `in_progress`, in either spelling.
    pub fn is_in_progress(&self) -> bool {
        let status = self.options.get("status").and_then(Value::as_text);
        self.options.contains("in_progress") || status == Some("in_progress")
    }
}

/// What stands between a message's id and its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// `u32 client_index`.
    pub client_index: bool,
    /// `u32 context`.
    pub context: bool,
}

/// Which messages answer a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The message that clients send.
    pub request: String,
    /// What it is answered with.
    pub answer: Answer,
    /// The events it subscribes to.
    pub events: Vec<String>,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing (`returns null`).
    Nothing,
    /// One reply.
    Reply(String),
    /// Any number of details, without an end mark (`returns stream`).
    Dump {
        /// The details.
        details: String,
    },
    /// Any number of details, then a reply (`returns ... stream ...`).
    Cursor {
        /// The details.
        details: String,
        /// The reply.
        reply: String,
    },
}

impl Answer {
    /// The reply, if one comes.
    pub fn reply(&self) -> Option<&str> {
        match self {
            Self::Reply(reply) | Self::Cursor { reply, .. } => Some(reply),
            Self::Nothing | Self::Dump { .. } => None,
        }
    }

    /// The details, if they come.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Dump { details } | Self::Cursor { details, .. } => Some(details),
            Self::Nothing | Self::Reply(_) => None,
        }
    }
}

impl Service {
    /// Every message that the server sends because of the request.
    pub fn sent_by_server(&self) -> impl Iterator<Item = &str> {
        let answers = self.answer.details().into_iter().chain(self.answer.reply());
        answers.chain(self.events.iter().map(String::as_str))
    }
}

/// A set of error counters that nodes report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterSet {
    /// The name of the set.
    pub name: String,
    /// The counters.
    pub elements: Vec<Counter>,
    /// Where it is.
    pub origin: Origin,
}

/// One counter of a set. What is not given is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// The name.
    pub name: String,
    /// For example `error`.
    pub severity: String,
    /// For example `counter64`.
    pub kind: String,
    /// For example `packets`.
    pub units: String,
    /// What it counts.
    pub description: String,
}

/// A statistics path and the set of counters found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatPath {
    /// For example `/err/ip4-input`.
    pub path: String,
    /// The name of the set.
    pub counter: String,
}
