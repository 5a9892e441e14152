//! Why a command failed.

use std::fmt;

/// What a command that failed has to say. The dispatcher puts the command's path before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError(String);

/// How a command ends.
pub type CliResult = Result<(), CliError>;

impl CliError {
    /// An error with this text, without line end.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The error for input that means nothing: ``unknown input `…'`` with the start of that input.
    pub fn unknown_input(input: &str) -> Self {
        Self(format!("unknown input `{}'", quote(input)))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The same error, said by the command at `path`.
    pub(super) fn of_command(self, path: &str) -> Self {
        Self(format!("{path}: {}", self.0))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CliError {}

impl From<String> for CliError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for CliError {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// The start of `input` as error texts quote it: 30 characters at most, line ends as `\n`.
pub(super) fn quote(input: &str) -> String {
    const LONGEST: usize = 30;
    let input = input.trim();
    let mut quoted = String::new();
    for c in input.chars().take(LONGEST) {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push('?'),
            c => quoted.push(c),
        }
    }
    if input.chars().nth(LONGEST).is_some() {
        quoted.push_str("...");
    }
    quoted
}
