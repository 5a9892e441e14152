//! The text of a configuration and where each character of it stands.

use std::{fmt, sync::Arc};

/// The longest configuration that is read; VPP's own limit is of the same order.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A configuration text with a name for error messages.
#[derive(Debug, Clone)]
pub struct Source {
    name: Arc<str>,
    text: String,
}

impl Source {
    /// The text of a file. Everything from `#` to the end of its line is a comment and is blanked out, so that positions
    /// stay those of the file.
    pub fn file(name: &str, text: &str) -> Self {
        let mut in_comment = false;
        let text = text
            .chars()
            .fold(String::with_capacity(text.len()), |mut out, c| {
                match c {
                    '\n' | '\r' => in_comment = false,
                    '#' => in_comment = true,
                    _ => {}
                }
                if in_comment {
                    out.extend(std::iter::repeat_n(' ', c.len_utf8()));
                } else {
                    out.push(c);
                }
                out
            });
        Self {
            name: name.into(),
            text,
        }
    }

    /// The arguments of a command line, joined with blanks; an empty argument is a blank, and `#` starts no comment.
    pub fn arguments<A: AsRef<str>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut text = String::new();
        for argument in arguments {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(argument.as_ref());
        }
        Self {
            name: "command line".into(),
            text,
        }
    }

    /// The name that error messages show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, comments blanked out.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The position of the byte at `offset`; past the end it is the position of the end.
    pub fn position(&self, offset: usize) -> Position {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        Position {
            source: self.name.clone(),
            line: 1 + before.iter().filter(|b| **b == b'\n').count(),
            column: 1 + before.len() - line_start,
        }
    }
}

/// Where something stands in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file's name, or `command line`.
    pub source: Arc<str>,
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.line, self.column)
    }
}
