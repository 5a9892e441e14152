//! The cursor through which the owner of a section reads it.

use super::{ConfigError, ConfigErrorKind, Position, Source};
use std::{ops::Range, time::Duration};

/// A cursor over the words of a section.
///
/// It takes characters, not tokens: a keyword is taken when the text continues with it, a number ends at its last digit.
/// Keywords and values may therefore be glued to each other.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    source: &'a Source,
    section: &'a str,
    /// What is left to read, as a range of the source's text.
    left: Range<usize>,
    /// The keyword whose value is being read, for error messages.
    keyword: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn new(source: &'a Source, section: &'a str, left: Range<usize>) -> Self {
        Self {
            source,
            section,
            left,
            keyword: section,
        }
    }

    /// Takes the next keyword: the longest of `known` with which the text continues. `None` at the end of the section.
    ///
    /// What follows must be no part of a longer word, unless it is a value or another keyword glued to this one.
    ///
    /// # Errors
    /// [`ConfigErrorKind::UnknownWord`].
    pub fn keyword<'k>(&mut self, known: &[&'k str]) -> Result<Option<&'k str>, ConfigError> {
        self.skip_blanks();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        let longest = |text: &str| {
            known
                .iter()
                .copied()
                .filter(|k| text.starts_with(k))
                .max_by_key(|k| k.len())
        };
        let glued = |after: &str| !after.starts_with(is_word_letter) || longest(after).is_some();
        match longest(rest).filter(|k| glued(&rest[k.len()..])) {
            Some(word) => {
                self.keyword = &rest[..word.len()];
                self.left.start += word.len();
                Ok(Some(word))
            }
            None => Err(self.unknown_word()),
        }
    }

    /// Takes `word` if it is next. Unlike [`Words::keyword`] it leaves other text alone.
    pub fn take(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let found =
            self.rest().starts_with(word) && !self.rest()[word.len()..].starts_with(is_word_letter);
        if found {
            self.left.start += word.len();
        }
        found
    }

    /// Whether nothing but blanks is left.
    pub fn is_empty(&mut self) -> bool {
        self.skip_blanks();
        self.rest().is_empty()
    }

    /// Takes a value: everything up to a blank or a brace, or what stands between double quotes.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`].
    pub fn text(&mut self, expected: &'static str) -> Result<&'a str, ConfigError> {
        self.optional_text().ok_or_else(|| self.missing(expected))
    }

    /// Takes a value if there is one before the end of the section or a brace.
    pub fn optional_text(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some(end) = quoted.find('"')
        {
            self.left.start += end + 2;
            return Some(&quoted[..end]);
        }
        let word = &rest[..plain_word(rest)];
        self.left.start += word.len();
        (!word.is_empty()).then_some(word)
    }

    /// Takes a whole number, decimal or with `0x`.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`] or [`ConfigErrorKind::BadValue`], the latter also for one that `T` cannot hold.
    pub fn number<T: TryFrom<u64>>(&mut self) -> Result<T, ConfigError> {
        let expected = "a number";
        let value = self.digits(expected)?;
        T::try_from(value.number).map_err(|_| self.bad(value.at, "a smaller number"))
    }

    /// Takes an amount of memory in bytes: a number with an optional `K`, `M`, `G` or `T` (powers of 1024).
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`] or [`ConfigErrorKind::BadValue`].
    pub fn size(&mut self) -> Result<u64, ConfigError> {
        let value = self.digits("a size such as 64M")?;
        let shift = match self.rest().as_bytes().first().map(u8::to_ascii_lowercase) {
            Some(b'k') => 10,
            Some(b'm') => 20,
            Some(b'g') => 30,
            Some(b't') => 40,
            _ => 0,
        };
        self.left.start += usize::from(shift != 0);
        value
            .number
            .checked_mul(1 << shift)
            .ok_or_else(|| self.bad(value.at, "a size below 16 exabytes"))
    }

    /// Takes a number of seconds with an optional fraction.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`] or [`ConfigErrorKind::BadValue`].
    pub fn seconds(&mut self) -> Result<Duration, ConfigError> {
        let expected = "a number of seconds";
        self.skip_blanks();
        let (at, rest) = (self.left.start, self.rest());
        if rest.is_empty() {
            return Err(self.missing(expected));
        }
        let length = decimal_length(rest);
        let duration = rest[..length]
            .parse()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| self.bad(at, expected))?;
        self.left.start += length;
        Ok(duration)
    }

    /// Takes `on`, `enable`, `off` or `disable`.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`] or [`ConfigErrorKind::BadValue`].
    pub fn switch(&mut self) -> Result<bool, ConfigError> {
        self.skip_blanks();
        let rest = self.rest();
        for (word, value) in [
            ("on", true),
            ("enable", true),
            ("off", false),
            ("disable", false),
        ] {
            if rest.starts_with(word) {
                self.left.start += word.len();
                return Ok(value);
            }
        }
        if rest.is_empty() {
            return Err(self.missing("on or off"));
        }
        Err(self.bad(self.left.start, "on or off"))
    }

    /// Takes a value and converts it.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`], or [`ConfigErrorKind::BadValue`] when `convert` gives `None`.
    pub fn value<T>(
        &mut self,
        expected: &'static str,
        convert: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.skip_blanks();
        let at = self.left.start;
        let text = self.text(expected)?;
        convert(text).ok_or_else(|| self.bad(at, expected))
    }

    /// Takes a block in braces if one is next, and gives a cursor over what stands inside.
    pub fn block(&mut self) -> Option<Self> {
        self.skip_blanks();
        if !self.rest().starts_with('{') {
            return None;
        }
        let end = matching_brace(&self.source.text()[..self.left.end], self.left.start)
            .expect("the braces of a section balance");
        let inside = Self {
            left: self.left.start + 1..end,
            ..self.clone()
        };
        self.left.start = end + 1;
        Some(inside)
    }

    /// As [`Words::block`], for a word that needs one.
    ///
    /// # Errors
    /// [`ConfigErrorKind::MissingValue`].
    pub fn required_block(&mut self) -> Result<Self, ConfigError> {
        self.block()
            .ok_or_else(|| self.missing("a block in braces"))
    }

    /// Takes everything that is left, for a section without use.
    pub fn skip(&mut self) {
        self.left.start = self.left.end;
    }

    /// Where the cursor stands.
    pub fn position(&self) -> Position {
        self.source.position(self.left.start)
    }

    /// An error about words that do not go together, placed at the cursor.
    pub fn conflict(&self, reason: impl Into<String>) -> ConfigError {
        let section = self.section.to_owned();
        let kind = ConfigErrorKind::Conflict {
            section,
            reason: reason.into(),
        };
        ConfigError {
            position: self.position(),
            kind,
        }
    }

    fn digits(&mut self, expected: &'static str) -> Result<Digits, ConfigError> {
        self.skip_blanks();
        let (at, rest) = (self.left.start, self.rest());
        if rest.is_empty() {
            return Err(self.missing(expected));
        }
        let (digits, radix) = rest.strip_prefix("0x").map_or((rest, 10), |hex| (hex, 16));
        let length = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        let number =
            u64::from_str_radix(&digits[..length], radix).map_err(|_| self.bad(at, expected))?;
        self.left.start += rest.len() - digits.len() + length;
        Ok(Digits { number, at })
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.left.start += rest.len() - rest.trim_ascii_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.source.text()[self.left.clone()]
    }

    fn unknown_word(&self) -> ConfigError {
        let rest = self.rest();
        let word = match plain_word(rest) {
            0 => &rest[..rest.chars().next().map_or(0, char::len_utf8)],
            length => &rest[..length],
        };
        let kind = ConfigErrorKind::UnknownWord {
            section: self.section.into(),
            word: word.into(),
        };
        ConfigError {
            position: self.position(),
            kind,
        }
    }

    fn missing(&self, expected: &'static str) -> ConfigError {
        let (section, word) = (self.section.into(), self.keyword.into());
        let kind = ConfigErrorKind::MissingValue {
            section,
            word,
            expected,
        };
        ConfigError {
            position: self.position(),
            kind,
        }
    }

    /// An error about the value that starts at `at`.
    fn bad(&self, at: usize, expected: &'static str) -> ConfigError {
        let text = &self.source.text()[at..self.left.end];
        let value = text[..plain_word(text)].into();
        let (section, word) = (self.section.into(), self.keyword.into());
        let kind = ConfigErrorKind::BadValue {
            section,
            word,
            value,
            expected,
        };
        ConfigError {
            position: self.source.position(at),
            kind,
        }
    }
}

struct Digits {
    number: u64,
    at: usize,
}

/// The offset of the `}` that closes the `{` at `open`.
pub(super) fn matching_brace(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_word_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '-' || c == '_'
}

/// The length of the word at the start of `text`: it ends at a blank or a brace.
fn plain_word(text: &str) -> usize {
    text.find(|c: char| c.is_ascii_whitespace() || c == '{' || c == '}')
        .unwrap_or(text.len())
}

/// The length of the decimal number at the start of `text`, with fraction and exponent.
fn decimal_length(text: &str) -> usize {
    let digits = |from: usize| {
        text[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(text.len(), |n| from + n)
    };
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}
