//! `logging { … }`: what is logged where.

use crate::{
    config::{ConfigError, Words},
    log::Level,
};
use std::{collections::BTreeMap, time::Duration};

/// What is configured for one class; `None` is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogClassSettings {
    /// `level L`: kept in the buffer.
    pub level: Option<Level>,
    /// `syslog-level L`: written to stderr.
    pub syslog_level: Option<Level>,
    /// `rate-limit N`: messages a second.
    pub rate_limit: Option<u32>,
}

/// The section `logging`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggingSettings {
    /// `size N`: messages kept.
    pub size: usize,
    /// `unthrottle-time N`: seconds of silence after which a throttled class is heard again.
    pub unthrottle_time: Duration,
    /// `default-log-level L`: kept in the buffer.
    pub default_level: Level,
    /// `default-syslog-log-level L`: written to stderr.
    pub default_syslog_level: Level,
    /// `class NAME { … }`
    pub classes: BTreeMap<String, LogClassSettings>,
}

impl Default for LoggingSettings {
    /// VPP's defaults (`vlib/log.c`).
    fn default() -> Self {
        Self {
            size: 512,
            unthrottle_time: Duration::from_secs(3),
            default_level: Level::Notice,
            default_syslog_level: Level::Warning,
            classes: BTreeMap::new(),
        }
    }
}

impl LoggingSettings {
    /// The most messages that are kept.
    pub const MAX_SIZE: usize = 1 << 20;

    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 7] = [
            "size",
            "unthrottle-time",
            "default-log-level",
            "default-syslog-log-level",
            "default-kmsg-log-level",
            "add-to-elog",
            "class",
        ];
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "size" => {
                    let at = words.clone();
                    self.size = words.number()?;
                    if !(1..=Self::MAX_SIZE).contains(&self.size) {
                        let most = Self::MAX_SIZE;
                        return Err(at.conflict(format!("the size must be 1 to {most}")));
                    }
                }
                "unthrottle-time" => self.unthrottle_time = words.seconds()?,
                "default-log-level" => self.default_level = level(&mut words)?,
                "default-syslog-log-level" => self.default_syslog_level = level(&mut words)?,
                // Nothing goes to the kernel's log here; the level is checked and not kept.
                "default-kmsg-log-level" => {
                    level(&mut words)?;
                }
                "add-to-elog" => {}
                "class" => {
                    let name = words.text("a class")?.to_owned();
                    let inside = words.required_block()?;
                    self.classes.entry(name).or_default().read(inside)?;
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

impl LogClassSettings {
    fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 4] = ["level", "syslog-level", "kmsg-level", "rate-limit"];
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "level" => self.level = Some(level(&mut words)?),
                "syslog-level" => self.syslog_level = Some(level(&mut words)?),
                "kmsg-level" => {
                    level(&mut words)?;
                }
                "rate-limit" => self.rate_limit = Some(words.number()?),
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

fn level(words: &mut Words<'_>) -> Result<Level, ConfigError> {
    words.value("a level such as notice", |text| text.parse().ok())
}
