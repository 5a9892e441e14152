//! How calls fail and sessions end.

use std::fmt;

use barrow_wire::DecodeError;

use super::frame::{FrameError, Versions};

/// Why a call failed, as a number that both sides know. Those below 1,000 are this protocol's; the
/// others are the application's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl Code {
    /// The peer has no such method.
    pub const NO_METHOD: Self = Self(1);
    /// The peer does not understand the request.
    pub const BAD_REQUEST: Self = Self(2);
    /// The deadline came first.
    pub const DEADLINE: Self = Self(3);
    /// Request, reply or item is larger than the other side takes.
    pub const TOO_LARGE: Self = Self(4);
    /// The handler panicked, or ended without an answer.
    pub const INTERNAL: Self = Self(5);
    /// The peer takes no calls now.
    pub const UNAVAILABLE: Self = Self(6);
    /// The session ended first.
    pub const LOST: Self = Self(7);
    /// The first code that is the application's.
    pub const APPLICATION: Self = Self(1_000);

    /// A failure with this code and a text for people.
    #[must_use]
    pub fn because(self, text: impl Into<String>) -> Failure {
        Failure {
            code: self,
            text: text.into(),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NO_METHOD => "NO_METHOD",
            Self::BAD_REQUEST => "BAD_REQUEST",
            Self::DEADLINE => "DEADLINE",
            Self::TOO_LARGE => "TOO_LARGE",
            Self::INTERNAL => "INTERNAL",
            Self::UNAVAILABLE => "UNAVAILABLE",
            Self::LOST => "LOST",
            Self(code) => return write!(f, "Code({code})"),
        };
        f.write_str(name)
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code:?})")]
pub struct Failure {
    /// For programs.
    pub code: Code,
    /// For people.
    pub text: String,
}

/// Why a call has no reply, at the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The peer, or the session, says no; also for a deadline that came.
    #[error("the call failed: {0}")]
    Failed(#[from] Failure),
    /// The request has no wire form.
    #[error("the request cannot be encoded: {0}")]
    Request(#[from] barrow_wire::EncodeError),
    /// The reply is no value of its type.
    #[error("the reply cannot be decoded: {0}")]
    Reply(#[from] DecodeError),
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}

impl CallError {
    /// Whether the deadline came before the reply.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.code == Code::DEADLINE)
    }
}

/// Why a session has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Both sides, or one of them, said goodbye, and every call had ended.
    #[error("finished")]
    Finished,
    /// The wire ended.
    #[error("the connection was lost")]
    Lost,
    /// The two sides have no version in common.
    #[error("we speak versions {} to {}, the peer {} to {}", ours.lowest, ours.highest, theirs.lowest, theirs.highest)]
    Version {
        /// What we speak.
        ours: Versions,
        /// What the peer speaks.
        theirs: Versions,
    },
    /// The peer sent what is no frame.
    #[error("the peer sent {0}")]
    Frame(#[from] FrameError),
    /// The peer sent a frame that had no place there.
    #[error("the peer broke the protocol: {0}")]
    Violation(&'static str),
    /// The peer did not greet in time.
    #[error("the peer did not greet in time")]
    NoGreeting,
    /// The peer stopped within a frame.
    #[error("the peer stalled within a frame")]
    Stalled,
}
