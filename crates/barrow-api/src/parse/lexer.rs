//! Characters to tokens and comments.

use crate::error::SyntaxError;

/// A token and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Identifier or reserved word.
    Word(&'a str),
    /// As written.
    Number(&'a str),
    /// A string without its quotes.
    Text(String),
    Punctuation(char),
    End,
}

/// A comment, from `/` to the end of its line or to `*/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    pub(super) text: &'a str,
    pub(super) first_line: u32,
    pub(super) last_line: u32,
    /// Whether no token stands before it on its first line.
    pub(super) alone: bool,
}

/// Where lexing failed, and why.
pub(super) struct LexError {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) error: SyntaxError,
}

/// All tokens, the last of kind [`Kind::End`], and all comments.
pub(super) fn lex(text: &str) -> Result<(Vec<Token<'_>>, Vec<Comment<'_>>), LexError> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        column: 1,
    };
    let (mut tokens, mut comments): (Vec<Token<'_>>, Vec<Comment<'_>>) = (Vec::new(), Vec::new());
    loop {
        lexer.skip_blanks();
        let (line, column) = (lexer.line, lexer.column);
        let fail = |error| LexError {
            line,
            column,
            error,
        };
        if lexer.rest.starts_with("//") || lexer.rest.starts_with("/*") {
            let text = lexer.comment().map_err(fail)?;
            let alone = tokens.last().is_none_or(|token| token.line < line);
            comments.push(Comment {
                text,
                first_line: line,
                last_line: lexer.line,
                alone,
            });
            continue;
        }
        let kind = lexer.token().map_err(fail)?;
        let end = kind == Kind::End;
        tokens.push(Token { kind, line, column });
        if end {
            return Ok((tokens, comments));
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Lexer<'a> {
    fn skip_blanks(&mut self) {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_whitespace())
            .unwrap_or(self.rest.len());
        self.take(end);
    }

    fn comment(&mut self) -> Result<&'a str, SyntaxError> {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            return Ok(self.take(end));
        }
        // The `*` of the opening is not that of the closing.
        let body = &self.rest[2..];
        let end = body.find("*/").ok_or(SyntaxError::OpenComment)?;
        Ok(self.take(end + 4))
    }

    fn token(&mut self) -> Result<Kind<'a>, SyntaxError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(Kind::End);
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Kind::Word(
                self.take_while(|c| c.is_ascii_alphanumeric() || c == '_'),
            )),
            '0'..='9' | '-' => self.number(),
            '"' => self.text(),
            ':' | '{' | '}' | '[' | ']' | ';' | '=' | '.' | ',' => {
                self.take(1);
                Ok(Kind::Punctuation(first))
            }
            _ => Err(SyntaxError::Character(first)),
        }
    }

    fn number(&mut self) -> Result<Kind<'a>, SyntaxError> {
        let text = self.rest;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(hex) = text.strip_prefix("0x") {
            let len = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
            return Ok(Kind::Number(self.take(2 + len)));
        }
        let sign = usize::from(text.starts_with('-'));
        let whole = digits(&text[sign..]);
        if whole == 0 {
            return Err(SyntaxError::Character('-'));
        }
        let mut len = sign + whole;
        if text[len..].starts_with('.') {
            len += 1 + digits(&text[len + 1..]);
        }
        Ok(Kind::Number(self.take(len)))
    }

    /// All quotes are dropped, escaped ones too, and escapes stay as written: so does VPP's tool.
    fn text(&mut self) -> Result<Kind<'a>, SyntaxError> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '"' if !escaped => {
                    let quoted = self.take(at + 1);
                    return Ok(Kind::Text(quoted.replace('"', "")));
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err(SyntaxError::OpenString)
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        for c in taken.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind<'_>> {
        let Ok((tokens, _)) = lex(text) else {
            panic!("{text}")
        };
        tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn tokens_know_their_place() {
        let Ok((tokens, comments)) = lex("u8 a;\n /* x\n y */ b // z\n") else {
            panic!()
        };
        let places: Vec<_> = tokens.iter().map(|t| (t.line, t.column)).collect();
        assert_eq!(places, [(1, 1), (1, 4), (1, 5), (3, 7), (4, 1)]);
        let lines: Vec<_> = comments
            .iter()
            .map(|c| (c.first_line, c.last_line, c.alone))
            .collect();
        assert_eq!(lines, [(2, 3, true), (3, 3, false)]);
    }

    #[test]
    fn numbers_are_taken_whole() {
        use Kind::{End, Number, Punctuation};
        let expected = [
            Number("0xFf"),
            Number("-12"),
            Number("1.5"),
            Number("1."),
            Punctuation(','),
            End,
        ];
        assert_eq!(kinds("0xFf -12 1.5 1.,"), expected);
        assert!(lex("-x").is_err());
    }

    #[test]
    fn quotes_are_dropped_and_escapes_kept() {
        assert_eq!(kinds(r#""a\"b\\""#)[0], Kind::Text(r"a\b\\".to_owned()));
        assert!(lex("\"open\n\"").is_err());
        assert!(lex("/*/").is_err());
        assert!(lex("/**/").is_ok());
    }
}
