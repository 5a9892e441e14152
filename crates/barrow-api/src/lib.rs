//! VPP's interface language: what messages a program sends and understands, read, written and turned into Rust.
//!
//! # Entry points
//!
//! | to | call |
//! |---|---|
//! | generate Rust in a build script | [`build::Builder`] |
//! | generate Rust from one schema | [`rust::generate`] |
//! | read an `.api` file with its imports | [`load`], [`parse`] and [`resolve`] |
//! | read `.api.json` | [`json::read`] |
//! | write `.api.json` | [`json::to_string`] |
//! | know where the types of many `.api.json` files belong | [`Library`] |
//!
//! All of them end in a [`Schema`]: definitions that hold together, with sizes
//! ([`Schema::layout`](Schema::layout)) and CRCs ([`crc`]). Whatever the input, they return a schema or an
//! [`Error`] with file, line and column; they never panic, and time and memory follow the size of the input.
//!
//! ```
//! use barrow_api::{NoImports, parse, resolve};
//!
//! let text = "
//!     /* Says hello. */
//!     autoreply define hello { u32 client_index; u32 context; string name[64]; };
//! ";
//! let schema = resolve(&parse(text)?, &NoImports)?;
//! let names: Vec<_> = schema.messages().iter().map(|message| message.name_crc()).collect();
//! assert_eq!(names, ["hello_ebf79a66", "hello_reply_e8d4e804"]);
//! # Ok::<(), barrow_api::Error>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "generate")]
pub mod build;
pub mod crc;
mod error;
pub mod json;
mod library;
mod parse;
mod resolve;
#[cfg(feature = "generate")]
pub mod rust;
pub mod schema;
mod services;
mod source;

/// The syntax tree of `.api` text.
pub mod syntax {
    pub use crate::parse::{Define, File, Flag, Rpc, Statement};
}

pub use error::{Error, ErrorKind, ImportError, JsonError, MeaningError, SyntaxError};
pub use library::Library;
pub use parse::{parse, parse_named};
pub use resolve::{load, resolve};
pub use schema::Schema;
pub use source::{DirImporter, Importer, MemoryImporter, NoImports, Origin, Source, module_name};
