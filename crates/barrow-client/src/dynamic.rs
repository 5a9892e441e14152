//! Calls by name, with JSON: for tools, gateways and scripts.
//!
//! The definitions come from the server itself (`get_api_json`, since 24.06), or from files.
//!
//! ```no_run
//! use barrow_client::{Client, dynamic::Dynamic};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("/run/vpp/api.sock").await?;
//! let dynamic = Dynamic::of_server(&client).await?;
//! let mut answer = dynamic.call(&client.channel(), "sw_interface_dump", &json!({}))?;
//! while let Some(interface) = answer.next().await {
//!     println!("{}", interface?);
//! }
//! # Ok(())
//! # }
//! ```

use crate::client::{Channel, Client, Flight, Next, Progress, RawChunk};
use crate::error::Error;
use crate::session::{CallFailure, Kind, StartError, UntypedAnswer};
use barrow_api::json::read_named;
use barrow_api::{Schema, schema::Answer as Service};
use barrow_messages::dynamic::{Codec, CodecError, JsonRules, Message, PlanError, Value};
use barrow_messages::errors::Retval;
use barrow_messages::memclnt::{self, ControlPingReply, GetApiJson};
use barrow_wire::decode_message;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Why a call by name failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DynamicError {
    /// As any call.
    #[error(transparent)]
    Call(#[from] Error),
    /// The server answered with an error number.
    #[error("{request}: {retval}")]
    Api {
        /// The name of the request.
        request: Arc<str>,
        /// The number.
        retval: Retval,
        /// The whole reply.
        reply: Box<Json>,
    },
    /// The definitions are not understood.
    #[error("definitions: {0}")]
    Schema(#[from] barrow_api::Error),
    /// The definitions have no form as bytes.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The JSON does not suit the message, or the bytes of an answer do not.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// There is no such message.
    #[error("no message {name}{}", similar.as_ref().map_or(String::new(), |name| format!("; did you mean {name}?")))]
    Unknown {
        /// The name.
        name: String,
        /// A name that looks like it.
        similar: Option<String>,
    },
    /// What the server sent as its definitions is no JSON.
    #[error("definitions: {0}")]
    Json(#[from] serde_json::Error),
}

/// Messages known by their definitions.
#[derive(Clone, Debug)]
pub struct Dynamic {
    codec: Arc<Codec>,
    services: Arc<HashMap<String, Service>>,
}

impl Dynamic {
    /// The messages of these definitions.
    ///
    /// # Errors
    /// When a definition cannot be turned into bytes.
    pub fn new<'s>(schemas: impl IntoIterator<Item = &'s Schema>) -> Result<Self, DynamicError> {
        let schemas: Vec<_> = schemas.into_iter().collect();
        let services = schemas
            .iter()
            .flat_map(|schema| schema.services())
            .map(|service| (service.request.clone(), service.answer.clone()));
        Ok(Self {
            services: Arc::new(services.collect()),
            codec: Arc::new(Codec::new(schemas.iter().copied())?),
        })
    }

    /// The messages of this program's own bindings: of 26.06.
    ///
    /// # Errors
    /// Never, unless the bindings were made without their definitions.
    pub fn of_bindings() -> Result<Self, DynamicError> {
        let modules = barrow_messages::catalogue();
        let schemas = modules
            .iter()
            .map(|module| read_named(module.name, module.json));
        Self::new(&schemas.collect::<Result<Vec<_>, _>>()?)
    }

    /// The messages that the server has told of, of any release since 24.06.
    ///
    /// # Errors
    /// When the server does not tell, or what it tells is not understood.
    pub async fn of_server(client: &Client) -> Result<Self, DynamicError> {
        let told = client.call(GetApiJson {}).await?.json;
        let modules: Vec<Json> = serde_json::from_str(&told.to_string_lossy())?;
        let own = read_named(memclnt::MODULE.name, memclnt::MODULE.json)?;
        // The session's own messages are not told by all.
        let mut schemas = vec![own];
        for module in modules {
            let schema = read_named("", &module.to_string())?;
            if schema
                .services()
                .iter()
                .all(|service| service.request != "sockclnt_create")
            {
                schemas.push(schema);
            }
        }
        Self::new(&schemas)
    }

    /// The codec of these messages.
    #[must_use]
    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    /// The names of the requests, in no order.
    pub fn requests(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Makes a call: what answers it comes as JSON objects, one for a request, one an item for a dump. Fields that
    /// `fields` leaves out have their default.
    ///
    /// # Errors
    /// When there is no such request, or the fields do not suit it.
    pub fn call(
        &self,
        channel: &Channel,
        name: &str,
        fields: &Json,
    ) -> Result<Answer, DynamicError> {
        let service = self.services.get(name).ok_or_else(|| self.unknown(name))?;
        if let Service::Nothing = service {
            let name = name.to_owned().into();
            return Err(Error::from(StartError::NoRequest { name }).into());
        }
        let mut object = fields.clone();
        if let Some(object) = object.as_object_mut() {
            object.insert("_msgname".into(), name.into());
        }
        let message = self.codec.from_json(&object, JsonRules::BY_HAND)?;
        Ok(Answer {
            flight: Flight::new(channel.clone()),
            dynamic: self.clone(),
            service: service.clone(),
            message,
            chunk: RawChunk::default(),
            first: true,
        })
    }

    fn unknown(&self, name: &str) -> DynamicError {
        let similar = self
            .services
            .keys()
            .map(|known| (strsim::jaro_winkler(known, name), known))
            .filter(|(score, _)| *score > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        DynamicError::Unknown {
            name: name.to_owned(),
            similar: similar.map(|(_, known)| known.clone()),
        }
    }

    fn kind<'n>(&self, name: &'n str) -> Result<Kind<'n>, DynamicError> {
        let definition = self
            .codec
            .definition(name)
            .ok_or_else(|| self.unknown(name))?;
        Ok(Kind {
            name,
            crc: definition.crc(),
            header: definition.header(),
        })
    }
}

/// What answers a call by name: a stream of JSON objects.
pub struct Answer {
    flight: Flight,
    dynamic: Dynamic,
    service: Service,
    message: Message,
    chunk: RawChunk,
    first: bool,
}

impl Answer {
    /// The next object; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Json, DynamicError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// All objects.
    ///
    /// # Errors
    /// The first failure; what came before it is lost.
    pub async fn collect(mut self) -> Result<Vec<Json>, DynamicError> {
        let mut all = Vec::new();
        while let Some(object) = self.next().await {
            all.push(object?);
        }
        Ok(all)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Json, DynamicError>>> {
        loop {
            match self.flight.progress {
                Progress::Over => return Poll::Ready(None),
                Progress::Started(_) => {}
                Progress::New | Progress::InLine(..) => {
                    if let Err(error) = ready!(self.poll_start(cx)) {
                        self.flight.progress = Progress::Over;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            match ready!(self.chunk.poll(&mut self.flight, cx, <[u8]>::to_vec)) {
                Next::Item(bytes) => return Poll::Ready(Some(self.item(&bytes))),
                Next::End(end) => match self.end(end) {
                    Ok(None) => {}
                    Ok(Some(item)) => return Poll::Ready(Some(Ok(item))),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }

    fn poll_start(&mut self, cx: &Context<'_>) -> Poll<Result<(), DynamicError>> {
        let kind = |name| self.dynamic.kind(name);
        let request = kind(&self.message.name)?;
        let answer = match &self.service {
            Service::Reply(reply) => UntypedAnswer::Reply(kind(reply)?),
            Service::Dump { details } => UntypedAnswer::Dump(kind(details)?),
            Service::Cursor { details, reply } => {
                UntypedAnswer::Cursor(kind(details)?, kind(reply)?)
            }
            Service::Nothing => unreachable!("refused by call"),
        };
        let bytes = self.dynamic.codec.encode(&self.message)?;
        let limit = self.flight.channel.dump_buffer();
        let started = self.flight.poll_start(cx.waker(), |session, deadline| {
            session.start_untyped(request, &bytes, answer, deadline, limit)
        });
        started.map_err(DynamicError::from)
    }

    fn item(&self, bytes: &[u8]) -> Result<Json, DynamicError> {
        let (Service::Dump { details } | Service::Cursor { details, .. }) = &self.service else {
            unreachable!("requests have no items")
        };
        let codec = &self.dynamic.codec;
        Ok(codec.to_json(&codec.decode(details, bytes)?)?)
    }

    /// The end of a call: the reply of a request is what it brings; a list has nothing more to bring, or goes on.
    fn end(&mut self, end: Result<Vec<u8>, CallFailure>) -> Result<Option<Json>, DynamicError> {
        let bytes = end.map_err(Error::from)?;
        let reply = match &self.service {
            Service::Reply(reply) | Service::Cursor { reply, .. } => reply,
            Service::Dump { .. } => {
                decode_message::<ControlPingReply>(&bytes).map_err(Error::from)?;
                return Ok(None);
            }
            Service::Nothing => unreachable!("refused by call"),
        };
        let codec = &self.dynamic.codec;
        let message = codec.decode(reply, &bytes)?;
        let retval = message.fields.get("retval").and_then(Value::as_i64);
        let retval = Retval(retval.and_then(|n| i32::try_from(n).ok()).unwrap_or(0));
        let first = std::mem::take(&mut self.first);
        if let Service::Cursor { .. } = self.service {
            match retval {
                Retval::OK => return Ok(None),
                Retval::INVALID_VALUE if first => return Ok(None),
                Retval::EAGAIN => {
                    if let Some(cursor) = message.fields.get("cursor") {
                        self.message.fields.set("cursor", cursor.clone());
                        self.flight.progress = Progress::New;
                        return Ok(None);
                    }
                }
                _ => {}
            }
        }
        let json = codec.to_json(&message)?;
        if retval == Retval::OK {
            return Ok(Some(json));
        }
        Err(DynamicError::Api {
            request: Arc::clone(&self.message.name),
            retval,
            reply: Box::new(json),
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("request", &self.message.name)
            .field("progress", &self.flight.progress)
            .finish_non_exhaustive()
    }
}
