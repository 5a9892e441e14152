//! Derives of Encode and Decode.
#![forbid(unsafe_code)]
