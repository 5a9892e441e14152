//! What a caller sees when something fails.

use crate::session::{CallFailure, Delivery, SessionError, StartError};
use barrow_messages::errors::Retval;
use barrow_wire::{DecodeError, Reply, Request};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server did the call and answered with an error number.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The call could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The call was started and got no answer.
    #[error(transparent)]
    Call(#[from] CallFailure),
    /// The answer is shorter than its definition.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The client was closed, or its policy gave up connecting.
    #[error("the client is closed: {0}")]
    Closed(Closed),
    /// The call waited for a place in the window until its time was over; nothing was sent.
    #[error("too many calls are in flight: no place became free in time")]
    NoPlace,
}

impl Error {
    /// The error number, if the server answered with one.
    #[must_use]
    pub fn retval(&self) -> Option<Retval> {
        match self {
            Self::Api(error) => Some(error.retval),
            _ => None,
        }
    }

    /// Whether the server cannot have acted on the call, so that it may be made again.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Start(_) | Self::Closed(_) | Self::NoPlace => true,
            Self::Call(CallFailure::Lost(delivery) | CallFailure::TimedOut(delivery)) => {
                *delivery == Delivery::Unsent
            }
            _ => false,
        }
    }
}

/// The server's error number, with the reply it came in.
#[derive(Clone)]
pub struct ApiError {
    /// The name of the request.
    pub request: &'static str,
    /// The number; never 0.
    pub retval: Retval,
    reply: Arc<dyn Any + Send + Sync>,
}

impl ApiError {
    pub(crate) fn new<R: Reply + Sync>(request: &'static str, reply: R) -> Self {
        Self {
            request,
            retval: Retval(reply.retval()),
            reply: Arc::new(reply),
        }
    }

    /// The whole reply to the request `M`: some carry values beside their error number.
    #[must_use]
    pub fn reply<M: Request>(&self) -> Option<&M::Reply> {
        self.reply.downcast_ref()
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("request", &self.request)
            .field("retval", &self.retval)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.retval)
    }
}

impl std::error::Error for ApiError {}

/// Why a client is closed for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// By its user.
    #[error("by its user")]
    ByUser,
    /// Its policy allows no further attempt.
    #[error("gave up: {0}")]
    GaveUp(Lost),
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The socket could not be connected.
    #[error("cannot connect: {0}")]
    Connect(Arc<str>),
    /// Connecting or greeting took too long.
    #[error("no greeting in time")]
    GreetingTimeout,
    /// The server closed the connection.
    #[error("the server closed the connection")]
    EndOfFile,
    /// Reading or writing failed.
    #[error("connection broken: {0}")]
    Io(Arc<str>),
    /// What came is not the protocol.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server is silent: as many probes in a row failed as the health rule allows.
    #[error("the server does not answer: {0} probes failed")]
    NotResponding(u32),
}

impl From<&std::io::Error> for Lost {
    fn from(error: &std::io::Error) -> Self {
        Self::Io(error.to_string().into())
    }
}
