//! What can be wrong with a configuration.

use super::Position;

/// Why a configuration was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {kind}")]
pub struct ConfigError {
    /// The offending character, or the end of the section in which something is missing.
    pub position: Position,
    /// What is wrong there.
    pub kind: ConfigErrorKind,
}

/// The kinds of [`ConfigError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigErrorKind {
    /// The text is longer than is read.
    #[error("the configuration has {length} bytes, more than the {limit} that are read")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A `{` whose `}` is missing.
    #[error("this `{{' is never closed")]
    UnclosedBrace,
    /// A `}` without its `{`.
    #[error("this `}}' closes nothing")]
    UnexpectedClosingBrace,
    /// A `{` where the name of a section should stand.
    #[error("a section needs a name before its `{{'")]
    MissingSectionName,
    /// A word that its section does not know.
    #[error("section `{section}' has no word `{word}'")]
    UnknownWord {
        /// The section.
        section: String,
        /// The word as it was written.
        word: String,
    },
    /// A word that needs a value stands without one.
    #[error("`{word}' in section `{section}' needs {expected}")]
    MissingValue {
        /// The section.
        section: String,
        /// The word.
        word: String,
        /// What should follow it.
        expected: &'static str,
    },
    /// A value that is not of its kind.
    #[error("`{value}' is no value for `{word}' in section `{section}': {expected} is expected")]
    BadValue {
        /// The section.
        section: String,
        /// The word.
        word: String,
        /// The value as it was written.
        value: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// Words that are right one by one but not together.
    #[error("section `{section}': {reason}")]
    Conflict {
        /// The section.
        section: String,
        /// Why they do not go together.
        reason: String,
    },
}

/// Something that does not stop the node but that its user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub position: Position,
    /// What, as a sentence without position.
    pub text: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.position, self.text)
    }
}
