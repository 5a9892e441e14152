//! Start-up configuration in the grammar of VPP's `startup.conf`.
//!
//! The text is a flat list of sections, `name { words }` or `name word`. What stands inside a section is read by its
//! owner through [`Words`], a cursor that takes characters rather than tokens. That is what makes the grammar as
//! lenient as VPP's: braces and words may be glued (`statseg{size 64M}`), a keyword may follow a value without a blank
//! (`per-node-counters onupdate-interval 0.05`), sections and words may be empty, and the arguments of a command line
//! are the same text once they are joined with blanks.
//!
//! Three layers:
//!
//! * [`Config::parse`] finds the sections; braces must balance, nothing else is looked at.
//! * [`Settings`] are the sections that the engine itself reads, or knows and has no use for.
//! * [`ConfigRegistry`] holds the sections of features. A section that neither knows is named in a [`Warning`].
//!
//! A bad value is a [`ConfigError`] that names file, line and column; nothing is guessed and nothing panics, whatever
//! the text holds.

mod error;
mod registry;
mod section;
mod settings;
mod source;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, ConfigErrorKind, Warning};
pub use registry::{ConfigRegistry, SectionAlreadyRegistered};
pub use section::{Config, Section};
pub use settings::{
    ApiTraceSettings, BufferSettings, CliListen, CoreList, CoredumpSize, CpuSettings, Group,
    LogClassSettings, LoggingSettings, MemorySettings, NodeSettings, NodeVariant, PageSize,
    PhysmemSettings, PluginChoice, PluginSettings, PuntSettings, Settings, SocketName,
    SocksvrSettings, StatsegSettings, UnixSettings, WorkerCount,
};
pub use source::{Position, Source};
pub use words::Words;
