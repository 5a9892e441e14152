//! Messages by definition: any message, known at run time only, to bytes, to JSON and back.
//!
//! A [`Codec`] is made from resolved schemas, be it those of this crate, a user's own, the
//! `.api.json` directory of another node, or what another node answers to `get_api_json`. It turns
//! bytes into a [`Message`] (its fields by name, as [`Value`]s), and a [`Message`] into bytes or
//! JSON. Generated types are the better tool where the message is known when the program is
//! written; the codec serves tools, gateways, recordings and tests.
//!
//! ```
//! use barrow_messages::dynamic::{Codec, JsonRules};
//!
//! let codec = Codec::of_this_crate();
//! let json = serde_json::json!({"_msgname": "sw_interface_set_flags", "sw_if_index": 1, "flags": 3});
//! let message = codec.from_json(&json, JsonRules::BY_HAND)?;
//! let bytes = codec.encode(&message)?;
//! assert_eq!(bytes.len(), 2 + 4 + 4 + 4 + 4);
//! assert_eq!(codec.decode("sw_interface_set_flags", &bytes)?, message);
//! # Ok::<(), barrow_messages::dynamic::CodecError>(())
//! ```
//!
//! # Trust
//!
//! Neither the bytes nor the JSON nor the schemas need be trusted. Decoding ends with a message or a
//! [`CodecError`] that names the field; it never panics, allocates in proportion to the input, and
//! makes at most [`Limits::values`] values. Making a codec checks that types are finite and of
//! reasonable size and depth, so that a definition cannot ask for more than the input brings.
//!
//! # Bytes
//!
//! As binary-api.md, section 7.1, has it. Bytes behind a message are ignored. Count fields are
//! shown when decoding; when encoding they are computed from their arrays, whatever value they are
//! given. A boolean other than 0 reads as true. Text of a fixed field ends at its first NUL; text
//! of variable size loses NULs at its end. All other content survives a round trip bit for bit.
//!
//! # JSON
//!
//! One object a message, in VPP's form (`save-json`, `replay-json`, `vat2`), with these choices
//! where that form loses information:
//!
//! | content | here | VPP |
//! | --- | --- | --- |
//! | 64-bit integer | all digits | goes through a double |
//! | enumeration value without a name, and plain enumeration used as a bit set | integer | `Invalid ENUM` |
//! | flag without a name | integer behind the names | lost |
//! | text that is not UTF-8 | `{"hex": "0x.."}` | invalid JSON |
//! | not a number, infinite | `"NaN"`, `"NaN:<bits>"`, `"Infinity"`, `"-Infinity"` | invalid JSON |
//! | address of an unknown family | object with `af` and `un` | lost |
//! | union whose discriminator is known | the member that counts | all members |
//! | union otherwise | all members | all members |
//! | `client_index` and `context` behind the header | as other fields; may be missing when reading | lost |
//!
//! The padding of a union, behind the address that counts, is not shown. The header (message id,
//! `client_index`, `context`) is not part of the JSON form: it is 0 in a message read from JSON.
//! Count fields are written, and ignored when reading. A number may stand where a name is
//! written, octets or an object where an address is, and `0` and `1` for `false` and `true`.

mod bytes;
mod codec;
mod compile;
mod error;
mod json;
mod plan;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use self::codec::{Codec, Definition, Message};
pub use self::error::{CodecError, CodecErrorKind, PlanError, Problem};
pub use self::rules::{JsonRules, Limits};
pub use self::value::{Fields, Value};
