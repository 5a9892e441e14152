//! The node's log: classes with levels, a ring of the latest messages, and standard error.
//!
//! A message is kept in the ring when its level is at or above its class's `level`, and is written to standard error
//! when it is at or above the class's `syslog_level`. A class that says too much in a second is throttled. Writing never
//! blocks: a thread of its own writes to standard error, and what it cannot take is dropped and counted.
//!
//! Defaults, limits and texts follow VPP's `vlib/log.c`, so that `show logging` and `log_dump` look alike.

mod calendar;
mod cli;
mod level;
mod logger;
mod ring;
mod stderr;

#[cfg(test)]
mod tests;

pub use calendar::{http_date, log_date};
pub use cli::register_commands;
pub(crate) use cli::write_config;
pub use level::{Level, UnknownLevel};
pub use logger::{Class, ClassConfiguration, LogSink, Logger, NullSink, WallClock};
pub use ring::Entry;
pub use stderr::StderrSink;
