//! What a binary-API message is in bytes: encoding, decoding, socket framing.
#![forbid(unsafe_code)]
