//! The sections of the sockets: `socksvr`, `statseg`, `api-trace`, `punt`.

use crate::{
    AccessSettings,
    config::{ConfigError, PageSize, Words},
};
use std::{path::PathBuf, time::Duration};

/// The name of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SocketName {
    /// The server's own file name in the runtime directory.
    #[default]
    Default,
    /// This path.
    Path(PathBuf),
}

impl SocketName {
    /// The path, where `default` stands for the default.
    pub fn path_or(&self, default: PathBuf) -> PathBuf {
        match self {
            Self::Default => default,
            Self::Path(path) => path.clone(),
        }
    }

    /// VPP also knows `tcp:…` and `abstract:…` here; a control socket without file permissions is refused.
    fn read(words: &mut Words<'_>) -> Result<Self, ConfigError> {
        words.value("the path of a Unix socket", |text| {
            let refused = text.starts_with("tcp:") || text.starts_with("abstract:");
            (!refused).then(|| Self::Path(text.into()))
        })
    }
}

/// The section `socksvr`: the binary API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocksvrSettings {
    /// `socket-name S` or `default`
    pub socket_name: SocketName,
    /// `max-queued N`: bytes that may wait for a connection before its next requests stay unread. Barrow's own word.
    pub max_queued: usize,
    /// `max-events N`: bytes of events that may wait for a connection before it is closed. Barrow's own word.
    pub max_events: usize,
    /// `stall-timeout S`: a connection that accepts nothing for so long is closed. Barrow's own word.
    pub stall_timeout: Duration,
    /// `max-clients N`: connections at a time. Barrow's own word.
    pub max_clients: usize,
    /// `allow-uid L`, `allow-gid L`, `read-only-uid L`, `read-only-gid L`: who is served. Barrow's own words.
    pub access: AccessSettings,
}

impl Default for SocksvrSettings {
    fn default() -> Self {
        Self {
            socket_name: SocketName::Default,
            max_queued: 1 << 20,
            max_events: 4 << 20,
            stall_timeout: Duration::from_secs(30),
            max_clients: 4096,
            access: AccessSettings::default(),
        }
    }
}

impl SocksvrSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 10] = [
            "allow-uid",
            "allow-gid",
            "read-only-uid",
            "read-only-gid",
            "socket-name",
            "default",
            "max-queued",
            "max-events",
            "stall-timeout",
            "max-clients",
        ];
        let bytes = |words: &mut Words<'_>| {
            let at = words.clone();
            usize::try_from(words.size()?).map_err(|_| at.conflict("that is more than there is"))
        };
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "socket-name" => self.socket_name = SocketName::read(&mut words)?,
                "default" => self.socket_name = SocketName::Default,
                "max-queued" => self.max_queued = bytes(&mut words)?,
                "max-events" => self.max_events = bytes(&mut words)?,
                "stall-timeout" => self.stall_timeout = words.seconds()?,
                "max-clients" => self.max_clients = words.number()?,
                "allow-uid" | "allow-gid" | "read-only-uid" | "read-only-gid" => {
                    self.access.read(word, &mut words)?;
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

/// The section `statseg`: the statistics segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsegSettings {
    /// `socket-name S` or `default`
    pub socket_name: SocketName,
    /// `size N`: memory that the segment may use, in bytes; without it that of
    /// [`SegmentConfig::DEFAULT_SIZE`](barrow_stats::SegmentConfig::DEFAULT_SIZE), which tables of millions do not fill.
    pub size: Option<u64>,
    /// `page-size N`
    pub page_size: PageSize,
    /// `per-node-counters on|off`
    pub per_node_counters: bool,
    /// `update-interval S`: how often gauges are written.
    pub update_interval: Duration,
    /// `allow-uid L`, `allow-gid L`: who gets the segment. Barrow's own words.
    pub access: AccessSettings,
}

impl Default for StatsegSettings {
    fn default() -> Self {
        Self {
            socket_name: SocketName::Default,
            size: None,
            page_size: PageSize::Default,
            per_node_counters: false,
            update_interval: Duration::from_secs(10),
            access: AccessSettings::default(),
        }
    }
}

impl StatsegSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 8] = [
            "allow-uid",
            "allow-gid",
            "socket-name",
            "default",
            "size",
            "page-size",
            "per-node-counters",
            "update-interval",
        ];
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "socket-name" => self.socket_name = SocketName::read(&mut words)?,
                "default" => self.socket_name = SocketName::Default,
                "size" => self.size = Some(words.size()?),
                "page-size" => self.page_size = PageSize::read(&mut words)?,
                "per-node-counters" => self.per_node_counters = words.switch()?,
                "allow-uid" | "allow-gid" => self.access.read(word, &mut words)?,
                "update-interval" => {
                    let at = words.clone();
                    self.update_interval = words.seconds()?;
                    if self.update_interval.is_zero() {
                        return Err(at.conflict("the update interval must not be 0"));
                    }
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

/// The section `api-trace`: whether API messages are recorded from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTraceSettings {
    /// `on` or `enable`
    pub enabled: bool,
    /// `nitems N`: messages kept; VPP's default.
    pub items: usize,
    /// `save-api-table F`: where the message table is written at the start.
    pub save_api_table: Option<PathBuf>,
}

impl Default for ApiTraceSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            items: 256 << 10,
            save_api_table: None,
        }
    }
}

impl ApiTraceSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 5] = ["on", "enable", "off", "nitems", "save-api-table"];
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "on" | "enable" => self.enabled = true,
                "off" => self.enabled = false,
                "nitems" => self.items = words.number()?,
                "save-api-table" => self.save_api_table = Some(words.text("a path")?.into()),
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

/// The section `punt`: the name of the punt socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PuntSettings {
    /// `socket S`
    pub socket: Option<PathBuf>,
}

impl PuntSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        while words.keyword(&["socket"])?.is_some() {
            self.socket = Some(words.text("a path")?.into());
        }
        Ok(())
    }
}
