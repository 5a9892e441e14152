//! How grave a message is.

use std::{fmt, str::FromStr};

/// The level of a message, gravest first; the numbers are those of VPP's API (`log_level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Level {
    /// The node is unusable.
    Emergency = 0,
    /// Somebody must act at once.
    Alert = 1,
    /// A part of the node has failed.
    Critical = 2,
    /// Something that was asked for could not be done.
    Error = 3,
    /// Something is not as it should be.
    Warning = 4,
    /// Worth knowing.
    Notice = 5,
    /// For the curious.
    Info = 6,
    /// For developers.
    Debug = 7,
    /// As a threshold only: nothing passes.
    Disabled = 8,
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown log level")]
pub struct UnknownLevel;

impl Level {
    const NAMES: [(&'static str, Self); 9] = [
        ("emerg", Self::Emergency),
        ("alert", Self::Alert),
        ("crit", Self::Critical),
        ("err", Self::Error),
        ("warn", Self::Warning),
        ("notice", Self::Notice),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("disabled", Self::Disabled),
    ];

    /// VPP's name of the level, such as `warn`.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Whether a message of this level passes `threshold`.
    pub fn passes(self, threshold: Self) -> bool {
        threshold != Self::Disabled && self <= threshold
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, level)| *level)
            .ok_or(UnknownLevel)
    }
}
