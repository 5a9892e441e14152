//! How a session and its calls fail.

use barrow_wire::frame::FrameError;
use barrow_wire::{DecodeError, EncodeError};
use std::borrow::Cow;

/// How far a call had come when the connection was lost or its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// The server cannot have seen it: not all of its bytes had left.
    Unsent,
    /// It had left; whether the server has acted on it is not known.
    Sent,
    /// Items of the answer have come, but not its end.
    PartlyAnswered,
}

impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unsent => "before the request was sent",
            Self::Sent => "after the request was sent",
            Self::PartlyAnswered => "after part of the answer",
        })
    }
}

/// Why a call ended without its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The connection was lost.
    #[error("connection lost {0}")]
    Lost(Delivery),
    /// No answer came in time.
    #[error("no answer in time; given up {0}")]
    TimedOut(Delivery),
    /// Something else came in answer.
    #[error("message {id} came in answer, which is not what belongs to the request")]
    Unexpected {
        /// Its id on this connection.
        id: u16,
    },
    /// More items came than may wait for their consumer.
    #[error("the consumer fell behind: the dump was cut after {delivered} items")]
    Overrun {
        /// How many items can still be had.
        delivered: u64,
    },
}

/// Why a call could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The session is not open.
    #[error("not connected")]
    NotOpen,
    /// The server does not have this message.
    #[error("the server has no message {name}; its plugin may not be loaded")]
    Missing {
        /// Its name.
        name: Cow<'static, str>,
    },
    /// The server has another layout of this message.
    #[error("the server has another {name}: CRC {server_crc:08x}, not {crc:08x}")]
    Changed {
        /// Its name.
        name: Cow<'static, str>,
        /// The CRC of our definition.
        crc: u32,
        /// The CRC of the server's.
        server_crc: u32,
    },
    /// The request has no wire form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The name is none of a message that clients send.
    #[error("{name} is no request: the server sends it")]
    NoRequest {
        /// The name.
        name: Cow<'static, str>,
    },
    /// As many calls are in flight as there are contexts.
    #[error("65,536 calls are in flight")]
    Exhausted,
}

/// Why a connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// What came is no stream of frames.
    #[error("the server broke the framing: {0}")]
    Frame(#[from] FrameError),
    /// The server's greeting is not understood.
    #[error("the server's greeting is not understood: {0}")]
    Greeting(#[from] DecodeError),
    /// The server refused the client.
    #[error("the server refused the session with {response}")]
    Refused {
        /// Its answer.
        response: i32,
    },
    /// The server lacks what every session needs.
    #[error("the server has no {name}")]
    NoPing {
        /// The message.
        name: &'static str,
    },
}
