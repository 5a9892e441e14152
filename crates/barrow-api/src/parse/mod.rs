//! `.api` text to syntax tree (binary-api.md, sections 4.1 and 4.2).
//!
//! The grammar nests nothing into itself, so the parser has no recursion; it takes time and memory in proportion to
//! the text.

mod ast;
mod block;
mod comments;
mod cursor;
mod lexer;
mod statement;

pub use ast::{Define, File, Flag, Rpc, Statement};

use crate::error::Error;
use cursor::Cursor;

/// Reads the statements of an `.api` text. Says nothing about whether they fit together: that is
/// [`resolve`](crate::resolve).
///
/// # Errors
/// At the first place where the text leaves the grammar.
pub fn parse(text: &str) -> Result<File, Error> {
    parse_named("", text)
}

/// As [`parse`]; errors and definitions tell `file` as their origin.
///
/// # Errors
/// At the first place where the text leaves the grammar.
pub fn parse_named(file: &str, text: &str) -> Result<File, Error> {
    let mut cursor = Cursor::new(file, text)?;
    let mut statements = Vec::new();
    while !cursor.at_end() {
        statements.push(statement::statement(&mut cursor)?);
    }
    Ok(File {
        name: file.into(),
        statements,
    })
}
