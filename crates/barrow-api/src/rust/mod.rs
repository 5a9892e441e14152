//! Rust from schemas.
//!
//! One module of Rust for one interface file. Its types implement `barrow_wire::Encode` and `Decode` directly, field
//! by field; its messages the traits that tell how they belong together. What is generated:
//!
//! | in the language | in Rust |
//! |---|---|
//! | message, structure | struct with public fields, `Default` with the schema's defaults, `with_<field>` methods |
//! | `client_index`, `context` in front | not fields: `Message::HEADER`, passed along by the framework |
//! | the count of an array | not a field: the length of the `Vec` |
//! | enumeration | newtype over its integer with a constant for each item; prints names, keeps unknown values |
//! | flags, and enumerations used as such | the same, with `contains`, `\|` and so on |
//! | union | newtype over its bytes with typed access to each member; with cases, an enum of its members too |
//! | alias of a base type | newtype |
//! | alias of a defined type | `pub type` |
//! | `string x[N]`, `string x[]` | `FixedString<N>`, `VarString` |
//! | imported type | its path in the Rust module of the file that defines it: [`Options::module_path`] |
//!
//! A type whose home is not known (in a single `.api.json`) is generated where it is used.

mod aliases;
mod catalogue;
mod context;
mod docs;
mod enumerations;
mod fields;
mod messages;
mod names;
mod options;
mod unions;

pub use options::{GenerateError, Json, Options, Serde};

use crate::schema::{Definition, Schema};
use context::Context;
use proc_macro2::TokenStream;
use quote::quote;

/// The name of the Rust module of an interface file: its own, unless that is a keyword.
pub fn module_ident(module: &str) -> String {
    names::ident(module).to_string()
}

/// The Rust module of an interface file, formatted.
///
/// The text has no inner attributes, so it can be a file of its own (`pub mod interface;`) or be included.
///
/// # Errors
/// When two names of the file become one in Rust.
pub fn generate(schema: &Schema, options: &Options) -> Result<String, GenerateError> {
    let context = Context::new(schema, options)?;
    let mut items = TokenStream::new();
    for definition in schema
        .definitions()
        .filter(|definition| context.is_own(*definition))
    {
        items.extend(match definition {
            Definition::Enum(enumeration) => {
                enumerations::enumeration(&context, enumeration, enumeration.is_bit_set())
            }
            Definition::Flags(enumeration) => {
                enumerations::enumeration(&context, enumeration, true)
            }
            Definition::Alias(alias) => aliases::alias(&context, alias),
            Definition::Structure(structure) => fields::structure(&context, structure)?,
            Definition::Union(union) => unions::union(&context, union)?,
        });
    }
    for message in schema.messages() {
        items.extend(messages::message(&context, message)?);
    }
    let wire = context.wire_path();
    let module = catalogue::module_info(&context);
    let file = syn::parse2(quote! {
        use #wire as wire;
        #module
        #items
    });
    let file = file.expect("the generator writes Rust");
    let head = format!(
        "// Made by barrow-api from {}.api. Do not edit.\n\n",
        schema.module()
    );
    Ok(head + &with_blank_lines(&prettyplease::unparse(&file)))
}

/// Separates items, and the members of their blocks that have a body.
fn with_blank_lines(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut spaced = String::with_capacity(text.len() + text.len() / 8);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        spaced.push_str(line);
        spaced.push('\n');
        let Some(next) = lines.peek() else { break };
        let closes = |depth: usize| {
            indent(line) == depth
                && indent(next) == depth
                && line.ends_with(['}', ';', ']'])
                && !next.trim_start().starts_with(['}', ']', ')'])
        };
        let item = closes(0) && !line.starts_with('#') && !next.starts_with("use ");
        let member = closes(4) && (line.trim() == "}" || next.trim_start().starts_with("fn "));
        if item || member {
            spaced.push('\n');
        }
    }
    spaced
}
