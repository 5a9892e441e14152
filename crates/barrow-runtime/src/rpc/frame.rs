//! Frames: what two sessions say to each other, in bytes.
//!
//! ```text
//!   length u32   what follows, big-endian as everything: from 1 to the limit of the receiver
//!   kind   u8    0 hello   "BRPC", lowest and highest version u16, frame limit u32, call limit u32
//!                1 call    call u64, microseconds left u64 (0: no deadline), window u32 (0: one
//!                          reply), length u8 and name of the method, request
//!                2 reply   call u64, reply                    3 fail    call u64, code u16, text
//!                4 item    call u64, item                     5 end     call u64
//!                6 credit  call u64, items u32                7 cancel  call u64
//!                8 bye
//! ```

use std::str;

/// Bytes of the length before a frame.
const PREFIX: usize = 4;
/// The least and the most that a peer may set as its frame limit: below, no hello would fit.
const LIMITS: std::ops::RangeInclusive<u32> = 64..=1 << 30;
/// Memory that is kept when no byte waits; more is given back.
const KEPT: usize = 64 << 10;

/// Why bytes are no frames. The connection cannot be understood any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame without even a kind.
    #[error("an empty frame")]
    Empty,
    /// A frame beyond the limit.
    #[error("a frame of {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// What its prefix says.
        length: u32,
        /// What is allowed.
        limit: u32,
    },
    /// A kind that this version does not know.
    #[error("a frame of unknown kind {0}")]
    UnknownKind(u8),
    /// A frame that ends within its fields.
    #[error("a short frame of kind {0}")]
    Short(u8),
    /// A greeting in another protocol, or with impossible values.
    #[error("not a greeting of this protocol")]
    NotHello,
    /// A method's name that is no text.
    #[error("a method's name that is not UTF-8")]
    Name,
}

/// The versions that one side speaks, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The oldest.
    pub lowest: u16,
    /// The newest.
    pub highest: u16,
}

impl Versions {
    /// The newest that both speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u16> {
        let highest = self.highest.min(other.highest);
        (highest >= self.lowest.max(other.lowest)).then_some(highest)
    }
}

/// What a side tells of itself first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) versions: Versions,
    /// The longest frame that it takes.
    pub(super) max_frame: u32,
    /// The most calls that it handles at once.
    pub(super) max_calls: u32,
}

/// One frame, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Hello(Hello),
    Call {
        call: u64,
        micros: u64,
        window: u32,
        method: &'a str,
        body: &'a [u8],
    },
    Reply {
        call: u64,
        body: &'a [u8],
    },
    Fail {
        call: u64,
        code: u16,
        text: &'a [u8],
    },
    Item {
        call: u64,
        body: &'a [u8],
    },
    End {
        call: u64,
    },
    Credit {
        call: u64,
        items: u32,
    },
    Cancel {
        call: u64,
    },
    Bye,
}

const MAGIC: [u8; 4] = *b"BRPC";

impl<'a> Frame<'a> {
    fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 0,
            Self::Call { .. } => 1,
            Self::Reply { .. } => 2,
            Self::Fail { .. } => 3,
            Self::Item { .. } => 4,
            Self::End { .. } => 5,
            Self::Credit { .. } => 6,
            Self::Cancel { .. } => 7,
            Self::Bye => 8,
        }
    }

    /// Appends the frame with its prefix. The caller has seen to the limits: names of at most 255
    /// bytes, and what [`Frame::fits`] says.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; PREFIX]);
        out.push(self.kind());
        match *self {
            Self::Hello(hello) => {
                out.extend(MAGIC);
                out.extend(hello.versions.lowest.to_be_bytes());
                out.extend(hello.versions.highest.to_be_bytes());
                out.extend(hello.max_frame.to_be_bytes());
                out.extend(hello.max_calls.to_be_bytes());
            }
            Self::Call {
                call,
                micros,
                window,
                method,
                body,
            } => {
                out.extend(call.to_be_bytes());
                out.extend(micros.to_be_bytes());
                out.extend(window.to_be_bytes());
                out.push(u8::try_from(method.len()).expect("checked when the call was made"));
                out.extend(method.as_bytes());
                out.extend(body);
            }
            Self::Reply { call, body } | Self::Item { call, body } => {
                out.extend(call.to_be_bytes());
                out.extend(body);
            }
            Self::Fail { call, code, text } => {
                out.extend(call.to_be_bytes());
                out.extend(code.to_be_bytes());
                out.extend(text);
            }
            Self::Credit { call, items } => {
                out.extend(call.to_be_bytes());
                out.extend(items.to_be_bytes());
            }
            Self::End { call } | Self::Cancel { call } => out.extend(call.to_be_bytes()),
            Self::Bye => {}
        }
        let length = u32::try_from(out.len() - start - PREFIX).expect("bodies are limited");
        out[start..start + PREFIX].copy_from_slice(&length.to_be_bytes());
    }

    /// Whether the frame keeps within a receiver's limit.
    pub(super) fn fits(&self, limit: u32) -> bool {
        let fields = match self {
            Self::Call { method, body, .. } => 8 + 8 + 4 + 1 + method.len() + body.len(),
            Self::Reply { body, .. } | Self::Item { body, .. } => 8 + body.len(),
            Self::Fail { text, .. } => 8 + 2 + text.len(),
            _ => 20,
        };
        fields < limit as usize
    }

    /// Reads a frame without its prefix.
    fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (&kind, bytes) = bytes.split_first().ok_or(FrameError::Empty)?;
        Fields { kind, bytes }.frame()
    }
}

/// The fields of a frame, taken from the front.
struct Fields<'a> {
    kind: u8,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, rest) = self
            .bytes
            .split_first_chunk()
            .ok_or(FrameError::Short(self.kind))?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn u16(&mut self) -> Result<u16, FrameError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, FrameError> {
        self.take().map(u64::from_be_bytes)
    }

    fn name(&mut self) -> Result<&'a str, FrameError> {
        let [length] = self.take()?;
        let name = self.bytes.split_at_checked(length.into());
        let (name, rest) = name.ok_or(FrameError::Short(self.kind))?;
        self.bytes = rest;
        str::from_utf8(name).map_err(|_| FrameError::Name)
    }

    fn hello(&mut self) -> Result<Hello, FrameError> {
        let magic: [u8; 4] = self.take()?;
        let versions = Versions {
            lowest: self.u16()?,
            highest: self.u16()?,
        };
        let hello = Hello {
            versions,
            max_frame: self.u32()?,
            max_calls: self.u32()?,
        };
        let plausible = versions.lowest <= versions.highest && LIMITS.contains(&hello.max_frame);
        (magic == MAGIC && plausible)
            .then_some(hello)
            .ok_or(FrameError::NotHello)
    }

    /// Bytes behind the fields of fixed frames are left to later versions.
    fn frame(mut self) -> Result<Frame<'a>, FrameError> {
        if self.kind == 0 {
            return self.hello().map(Frame::Hello);
        }
        if self.kind == 8 {
            return Ok(Frame::Bye);
        }
        if self.kind > 8 {
            return Err(FrameError::UnknownKind(self.kind));
        }
        let call = self.u64()?;
        Ok(match self.kind {
            1 => Frame::Call {
                call,
                micros: self.u64()?,
                window: self.u32()?,
                method: self.name()?,
                body: self.bytes,
            },
            2 => Frame::Reply {
                call,
                body: self.bytes,
            },
            3 => Frame::Fail {
                call,
                code: self.u16()?,
                text: self.bytes,
            },
            4 => Frame::Item {
                call,
                body: self.bytes,
            },
            5 => Frame::End { call },
            6 => Frame::Credit {
                call,
                items: self.u32()?,
            },
            _ => Frame::Cancel { call },
        })
    }
}

/// Finds the frames of a byte stream.
///
/// Memory grows with the bytes that have arrived, never with what a prefix claims.
#[derive(Debug)]
pub(super) struct Assembler {
    buffer: Vec<u8>,
    /// Where the first frame begins. Invariant: `start <= buffer.len()`.
    start: usize,
    limit: u32,
}

impl Assembler {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit: limit.clamp(*LIMITS.start(), *LIMITS.end()),
        }
    }

    /// The longest frame it takes.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Appends bytes that have arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(KEPT);
            self.start = 0;
        } else if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, if it is complete.
    ///
    /// # Errors
    /// When what has arrived is no frame; the connection is to be closed.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let waiting = &self.buffer[self.start..];
        let Some((prefix, rest)) = waiting.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let (length, limit) = (u32::from_be_bytes(*prefix), self.limit);
        if length > limit {
            return Err(FrameError::TooLong { length, limit });
        }
        let Some(frame) = rest.get(..length as usize) else {
            return Ok(None);
        };
        self.start += PREFIX + length as usize;
        Frame::decode(frame).map(Some)
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn is_within_frame(&self) -> bool {
        self.start < self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HELLO: Hello = Hello {
        versions: Versions {
            lowest: 1,
            highest: 3,
        },
        max_frame: 1 << 20,
        max_calls: 16,
    };

    fn frames() -> Vec<Frame<'static>> {
        let call = 7;
        vec![
            Frame::Hello(HELLO),
            Frame::Call {
                call,
                micros: 5,
                window: 0,
                method: "echo",
                body: b"hi",
            },
            Frame::Reply { call, body: b"" },
            Frame::Fail {
                call,
                code: 3,
                text: b"late",
            },
            Frame::Item {
                call,
                body: &[0; 300],
            },
            Frame::End { call },
            Frame::Credit { call, items: 9 },
            Frame::Cancel { call },
            Frame::Bye,
        ]
    }

    proptest! {
        #[test]
        fn round_trip_however_the_stream_is_cut(cut in 1usize..50) {
            let mut bytes = Vec::new();
            frames().iter().for_each(|frame| frame.encode(&mut bytes));
            let (mut assembler, mut count) = (Assembler::new(1_000), 0);
            for chunk in bytes.chunks(cut) {
                assembler.push(chunk);
                while let Some(frame) = assembler.next().unwrap() {
                    prop_assert_eq!(frame, frames()[count]);
                    prop_assert!(frame.fits(1_000));
                    count += 1;
                }
            }
            prop_assert_eq!(count, frames().len());
            prop_assert!(!assembler.is_within_frame());
        }

        #[test]
        fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut assembler = Assembler::new(100);
            assembler.push(&bytes);
            while let Ok(Some(_)) = assembler.next() {}
        }
    }

    #[test]
    fn every_short_frame_is_an_error() {
        for frame in frames() {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            let fixed = match frame {
                Frame::Hello(_) => 17,
                Frame::Call { .. } => 1 + 8 + 8 + 4 + 1 + 4,
                Frame::Fail { .. } => 11,
                Frame::Credit { .. } => 13,
                Frame::Bye => 1,
                _ => 9,
            };
            for length in 1..fixed {
                let error = Frame::decode(&bytes[PREFIX..PREFIX + length]);
                assert!(
                    matches!(error, Err(FrameError::Short(_))),
                    "{frame:?} cut to {length}"
                );
            }
        }
        assert_eq!(Frame::decode(&[]), Err(FrameError::Empty));
        assert_eq!(Frame::decode(&[9]), Err(FrameError::UnknownKind(9)));
    }

    #[test]
    fn a_claimed_length_is_checked_before_anything_comes() {
        let mut assembler = Assembler::new(100);
        assembler.push(&[0, 0, 0, 101]);
        let error = FrameError::TooLong {
            length: 101,
            limit: 100,
        };
        assert_eq!(assembler.next(), Err(error));
    }

    #[test]
    fn impossible_greetings_are_refused() {
        let bad = [
            Hello {
                max_frame: 1,
                ..HELLO
            },
            Hello {
                max_frame: u32::MAX,
                ..HELLO
            },
            Hello {
                versions: Versions {
                    lowest: 3,
                    highest: 2,
                },
                ..HELLO
            },
        ];
        for hello in bad {
            let mut bytes = Vec::new();
            Frame::Hello(hello).encode(&mut bytes);
            assert_eq!(Frame::decode(&bytes[PREFIX..]), Err(FrameError::NotHello));
        }
        assert_eq!(
            Frame::decode(b"\0HTTP000000000000"),
            Err(FrameError::NotHello)
        );
    }

    #[test]
    fn the_newest_common_version_is_spoken() {
        let range = |lowest, highest| Versions { lowest, highest };
        assert_eq!(range(1, 3).common(range(2, 9)), Some(3));
        assert_eq!(range(1, 1).common(range(2, 2)), None);
    }
}
