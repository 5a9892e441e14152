//! The codec and the messages it handles.

use std::sync::Arc;

use barrow_api::Schema;
use barrow_wire::{Header, HeaderKind, ModuleInfo};
use serde_json::{Map, Value as Json};

use super::bytes::{Budget, Decoder, Encoder};
use super::json::{JsonReader, JsonWriter};
use super::plan::{MessagePlan, Plan};
use super::{CodecError, CodecErrorKind, Fields, JsonRules, Limits, PlanError, Problem};

/// Encodes and decodes the messages of some schemas.
#[derive(Debug)]
pub struct Codec {
    plan: Plan,
    limits: Limits,
}

/// A message: which one, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The name in its definition.
    pub name: Arc<str>,
    /// Id, `client_index` and `context`; what the message has not is 0, and ignored when encoding.
    pub header: Header,
    /// The fields behind the header, count fields included.
    pub fields: Fields,
}

/// What a codec knows of a message.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'c> {
    plan: &'c Plan,
    message: &'c MessagePlan,
}

impl Codec {
    /// A codec for all messages of `schemas`. A type or message may be in several of them, as
    /// imported types are, if its definitions agree.
    ///
    /// # Errors
    ///
    /// When a definition cannot be turned into bytes: see [`Problem`].
    pub fn new<'s>(schemas: impl IntoIterator<Item = &'s Schema>) -> Result<Self, PlanError> {
        let plan = super::compile::compile(schemas)?;
        Ok(Self {
            plan,
            limits: Limits::default(),
        })
    }

    /// A codec for all messages of `modules`, be they of the [`catalogue`](crate::catalogue) or a
    /// user's own.
    ///
    /// # Errors
    ///
    /// When a module was made without its JSON text, or as [`new`](Self::new).
    pub fn of_modules<'m>(
        modules: impl IntoIterator<Item = &'m ModuleInfo>,
    ) -> Result<Self, PlanError> {
        let schemas = modules.into_iter().map(|module| {
            let schema = barrow_api::json::read(module.json);
            schema.map_err(|error| PlanError::new(module.name, Problem::Unreadable(error)))
        });
        let schemas: Vec<Schema> = schemas.collect::<Result<_, _>>()?;
        Self::new(&schemas)
    }

    /// A codec for the messages of this crate.
    #[must_use]
    pub fn of_this_crate() -> Self {
        let codec = Self::of_modules(crate::catalogue().iter().copied());
        codec.expect("the definitions of this crate are sound")
    }

    /// The same codec with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What is known of the message `name`.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<Definition<'_>> {
        let message = self.plan.message(name)?;
        Some(Definition {
            plan: &self.plan,
            message,
        })
    }

    /// What is known of all messages, in the order of the schemas.
    pub fn definitions(&self) -> impl Iterator<Item = Definition<'_>> {
        let plan = &self.plan;
        plan.messages
            .iter()
            .map(move |message| Definition { plan, message })
    }

    /// Takes a message apart. `bytes` begin with the message id, which is not looked at: the id
    /// that stands for `name` is known to the session alone.
    ///
    /// # Errors
    ///
    /// When the message is unknown, or `bytes` are shorter than its definition and its own counts
    /// ask for, or bring more values than the [`Limits`] allow.
    pub fn decode(&self, name: &str, bytes: &[u8]) -> Result<Message, CodecError> {
        let plan = self.message(name)?;
        let (header, rest) = split_header(plan.header, bytes).ok_or_else(|| {
            let needed = 2 + plan.header.len();
            CodecError::new(CodecErrorKind::Truncated {
                needed,
                left: bytes.len(),
            })
            .within(&plan.name)
        })?;
        let mut budget = Budget::new(self.limits.values);
        let fields = Decoder::new(&self.plan, rest, &mut budget).fields(&plan.body);
        let fields = fields.map_err(|error| error.within(&plan.name))?;
        Ok(Message {
            name: Arc::clone(&plan.name),
            header,
            fields,
        })
    }

    /// Puts a message together, from its id to its last field.
    ///
    /// # Errors
    ///
    /// When the message is unknown, or a field is missing or does not suit its definition.
    pub fn encode(&self, message: &Message) -> Result<Vec<u8>, CodecError> {
        let plan = self.message(&message.name)?;
        let mut out = Vec::with_capacity(plan.min_len);
        let Header {
            id,
            client_index,
            context,
        } = message.header;
        out.extend(id.to_be_bytes());
        if plan.header.has_client_index() {
            out.extend(client_index.to_be_bytes());
        }
        if plan.header.has_context() {
            out.extend(context.to_be_bytes());
        }
        let done = Encoder::new(&self.plan, &mut out).fields(&plan.body, &message.fields);
        done.map_err(|error| error.within(&plan.name))?;
        Ok(out)
    }

    /// The JSON form of a message.
    ///
    /// # Errors
    ///
    /// When the message is unknown, or a field is missing or does not suit its definition.
    pub fn to_json(&self, message: &Message) -> Result<Json, CodecError> {
        let plan = self.message(&message.name)?;
        let mut object = Map::new();
        object.insert("_msgname".into(), Json::from(&*plan.name));
        object.insert("_crc".into(), Json::from(format!("{:08x}", plan.crc)));
        let budget = Budget::new(self.limits.values);
        let mut writer = JsonWriter {
            plan: &self.plan,
            budget,
        };
        let done = writer.fields(&plan.body, &message.fields, &mut object);
        done.map_err(|error| error.within(&plan.name))?;
        Ok(Json::Object(object))
    }

    /// Reads the JSON form of a message: an object with at least the member `_msgname`.
    ///
    /// # Errors
    ///
    /// When the message is unknown, or the object does not suit its definition as `rules` ask.
    pub fn from_json(&self, json: &Json, rules: JsonRules) -> Result<Message, CodecError> {
        let missing = |name: &str| CodecError::new(CodecErrorKind::Missing).within(&name.into());
        let object = json.as_object().ok_or_else(|| missing("_msgname"))?;
        let name = object.get("_msgname").and_then(Json::as_str);
        let plan = self.message(name.ok_or_else(|| missing("_msgname"))?)?;
        let message = self.read_json(plan, object, rules);
        message.map_err(|error| error.within(&plan.name))
    }

    fn read_json(
        &self,
        plan: &MessagePlan,
        object: &Map<String, Json>,
        rules: JsonRules,
    ) -> Result<Message, CodecError> {
        if let Some(crc) = object.get("_crc").filter(|_| !rules.other_crc) {
            let digits = crc.as_str().map(|digits| digits.trim_start_matches("0x"));
            if digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) != Some(plan.crc) {
                let given = digits.map_or_else(|| crc.to_string(), str::to_owned);
                return Err(CodecErrorKind::OtherCrc {
                    given,
                    ours: plan.crc,
                }
                .into());
            }
        }
        let budget = Budget::new(self.limits.values);
        let mut reader = JsonReader {
            plan: &self.plan,
            rules,
            budget,
        };
        let fields = reader.fields(&plan.body, object, &["_msgname", "_crc"])?;
        Ok(Message {
            name: Arc::clone(&plan.name),
            header: Header::default(),
            fields,
        })
    }

    #[cfg(test)]
    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    fn message(&self, name: &str) -> Result<&MessagePlan, CodecError> {
        self.plan
            .message(name)
            .ok_or_else(|| CodecError::new(CodecErrorKind::UnknownMessage).within(&Arc::from(name)))
    }
}

impl<'c> Definition<'c> {
    /// The name of the message.
    #[must_use]
    pub fn name(&self) -> &'c str {
        &self.message.name
    }

    /// The CRC of the message.
    #[must_use]
    pub const fn crc(&self) -> u32 {
        self.message.crc
    }

    /// Name, underscore, CRC in 8 lower-case hexadecimal digits: the key of the message table.
    #[must_use]
    pub fn name_crc(&self) -> String {
        format!("{}_{:08x}", self.name(), self.crc())
    }

    /// What stands between the id and the first field.
    #[must_use]
    pub const fn header(&self) -> HeaderKind {
        self.message.header
    }

    /// Bytes of the shortest legal message, id and header included.
    #[must_use]
    pub const fn min_len(&self) -> usize {
        self.message.min_len
    }

    /// A message with every field at its default, else at zero.
    #[must_use]
    pub fn default_message(&self) -> Message {
        let name = Arc::clone(&self.message.name);
        let fields = self.plan.default_fields(&self.message.body);
        Message {
            name,
            header: Header::default(),
            fields,
        }
    }
}

/// Takes the header off the front of a message.
fn split_header(kind: HeaderKind, bytes: &[u8]) -> Option<(Header, &[u8])> {
    let (id, mut rest) = bytes.split_first_chunk()?;
    let mut header = Header {
        id: u16::from_be_bytes(*id),
        ..Header::default()
    };
    if kind.has_client_index() {
        let (client_index, after) = rest.split_first_chunk()?;
        header.client_index = u32::from_be_bytes(*client_index);
        rest = after;
    }
    if kind.has_context() {
        let (context, after) = rest.split_first_chunk()?;
        header.context = u32::from_be_bytes(*context);
        rest = after;
    }
    Some((header, rest))
}
