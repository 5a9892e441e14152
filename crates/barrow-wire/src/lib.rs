//! What a binary-API message is in bytes.
//!
//! VPP's API sends packed structures: fields in the order of their definition, no padding, integers big-endian,
//! `f64` little-endian, arrays counted by an earlier field. This crate holds
//!
//! - [`Encode`] and [`Decode`] with their [`Writer`] and [`Reader`], for the primitive types, strings, arrays and,
//!   through the derives of the same names, for any type of yours;
//! - the traits that tie messages to each other ([`Message`], [`Request`], [`Reply`], [`Dump`], [`CursorStream`],
//!   [`Subscribe`]) and the two functions that put a [`Header`] before a message and take it off again;
//! - [`frame`], the socket framing that client and server share, without I/O;
//! - [`ModuleInfo`], what the bindings of one `.api` file tell about it at run time.
//!
//! # Decoding is total
//!
//! Whatever the input, decoding ends with a value or a [`DecodeError`]: it never panics, never allocates more than
//! the input at hand can fill (a count field is checked against [`Decode::MIN_LEN`] times the bytes that are left),
//! and never nests deeper than [`Reader::MAX_DEPTH`]. Values that a receiver may not know (enumerations, flag bits,
//! bytes that are not text) survive a round trip. Bytes behind a message are legal and ignored.
//!
//! Encoding cannot fail half-way either: a value that has no wire form (more elements than its count field can tell)
//! is reported by the function that started the encoding, which then leaves its output as it was.
//!
//! ```
//! use barrow_wire::{Decode, Encode, FixedString};
//!
//! #[derive(Encode, Decode, Debug, PartialEq)]
//! struct Label {
//!     id: u32,
//!     name: FixedString<8>,
//!     #[wire(count = u8)]
//!     hops: Vec<u16>,
//! }
//!
//! let label = Label { id: 7, name: "blue".try_into()?, hops: vec![1, 2] };
//! let bytes = barrow_wire::to_bytes(&label)?;
//! assert_eq!(bytes, b"\0\0\0\x07blue\0\0\0\0\x02\0\x01\0\x02");
//! assert_eq!(barrow_wire::from_bytes::<Label>(&bytes)?, label);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

// Lets the derives name this crate the same way inside and outside of it.
extern crate self as barrow_wire;

mod array;
mod catalogue;
mod collections;
mod error;
mod fixed_string;
pub mod frame;
mod message;
mod named;
mod primitive;
mod reader;
#[cfg(feature = "serde")]
pub mod serde;
mod union;
mod var_string;
mod writer;

pub use barrow_wire_derive::{Decode, Encode};
pub use catalogue::{MessageInfo, MessageKind, ModuleInfo, ServiceInfo};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use fixed_string::{FixedString, FixedStringError};
pub use message::{
    CursorStream, Dump, EventOf, Header, HeaderKind, Message, OneWay, Reply, Request, Subscribe,
    decode_message, encode_message, message_id,
};
pub use named::{NamedValue, fmt_flags, fmt_named};
pub use reader::{Decode, DecodeOwned, Reader, from_bytes};
pub use union::{from_union, to_union};
pub use var_string::{VarStr, VarString};
pub use writer::{Count, Encode, Writer, to_bytes, to_vec};

/// Includes the bindings that `barrow_api::build::Builder` wrote to the build's output folder: one module for each
/// interface file, and `MODULES`, what is known of them at run time.
///
/// ```ignore
/// pub mod api {
///     barrow_wire::include_bindings!();
/// }
/// ```
#[macro_export]
macro_rules! include_bindings {
    () => {
        include!(concat!(env!("OUT_DIR"), "/barrow-api/mod.rs"));
    };
}
