//! The CRCs by which VPP tells definitions apart (binary-api.md, section 5).
//!
//! CRC-32 of zlib over a text form of the definitions: for a message its own fields, then, depth first and as often
//! as they are met, the types of its fields. "As often as they are met" would take exponential time for types that
//! use each other twice at every level; here the text of each type is hashed once, and hashes are joined: a [`Text`]
//! knows the CRC of a text and what appending it does to any CRC before it.

use crate::schema::{Bounds, Definition, Enumeration, Field, Message, Schema};
use std::collections::HashMap;
use std::fmt::Write;

/// The polynomial of CRC-32, bits reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The CRC of a text, joinable with that of another.
///
/// Polynomials over GF(2) modulo the polynomial stand in reversed bits: bit 31 is 1, bit 30 is x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    crc: u32,
    /// x to the power of the bits of the text: by that the CRC of what stands before is multiplied.
    shift: u32,
}

impl Text {
    /// No text.
    pub const EMPTY: Self = Self {
        crc: 0,
        shift: 1 << 31,
    };

    /// One text.
    pub fn new(text: &str) -> Self {
        let mut square = 1 << 23; // x^8
        let mut shift = 1 << 31;
        let mut len = text.len();
        while len > 0 {
            if len & 1 == 1 {
                shift = multiply(shift, square);
            }
            square = multiply(square, square);
            len >>= 1;
        }
        Self {
            crc: crc32fast::hash(text.as_bytes()),
            shift,
        }
    }

    /// This text with `next` behind it.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            crc: multiply(self.crc, next.shift) ^ next.crc,
            shift: multiply(self.shift, next.shift),
        }
    }

    /// The CRC-32 of the text.
    pub fn crc(self) -> u32 {
        self.crc
    }
}

fn multiply(a: u32, b: u32) -> u32 {
    let mut product = 0;
    let mut b = b;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = if b & 1 == 1 {
            b >> 1 ^ POLYNOMIAL
        } else {
            b >> 1
        };
    }
    product
}

/// Recomputes the CRC of a message from its definition and the types of `schema`.
///
/// For schemas read from JSON this differs from [`Message::crc`] where a type has items that are
/// `backwards_compatible`: JSON does not mark them.
pub fn message(schema: &Schema, message: &Message) -> u32 {
    Types::of(schema).message(message).crc()
}

/// The text form of the fields of a block, without those of their types.
pub fn block_text(fields: &[Field]) -> Text {
    let mut text = String::from("[");
    for (at, field) in fields.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let Field { name, ty, .. } = field;
        let _ = match &field.bounds {
            Bounds::Scalar => write!(text, "{separator}['{ty}', '{name}']"),
            Bounds::Fixed(len) => write!(text, "{separator}['{ty}', '{name}', {len}, None]"),
            Bounds::Counted(count) => write!(text, "{separator}['{ty}', '{name}', 0, '{count}']"),
            Bounds::Open => write!(text, "{separator}['{ty}', '{name}', 0, None]"),
        };
    }
    text.push(']');
    Text::new(&text)
}

/// The text form of an enumeration, without items that are `backwards_compatible`.
pub fn enumeration_text(enumeration: &Enumeration) -> Text {
    let mut text = String::from("[");
    let items = enumeration
        .items
        .iter()
        .filter(|item| !item.is_backwards_compatible());
    for (at, item) in items.enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}['{}', {}]", item.name, item.value);
    }
    text.push(']');
    Text::new(&text)
}

/// The text form of an alias: the same for all.
pub fn alias_text() -> Text {
    Text::new("[]")
}

/// The text form of one definition, without those of the types it uses.
pub fn definition_text(definition: Definition<'_>) -> Text {
    match definition {
        Definition::Structure(block) | Definition::Union(block) => block_text(&block.fields),
        Definition::Enum(enumeration) | Definition::Flags(enumeration) => {
            enumeration_text(enumeration)
        }
        Definition::Alias(_) => alias_text(),
    }
}

/// The texts of a schema's types, each with those of the types it uses.
#[derive(Debug)]
pub struct Types {
    texts: HashMap<String, Text>,
}

impl Types {
    /// Hashes all types of `schema`.
    pub fn of(schema: &Schema) -> Self {
        let mut types = Self {
            texts: HashMap::new(),
        };
        for definition in schema.definitions() {
            types.add(schema, definition);
        }
        types
    }

    /// The text of a message with those of its types.
    pub fn message(&self, message: &Message) -> Text {
        self.block(&message.fields)
    }

    /// Recursion ends: a schema's types do not contain themselves and nest at most 64 deep.
    fn add(&mut self, schema: &Schema, definition: Definition<'_>) {
        if self.texts.contains_key(definition.name()) {
            return;
        }
        let text = match definition {
            Definition::Structure(block) | Definition::Union(block) => {
                let used = block.fields.iter().filter_map(|field| field.ty.defined());
                for inner in used.filter_map(|name| schema.definition(name)) {
                    self.add(schema, inner);
                }
                self.block(&block.fields)
            }
            _ => definition_text(definition),
        };
        self.texts.insert(definition.name().to_owned(), text);
    }

    fn block(&self, fields: &[Field]) -> Text {
        let used = fields.iter().filter_map(|field| field.ty.defined());
        let texts = used.filter_map(|name| self.texts.get(name).copied());
        texts.fold(block_text(fields), Text::then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_texts_have_the_crc_of_the_whole() {
        let (a, b, c) = ("[['u32', 'context'], ", "", "['string', 'name', 64, None]]");
        let whole = Text::new(&format!("{a}{b}{c}"));
        assert_eq!(Text::new(a).then(Text::new(b)).then(Text::new(c)), whole);
        assert_eq!(Text::EMPTY.then(whole), whole);
        assert_eq!(whole.then(Text::EMPTY), whole);
        assert_eq!(whole.crc(), 0x455f_b9c4);
    }

    /// The running values of binary-api.md, section 5.3.
    #[test]
    fn the_worked_example_of_set_punt_comes_out() {
        let steps = [
            (
                "[['u32', 'client_index'], ['u32', 'context'], ['bool', 'is_add'], ['vl_api_punt_t', 'punt']]",
                0x7fe2_687c,
            ),
            (
                "[['vl_api_punt_type_t', 'type'], ['vl_api_punt_union_t', 'punt']]",
                0xffb0_3bc2,
            ),
            (
                "[['PUNT_API_TYPE_L4', 0], ['PUNT_API_TYPE_IP_PROTO', 1], ['PUNT_API_TYPE_EXCEPTION', 2]]",
                0x5ddc_b1da,
            ),
        ];
        let mut running = Text::EMPTY;
        for (text, crc) in steps {
            running = running.then(Text::new(text));
            assert_eq!(running.crc(), crc);
        }
    }
}
