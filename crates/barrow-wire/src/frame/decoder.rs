//! Finding frames in a stream of bytes.

use super::{DEFAULT_MAX_MESSAGE_LEN, HEADER_LEN, LEN_OFFSET, MIN_MESSAGE_LEN};

/// Memory that is kept when no byte waits; more is given back.
const KEPT: usize = 64 << 10;

/// Finds the frames of one connection.
///
/// Bytes go in as they come, by [`push`](Self::push) or read straight into [`space`](Self::space); messages come out
/// of [`next_message`](Self::next_message) in order. Call that until it returns `None` before more goes in: then the
/// decoder holds at most one unfinished frame.
///
/// Costs: every byte is moved at most a constant number of times, however small the pieces. Memory grows with the
/// bytes that have arrived, never with what a header claims.
///
/// A stream that breaks the framing cannot be understood any further: from then on every call returns the same
/// error, and the connection is to be closed.
#[derive(Debug)]
pub struct FrameDecoder {
    /// Invariant: `start <= end <= buffer.len()`. `[start..end]` waits to be decoded, what is behind `end` is spare.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    max_message_len: usize,
    failed: Option<FrameError>,
}

/// A frame header that is refused; the connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The message would not even hold its id.
    #[error("frame of {len} bytes, too short for a message id")]
    TooShort {
        /// The length in the header.
        len: u32,
    },
    /// The message would be longer than allowed.
    #[error("frame of {len} bytes, at most {max} are allowed")]
    TooLong {
        /// The length in the header.
        len: u32,
        /// The limit.
        max: usize,
    },
}

impl FrameDecoder {
    /// A decoder for messages of up to `max_message_len` bytes.
    pub fn new(max_message_len: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
            max_message_len,
            failed: None,
        }
    }

    /// Appends bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.filled(bytes.len());
    }

    /// Room for at least `len` bytes, to read into. Follow with [`filled`](Self::filled).
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        if self.buffer.len() - self.end < len {
            self.make_room(len);
        }
        &mut self.buffer[self.end..]
    }

    /// Says that the first `len` bytes of [`space`](Self::space) have been filled.
    ///
    /// # Panics
    /// When that is more than there was room for.
    pub fn filled(&mut self, len: usize) {
        assert!(
            len <= self.buffer.len() - self.end,
            "more bytes filled than there was space"
        );
        self.end += len;
    }

    /// The next complete message, beginning with its id.
    ///
    /// # Errors
    /// When the frame at hand is refused, now and on every later call.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let waiting = &self.buffer[self.start..self.end];
        let Some(header) = waiting.first_chunk::<HEADER_LEN>() else {
            self.give_back();
            return Ok(None);
        };
        let len = self
            .message_len(header)
            .inspect_err(|error| self.failed = Some(*error))?;
        let total = HEADER_LEN as u64 + len as u64;
        if total > waiting.len() as u64 {
            return Ok(None);
        }
        let message = self.start + HEADER_LEN..self.start + HEADER_LEN + len;
        self.start = message.end;
        Ok(Some(&self.buffer[message]))
    }

    /// Bytes that wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.end - self.start
    }

    fn message_len(&self, header: &[u8; HEADER_LEN]) -> Result<usize, FrameError> {
        let [.., a, b, c, d, _, _, _, _] = *header;
        const { assert!(LEN_OFFSET + 8 == HEADER_LEN) };
        let len = u32::from_be_bytes([a, b, c, d]);
        let max = self.max_message_len;
        match usize::try_from(len) {
            Ok(n) if n < MIN_MESSAGE_LEN => Err(FrameError::TooShort { len }),
            Ok(n) if n <= max => Ok(n),
            _ => Err(FrameError::TooLong { len, max }),
        }
    }

    /// Moves the waiting bytes to the front if at least as many have been decoded (so a move is paid for by what was
    /// decoded), else doubles the buffer.
    fn make_room(&mut self, len: usize) {
        let waiting = self.end - self.start;
        if waiting <= self.start {
            self.buffer.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = waiting;
        }
        let needed = self.end + len;
        if needed > self.buffer.len() {
            let doubled = (2 * self.buffer.len()).min(needed.max(self.max_message_len));
            self.buffer.resize(needed.max(doubled), 0);
        }
    }

    /// Resets an empty buffer and returns the memory of a burst.
    fn give_back(&mut self) {
        if self.start < self.end {
            return;
        }
        self.start = 0;
        self.end = 0;
        if self.buffer.len() > KEPT {
            self.buffer.truncate(KEPT);
            self.buffer.shrink_to_fit();
        }
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_MESSAGE_LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::append;

    fn stream(messages: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for message in messages {
            append(message, &mut out).unwrap();
        }
        out
    }

    fn header(len: u32) -> [u8; 16] {
        let mut header = [0xee; 16];
        header[8..12].copy_from_slice(&len.to_be_bytes());
        header
    }

    #[test]
    fn frames_are_found_byte_by_byte() {
        let mut decoder = FrameDecoder::default();
        let mut found = Vec::new();
        for byte in stream(&[b"\0\x01", b"\0\x02abc"]) {
            decoder.push(&[byte]);
            while let Some(message) = decoder.next_message().unwrap() {
                found.push(message.to_vec());
            }
        }
        assert_eq!(found, [&b"\0\x01"[..], b"\0\x02abc"]);
        assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn several_frames_come_out_of_one_read() {
        let mut decoder = FrameDecoder::default();
        decoder.push(&stream(&[b"ab", b"cde"]));
        assert_eq!(decoder.next_message(), Ok(Some(&b"ab"[..])));
        assert_eq!(decoder.next_message(), Ok(Some(&b"cde"[..])));
        assert_eq!(decoder.next_message(), Ok(None));
    }

    #[test]
    fn the_unused_parts_of_the_header_are_not_looked_at() {
        let mut decoder = FrameDecoder::default();
        decoder.push(&header(2));
        decoder.push(b"xy");
        assert_eq!(decoder.next_message(), Ok(Some(&b"xy"[..])));
    }

    #[test]
    fn a_frame_without_room_for_an_id_breaks_the_stream_for_good() {
        for len in [0, 1] {
            let mut decoder = FrameDecoder::default();
            decoder.push(&header(len));
            decoder.push(&stream(&[b"ab"]));
            assert_eq!(decoder.next_message(), Err(FrameError::TooShort { len }));
            assert_eq!(decoder.next_message(), Err(FrameError::TooShort { len }));
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_from_the_header_alone() {
        for len in [101, 0xffff_fff0, u32::MAX] {
            let mut decoder = FrameDecoder::new(100);
            decoder.push(&header(len));
            assert_eq!(
                decoder.next_message(),
                Err(FrameError::TooLong { len, max: 100 })
            );
        }
    }

    #[test]
    fn memory_follows_what_arrives_not_what_a_header_claims() {
        let mut decoder = FrameDecoder::default();
        decoder.push(&header(16 << 20));
        assert_eq!(decoder.next_message(), Ok(None));
        assert!(decoder.buffer.len() < 1024);
    }

    #[test]
    fn the_memory_of_a_large_frame_is_given_back() {
        let mut decoder = FrameDecoder::default();
        let mut out = Vec::new();
        append(&vec![7; 1 << 20], &mut out).unwrap();
        for piece in out.chunks(4096) {
            decoder.push(piece);
        }
        assert_eq!(
            decoder.next_message().unwrap().map(<[u8]>::len),
            Some(1 << 20)
        );
        assert_eq!(decoder.next_message(), Ok(None));
        assert!(decoder.buffer.len() <= KEPT);
    }

    #[test]
    fn a_frame_can_be_read_in_place() {
        let mut decoder = FrameDecoder::default();
        let input = stream(&[b"hello"]);
        decoder.space(100)[..input.len()].copy_from_slice(&input);
        decoder.filled(input.len());
        assert_eq!(decoder.next_message(), Ok(Some(&b"hello"[..])));
    }
}
