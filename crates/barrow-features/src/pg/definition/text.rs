//! The cursor over a definition.

use super::DefinitionError;
use super::edit::Value;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What is left of a definition.
///
/// Each method takes what it is named after if that comes next, and leaves the text alone otherwise.
#[derive(Clone, Debug)]
pub(super) struct Text<'a> {
    rest: &'a str,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What is left, from the next word on.
    pub(super) fn rest(&self) -> &'a str {
        self.rest.trim_ascii_start()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The error of a text that is not understood from here on.
    pub(super) fn syntax(&self) -> DefinitionError {
        DefinitionError::Syntax(quote(self.rest()))
    }

    /// Takes these characters, whatever follows.
    pub(super) fn literal(&mut self, literal: &str) -> bool {
        match self.rest().strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes this word.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let rest = self.rest();
        let found = token(rest, |c| is_name(c) || c == '-') == keyword;
        if found {
            self.rest = &rest[keyword.len()..];
        }
        found
    }

    /// Takes a name: letters, digits, `_`, and `-` inside.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let name = token(rest, |c| is_name(c) || c == '-').trim_end_matches('-');
        if name.is_empty() {
            return None;
        }
        self.rest = &rest[name.len()..];
        Some(name)
    }

    /// Runs `parse`, and takes back what it took if it gives `None`.
    pub(super) fn attempt<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let parsed = parse(self);
        if parsed.is_none() {
            self.rest = before;
        }
        parsed
    }

    /// Takes a number of at most `bits` bits, decimal or with `0x`.
    pub(super) fn number(&mut self, bits: u32) -> Option<u128> {
        let rest = self.rest();
        let word = token(rest, char::is_alphanumeric);
        let value = match word.strip_prefix("0x") {
            Some(hex) => u128::from_str_radix(hex, 16).ok()?,
            None => word.parse().ok().filter(|_| !word.starts_with('+'))?,
        };
        if bits < 128 && value >> bits != 0 {
            return None;
        }
        self.rest = &rest[word.len()..];
        Some(value)
    }

    /// Takes an IPv4 address.
    pub(super) fn ip4(&mut self) -> Option<u128> {
        let rest = self.rest();
        let word = token(rest, |c| c.is_ascii_digit() || c == '.');
        let address: Ipv4Addr = word.parse().ok()?;
        self.rest = &rest[word.len()..];
        Some(address.to_bits().into())
    }

    /// Takes an IPv6 address.
    pub(super) fn ip6(&mut self) -> Option<u128> {
        let rest = self.rest();
        let word = token(rest, |c| c.is_ascii_hexdigit() || c == ':' || c == '.');
        let address: Ipv6Addr = word.parse().ok()?;
        self.rest = &rest[word.len()..];
        Some(address.to_bits())
    }

    /// Takes an Ethernet address: six groups with colons, or three with dots.
    pub(super) fn mac(&mut self) -> Option<u128> {
        let rest = self.rest();
        let word = token(rest, |c| c.is_ascii_hexdigit() || c == ':' || c == '.');
        let (separator, groups, bits) = if word.contains('.') {
            ('.', 3, 16)
        } else {
            (':', 6, 8)
        };
        let mut value = 0;
        let mut count = 0;
        for group in word.split(separator) {
            let group = u128::from_str_radix(group, 16)
                .ok()
                .filter(|group| group >> bits == 0)?;
            value = value << bits | group;
            count += 1;
            if count > groups {
                return None;
            }
        }
        if count != groups {
            return None;
        }
        self.rest = &rest[word.len()..];
        Some(value)
    }

    /// Takes `0x` and an even number of hexadecimal digits.
    pub(super) fn hex(&mut self) -> Option<Vec<u8>> {
        let rest = self.rest();
        let digits = token(rest.strip_prefix("0x")?, |c| c.is_ascii_hexdigit());
        if digits.is_empty() || digits.len() % 2 != 0 {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        let bytes = (0..digits.len())
            .step_by(2)
            .map(byte)
            .collect::<Option<_>>()?;
        self.rest = &rest[2 + digits.len()..];
        Some(bytes)
    }

    /// Takes a value: `a`, `a - b` (counting up) or `a + b` (random between them).
    pub(super) fn value(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Option<u128>,
    ) -> Result<Option<Value>, DefinitionError> {
        let start = self.clone();
        let Some(low) = take(self) else {
            return Ok(None);
        };
        let mut high = |text: &mut Self, sign| {
            text.attempt(|text| if text.literal(sign) { take(text) } else { None })
        };
        let value = if let Some(high) = high(self, "-") {
            Value::Increment { low, high }
        } else if let Some(high) = high(self, "+") {
            Value::Random { low, high }
        } else {
            Value::Fixed(low)
        };
        match value {
            Value::Increment { low, high } | Value::Random { low, high } if high < low => {
                Err(DefinitionError::Range(quote(start.rest())))
            }
            value => Ok(Some(value)),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The longest start of a text that consists of such characters.
fn token(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}

/// The start of a text as errors quote it: one line of 30 characters at most.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 30;
    let mut words = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    words.retain(|c| !c.is_control());
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &words[..end]),
        None => words,
    }
}
