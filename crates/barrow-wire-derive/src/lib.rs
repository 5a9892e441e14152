//! Derives of `barrow_wire::Encode` and `barrow_wire::Decode`, for messages and types of your own.
//!
//! Fields are written in their order, packed. What a field's type does not say is said by `#[wire(...)]`:
//!
//! | attribute | on | meaning |
//! |---|---|---|
//! | `count = u8` | a `Vec` field | its number of elements stands right before them, as `u8`, `u16` or `u32` |
//! | `counted_by = n` | a `Vec` field | its number of elements is the earlier field `n`, written from the `Vec` |
//! | `skip` | a field | not on the wire; `Default` when read |
//! | `crate = "path"` | the type | where `barrow_wire` is, if your crate does not depend on it directly |
//!
//! A `Vec` field without attribute is counted by a `u32` right before it.
//!
//! An enum needs an integer representation, `#[repr(u8)]` for example: the tag is written in it, then the fields of
//! the variant. Decoding refuses tags that no variant has. Where unknown values must survive, use a newtype instead:
//! `struct Kind(u8);` with associated constants.
#![forbid(unsafe_code)]

mod attributes;
mod expand;
mod fields;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `barrow_wire::Encode`.
#[proc_macro_derive(Encode, attributes(wire))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::encode(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `barrow_wire::Decode`.
#[proc_macro_derive(Decode, attributes(wire))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::decode(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
