//! The socket framing, the same in both directions, without I/O.
//!
//! ```text
//!  0        8          12        16
//!  +--------+----------+---------+------------------+
//!  | unused | data_len | unused  | message, data_len bytes
//!  +--------+----------+---------+------------------+
//!             u32 BE
//! ```
//!
//! Frames follow each other without padding. The unused parts are sent as zero and never looked at: VPP leaves
//! pointers in them (binary-api.md, section 1.3). [`encode`] and [`append`] write frames, [`FrameDecoder`] finds them
//! in a stream that arrives in pieces.

mod decoder;

pub use decoder::{FrameDecoder, FrameError};

use crate::{EncodeError, Header, Message, encode_message};

/// Bytes before each message.
pub const HEADER_LEN: usize = 16;

/// The shortest message: its id.
pub const MIN_MESSAGE_LEN: usize = 2;

/// The longest message a decoder accepts unless told otherwise: 16 MiB.
pub const DEFAULT_MAX_MESSAGE_LEN: usize = 16 << 20;

const LEN_OFFSET: usize = 8;

/// Appends a frame with `message` and its header to `out`.
///
/// # Errors
/// When the message has no wire form or is longer than a frame; `out` is then as it was.
pub fn encode<M: Message>(
    header: Header,
    message: &M,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    encode_with(out, |out| encode_message(header, message, out))
}

/// Appends a frame around a message that is encoded already.
///
/// # Errors
/// When the message is longer than a frame; `out` is then as it was.
pub fn append(message: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.reserve(HEADER_LEN + message.len());
    encode_with(out, |out| {
        out.extend_from_slice(message);
        Ok(())
    })
}

/// Appends a frame around the message that `write` appends.
///
/// # Errors
/// As `write`, or when the message is longer than a frame; `out` is then as it was.
pub fn encode_with(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    let written = write(out).and_then(|()| data_len(out.len() - start - HEADER_LEN));
    match written {
        Ok(len) => {
            let at = start + LEN_OFFSET;
            out[at..at + 4].copy_from_slice(&len.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn data_len(len: usize) -> Result<u32, EncodeError> {
    len.try_into().map_err(|_| EncodeError::TooLong {
        len,
        max: u32::MAX.into(),
    })
}
