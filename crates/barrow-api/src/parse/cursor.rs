//! The parser's place in the tokens, and what it asks there.

use super::comments::Comments;
use super::lexer::{Kind, Token, lex};
use crate::error::{Error, SyntaxError};
use crate::schema::Value;
use crate::source::Origin;
use std::sync::Arc;

/// Words that are no names.
const RESERVED: [&str; 33] = [
    "service",
    "rpc",
    "returns",
    "null",
    "stream",
    "events",
    "define",
    "typedef",
    "enum",
    "enumflag",
    "typeonly",
    "manual_print",
    "manual_endian",
    "dont_trace",
    "autoreply",
    "autoendian",
    "option",
    "u8",
    "u16",
    "u32",
    "u64",
    "i8",
    "i16",
    "i32",
    "i64",
    "f64",
    "bool",
    "string",
    "import",
    "true",
    "false",
    "union",
    "units",
];

/// Words that only fields may have as names.
const FIELD_NAMES: [&str; 5] = ["type", "severity", "description", "counters", "paths"];

/// Fields cannot be called so, because Python clients could not name them.
const PYTHON: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

pub(super) struct Cursor<'a> {
    file: Arc<str>,
    /// Invariant: the last is of kind `End`, and `at` never passes it.
    tokens: Vec<Token<'a>>,
    at: usize,
    comments: Comments<'a>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Result<Self, Error> {
        let file: Arc<str> = file.into();
        match lex(text) {
            Ok((tokens, comments)) => Ok(Self {
                file,
                tokens,
                at: 0,
                comments: Comments::new(comments),
            }),
            Err(e) => Err(Error {
                file,
                line: e.line,
                column: e.column,
                kind: e.error.into(),
            }),
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().kind == Kind::End
    }

    pub(super) fn peek(&self) -> &Token<'a> {
        &self.tokens[self.at]
    }

    /// The token behind the next.
    pub(super) fn peek_second(&self) -> &Token<'a> {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Where the next token is.
    pub(super) fn origin(&self) -> Origin {
        let Token { line, column, .. } = *self.peek();
        let file = (!self.file.is_empty()).then(|| self.file.clone());
        Origin { file, line, column }
    }

    /// The comment on the lines before the next token, if that is the first of its line.
    pub(super) fn comment_before(&self) -> Option<String> {
        let line = self.peek().line;
        let first = self.tokens[..self.at]
            .last()
            .is_none_or(|token| token.line < line);
        first.then(|| self.comments.before(line)).flatten()
    }

    /// The comment behind the last token, if the next token is on another line.
    pub(super) fn comment_behind(&self) -> Option<String> {
        let line = self.tokens[..self.at].last()?.line;
        if self.peek().line == line && !self.at_end() {
            return None;
        }
        self.comments.behind(line)
    }

    pub(super) fn fail<T>(&self, error: SyntaxError) -> Result<T, Error> {
        Err(self.origin().error(error))
    }

    pub(super) fn expected<T>(&self, expected: &'static str) -> Result<T, Error> {
        let found = match &self.peek().kind {
            Kind::Word(word) => format!("`{word}`"),
            Kind::Number(number) => format!("`{number}`"),
            Kind::Text(text) => format!("{text:?}"),
            Kind::Punctuation(c) => format!("`{c}`"),
            Kind::End => "the end of the file".to_owned(),
        };
        self.fail(SyntaxError::Expected { expected, found })
    }

    /// Takes the punctuation mark if it is next.
    pub(super) fn take(&mut self, mark: char) -> bool {
        let next = self.peek().kind == Kind::Punctuation(mark);
        if next {
            self.advance();
        }
        next
    }

    pub(super) fn expect(&mut self, mark: char, expected: &'static str) -> Result<(), Error> {
        if self.take(mark) {
            Ok(())
        } else {
            self.expected(expected)
        }
    }

    /// The next token, if it is a word.
    pub(super) fn peek_word(&self) -> Option<&'a str> {
        match self.peek().kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Takes the word if it is next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let next = self.peek_word() == Some(word);
        if next {
            self.advance();
        }
        next
    }

    pub(super) fn word(&mut self, expected: &'static str) -> Result<&'a str, Error> {
        match self.peek_word() {
            Some(word) => {
                self.advance();
                Ok(word)
            }
            None => self.expected(expected),
        }
    }

    /// A name of anything but a field.
    pub(super) fn name(&mut self, expected: &'static str) -> Result<String, Error> {
        match self.peek_word() {
            Some(word) if RESERVED.contains(&word) || FIELD_NAMES.contains(&word) => {
                self.fail(SyntaxError::Reserved(word.to_owned()))
            }
            _ => self.word(expected).map(str::to_owned),
        }
    }

    pub(super) fn field_name(&mut self) -> Result<String, Error> {
        match self.peek_word() {
            Some(word) if FIELD_NAMES.contains(&word) => {}
            Some(word) if RESERVED.contains(&word) || PYTHON.contains(&word) => {
                return self.fail(SyntaxError::Reserved(word.to_owned()));
            }
            _ => {}
        }
        self.word("the name of a field").map(str::to_owned)
    }

    pub(super) fn text(&mut self, expected: &'static str) -> Result<String, Error> {
        let Kind::Text(text) = &self.peek().kind else {
            return self.expected(expected);
        };
        let text = text.clone();
        self.advance();
        Ok(text)
    }

    /// A number, a word or a string, as the value of an option.
    pub(super) fn value(&mut self) -> Result<Value, Error> {
        let value = match &self.peek().kind {
            Kind::Number(number) => self.number_value(number)?,
            Kind::Text(text) => Value::Text(text.clone()),
            Kind::Word("false") => Value::Bool(false),
            // VPP's tool delivers `true` as a string, and JSON shows it.
            Kind::Word(word) => Value::Text((*word).to_owned()),
            Kind::Punctuation(_) | Kind::End => return self.expected("a value"),
        };
        self.advance();
        Ok(value)
    }

    fn number_value(&self, number: &str) -> Result<Value, Error> {
        if number.contains('.') {
            // Digits and one point always parse; the largest become infinite.
            return match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Value::Float(value)),
                _ => self.fail(SyntaxError::NumberTooLarge(number.to_owned())),
            };
        }
        let parsed = match number.strip_prefix("0x") {
            Some("") => return self.fail(SyntaxError::NotWhole(number.to_owned())),
            Some(hex) => i128::from_str_radix(hex, 16),
            None => number.parse(),
        };
        match parsed {
            Ok(value) if (i64::MIN.into()..=u64::MAX.into()).contains(&value) => {
                Ok(Value::Integer(value))
            }
            _ => self.fail(SyntaxError::NumberTooLarge(number.to_owned())),
        }
    }

    /// A whole number of type `T`.
    pub(super) fn whole<T: TryFrom<i128>>(&mut self, expected: &'static str) -> Result<T, Error> {
        let Kind::Number(number) = self.peek().kind else {
            return self.expected(expected);
        };
        let value = self.number_value(number)?;
        match value.as_integer().and_then(|value| value.try_into().ok()) {
            Some(value) => {
                self.advance();
                Ok(value)
            }
            None => self.fail(SyntaxError::NotWhole(number.to_owned())),
        }
    }
}
