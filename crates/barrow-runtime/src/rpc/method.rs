//! Methods as types.

use barrow_wire::{DecodeOwned, Encode};

/// A method with one reply. Caller and handler name the same type, which holds no value.
///
/// ```
/// struct Add;
/// impl barrow_runtime::rpc::Method for Add {
///     const NAME: &'static str = "calculator.add";
///     type Request = (u32, u32);
///     type Reply = u64;
/// }
/// ```
pub trait Method: 'static {
    /// What it is called on the wire; at most 255 bytes.
    const NAME: &'static str;
    /// What the caller sends.
    type Request: Encode + DecodeOwned + 'static;
    /// What the handler answers.
    type Reply: Encode + DecodeOwned + 'static;
}

/// A method with any number of items for an answer.
pub trait StreamMethod: 'static {
    /// What it is called on the wire; at most 255 bytes.
    const NAME: &'static str;
    /// What the caller sends.
    type Request: Encode + DecodeOwned + 'static;
    /// What the handler answers, one after the other.
    type Item: Encode + DecodeOwned + 'static;
}
