//! The sections that the engine itself reads, and those it knows without having a use for them.

mod cpu;
mod logging;
mod memory;
mod plugins;
mod servers;
mod unix;

pub use cpu::{CoreList, CpuSettings, NodeSettings, NodeVariant, WorkerCount};
pub use logging::{LogClassSettings, LoggingSettings};
pub use memory::{BufferSettings, MemorySettings, PhysmemSettings};
pub use plugins::{PluginChoice, PluginSettings};
pub use servers::{ApiTraceSettings, PuntSettings, SocketName, SocksvrSettings, StatsegSettings};
pub use unix::{CliListen, CoredumpSize, Group, UnixSettings};

pub use super::value::PageSize;
use super::{Config, ConfigError, Section};

/// What the engine takes from a configuration. Its default is that of an empty one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// `unix { … }`
    pub unix: UnixSettings,
    /// `api-trace { … }`
    pub api_trace: ApiTraceSettings,
    /// `socksvr { … }`
    pub socksvr: SocksvrSettings,
    /// `statseg { … }`
    pub statseg: StatsegSettings,
    /// `cpu { … }`
    pub cpu: CpuSettings,
    /// `node { … }`
    pub node: NodeSettings,
    /// `physmem { … }`
    pub physmem: PhysmemSettings,
    /// `memory { … }`
    pub memory: MemorySettings,
    /// `buffers { … }`
    pub buffers: BufferSettings,
    /// `plugins { … }`
    pub plugins: PluginSettings,
    /// `logging { … }`
    pub logging: LoggingSettings,
    /// `punt { … }`
    pub punt: PuntSettings,
}

/// Sections that VPP's users write and that mean nothing here: the shared-memory API segment, VPP's fuzzer, table
/// sizes of structures that grow by themselves, and DPDK.
const UNUSED: [&str; 5] = ["api-segment", "api-fuzz", "l2learn", "l2fib", "dpdk"];

type Reader = fn(&mut Settings, &Section<'_>) -> Result<(), ConfigError>;

const OWNED: [(&str, Reader); 12] = [
    ("unix", |s, section| s.unix.read(section.words())),
    ("api-trace", |s, section| s.api_trace.read(section.words())),
    ("socksvr", |s, section| s.socksvr.read(section.words())),
    ("statseg", |s, section| s.statseg.read(section.words())),
    ("cpu", |s, section| s.cpu.read(section.words())),
    ("node", |s, section| s.node.read(section.words())),
    ("physmem", |s, section| s.physmem.read(section.words())),
    ("memory", |s, section| s.memory.read(section.words())),
    ("buffers", |s, section| s.buffers.read(section.words())),
    ("plugins", |s, section| s.plugins.read(section.words())),
    ("logging", |s, section| s.logging.read(section.words())),
    ("punt", |s, section| s.punt.read(section.words())),
];

impl Settings {
    /// Reads the engine's sections and leaves the others alone.
    ///
    /// # Errors
    /// The first unknown word or bad value.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        for section in config.sections() {
            if let Some((_, read)) = OWNED.iter().find(|(name, _)| *name == section.name()) {
                read(&mut settings, &section)?;
            }
        }
        settings.cpu.check(config)?;
        Ok(settings)
    }

    /// Whether a section of this name is the engine's, used or not.
    pub fn owns(name: &str) -> bool {
        UNUSED.contains(&name) || OWNED.iter().any(|(owned, _)| *owned == name)
    }
}
