//! What goes into a session and what comes out.

use std::time::Duration;

use barrow_core::Instant;

use super::super::frame::Versions;
use super::super::status::{CloseReason, Failure};

/// Names a call; chosen by the caller, unique among its calls of one session.
pub type CallId = u64;

/// What a session allows and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The versions it speaks.
    pub versions: Versions,
    /// The longest frame it takes, in bytes; between 64 and 2^30.
    pub max_frame: u32,
    /// Calls of the peer that it handles at once; a peer that makes more breaks the protocol.
    pub max_calls: u32,
    /// How long the peer may take for its greeting.
    pub handshake: Duration,
    /// How long the peer may take to finish a frame that it has begun.
    pub frame_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            versions: Versions {
                lowest: 1,
                highest: 1,
            },
            max_frame: 4 << 20,
            max_calls: 1024,
            handshake: Duration::from_secs(5),
            frame_time: Duration::from_secs(30),
        }
    }
}

/// What goes into a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes from the wire.
    Bytes(&'a [u8]),
    /// The wire has ended.
    End,
    /// Something that this side wants.
    Command(Command),
}

/// What this side wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Call a method of the peer.
    Call {
        /// A number that no call of this session had.
        call: CallId,
        /// Which method; at most 255 bytes.
        method: String,
        /// The request.
        body: Vec<u8>,
        /// When the answer is of no use any more.
        deadline: Option<Instant>,
        /// Items that the peer may send before more are granted; `None` asks for one reply.
        window: Option<u32>,
    },
    /// Let the peer send more items.
    Grant {
        /// Of which call.
        call: CallId,
        /// How many more.
        items: u32,
    },
    /// Give up a call of this side.
    Cancel {
        /// Which.
        call: CallId,
    },
    /// Say goodbye: no more calls; the session ends with the last of those that were made.
    Leave,
    /// Answer a call of the peer, which ends it.
    Reply {
        /// Which.
        call: CallId,
        /// The reply.
        body: Vec<u8>,
    },
    /// Answer a call of the peer with an item; needs credit.
    Item {
        /// Which.
        call: CallId,
        /// The item.
        body: Vec<u8>,
    },
    /// End a call of the peer after its items.
    Finish {
        /// Which.
        call: CallId,
    },
    /// End a call of the peer with a failure.
    Fail {
        /// Which.
        call: CallId,
        /// Why.
        failure: Failure,
    },
}

/// What comes out of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bytes for the wire.
    Bytes(Vec<u8>),
    /// Something that this side should know.
    Event(Event),
}

/// What this side should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer has greeted: calls may be made.
    Ready {
        /// The version both speak.
        version: u16,
        /// Calls that the peer handles at once.
        max_calls: u32,
    },
    /// The peer calls.
    Called {
        /// Its number, for the answer.
        call: CallId,
        /// Which method.
        method: String,
        /// The request.
        body: Vec<u8>,
        /// When the answer is of no use any more.
        deadline: Option<Instant>,
        /// Items that may be sent; `None` asks for one reply.
        window: Option<u32>,
    },
    /// The peer takes more items.
    Granted {
        /// Of which of its calls.
        call: CallId,
        /// How many more.
        items: u32,
    },
    /// A call of the peer needs no answer any more: it gave it up, or its deadline has come.
    Dropped {
        /// Which.
        call: CallId,
    },
    /// The answer to a call of this side, which ends it.
    Replied {
        /// Which.
        call: CallId,
        /// The reply.
        body: Vec<u8>,
    },
    /// An item of a call of this side.
    Item {
        /// Which.
        call: CallId,
        /// The item.
        body: Vec<u8>,
    },
    /// A call of this side has ended after its items.
    Finished {
        /// Which.
        call: CallId,
    },
    /// A call of this side has failed.
    Failed {
        /// Which.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// The last event of all.
    Closed {
        /// Why.
        reason: CloseReason,
        /// What was counted until then.
        stats: SessionStats,
    },
}

/// Counters of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Calls that this side made.
    pub calls_out: u64,
    /// Calls that the peer made.
    pub calls_in: u64,
    /// Calls of either side whose deadline came.
    pub deadlines: u64,
    /// Calls of either side that were given up.
    pub cancelled: u64,
    /// Answers and grants for calls that had ended: dropped.
    pub stale: u64,
    /// Commands that made no sense (an item without credit, a number used twice): dropped.
    pub misused: u64,
}
