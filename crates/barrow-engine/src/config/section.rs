//! The flat list of sections.

use super::{
    ConfigError, ConfigErrorKind, Source, Words,
    source::{MAX_TEXT, Position},
    words::matching_brace,
};
use std::ops::Range;

/// A configuration, divided into its sections.
#[derive(Debug, Clone)]
pub struct Config {
    source: Source,
    sections: Vec<Span>,
}

#[derive(Debug, Clone)]
struct Span {
    name: Range<usize>,
    body: Range<usize>,
}

impl Config {
    /// Divides a text into sections.
    ///
    /// A section is a name and either a block in balanced braces or one word; a name at the end of the text is an empty
    /// section. The same name may stand several times: its owner reads all of them, in order.
    ///
    /// # Errors
    /// [`ConfigErrorKind::TooLong`], and the three kinds about braces.
    pub fn parse(source: Source) -> Result<Self, ConfigError> {
        let text = source.text();
        let fail = |at, kind| {
            Err(ConfigError {
                position: source.position(at),
                kind,
            })
        };
        if text.len() > MAX_TEXT {
            let length = text.len();
            return fail(
                0,
                ConfigErrorKind::TooLong {
                    length,
                    limit: MAX_TEXT,
                },
            );
        }
        let mut sections = Vec::new();
        let mut at = skip_blanks(text, 0);
        while at < text.len() {
            let name = at..word_end(text, at);
            if name.is_empty() {
                let kind = if text[at..].starts_with('}') {
                    ConfigErrorKind::UnexpectedClosingBrace
                } else {
                    ConfigErrorKind::MissingSectionName
                };
                return fail(at, kind);
            }
            let start = skip_blanks(text, name.end);
            let body = if text[start..].starts_with('{') {
                match matching_brace(text, start) {
                    Some(end) => start + 1..end,
                    None => return fail(start, ConfigErrorKind::UnclosedBrace),
                }
            } else {
                start..word_end(text, start)
            };
            let closing = usize::from(text[body.end..].starts_with('}') && body.start > start);
            at = skip_blanks(text, body.end + closing);
            sections.push(Span { name, body });
        }
        Ok(Self { source, sections })
    }

    /// The sections in their order.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.sections.iter().map(|span| Section {
            source: &self.source,
            span,
        })
    }

    /// The text it was read from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// One section of a [`Config`].
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    source: &'a Source,
    span: &'a Span,
}

impl<'a> Section<'a> {
    /// The section's name.
    pub fn name(&self) -> &'a str {
        &self.source.text()[self.span.name.clone()]
    }

    /// Where its name stands.
    pub fn position(&self) -> Position {
        self.source.position(self.span.name.start)
    }

    /// A cursor over what stands inside.
    pub fn words(&self) -> Words<'a> {
        Words::new(self.source, self.name(), self.span.body.clone())
    }
}

fn skip_blanks(text: &str, from: usize) -> usize {
    text[from..]
        .find(|c: char| !c.is_ascii_whitespace())
        .map_or(text.len(), |n| from + n)
}

fn word_end(text: &str, from: usize) -> usize {
    text[from..]
        .find(|c: char| c.is_ascii_whitespace() || c == '{' || c == '}')
        .map_or(text.len(), |n| from + n)
}
