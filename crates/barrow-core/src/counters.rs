//! Error counters by name.

use std::{ffi::CStr, fmt};

/// How bad it is when a counter moves (the words of `show errors`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Nothing is wrong.
    Info,
    /// Worth a look.
    Warning,
    /// A packet or request was lost.
    Error,
    /// The node cannot do its job.
    Critical,
}

impl Severity {
    /// The word that listings print.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One counter; NUL-terminated texts, so that a C host can take the pointers as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterDescription {
    /// Its name, unique in its node: `bad_length`.
    pub name: &'static CStr,
    /// What it counts, in words: `packets shorter than their header says`.
    pub description: &'static CStr,
    /// How bad a count is.
    pub severity: Severity,
}

/// The error counters of a node: each variant is one. Derived; shared by process nodes and packet
/// nodes. The slot of a variant is its position.
///
/// `name` defaults to the variant's name in snake case, `severity` to `ERROR`.
///
/// ```
/// use barrow_core::{ErrorCounters, Severity};
///
/// #[derive(Clone, Copy, ErrorCounters)]
/// enum Errors {
///     #[error_counter(description = "events seen", severity = INFO)]
///     EventsSeen,
///     #[error_counter(name = "bad_length", description = "too short", severity = ERROR)]
///     Length,
/// }
/// assert_eq!(Errors::COUNTERS[0].name, c"events_seen");
/// assert_eq!(Errors::COUNTERS[1].severity, Severity::Error);
/// assert_eq!(Errors::Length.slot(), 1);
/// ```
pub trait ErrorCounters: Copy + 'static {
    /// The counters in the order of slots.
    const COUNTERS: &'static [CounterDescription];

    /// The position of this variant, below `COUNTERS.len()`.
    fn slot(self) -> usize;
}

/// For a node without error counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoErrors {}

impl ErrorCounters for NoErrors {
    const COUNTERS: &'static [CounterDescription] = &[];

    fn slot(self) -> usize {
        match self {}
    }
}
