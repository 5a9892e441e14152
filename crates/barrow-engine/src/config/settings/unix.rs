//! `unix { … }`: the process, its directory and its CLI.

use crate::{
    AccessSettings,
    config::{ConfigError, Words},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The section `unix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSettings {
    /// `nodaemon`: Barrow never forks; the word is accepted for VPP's sake.
    pub nodaemon: bool,
    /// `nosyslog`: log to stderr, which Barrow always does.
    pub nosyslog: bool,
    /// `interactive`: a CLI session on standard input.
    pub interactive: bool,
    /// `full-coredump`: shared memory belongs into a core dump.
    pub full_coredump: bool,
    /// `coredump-size N|unlimited`
    pub coredump_size: CoredumpSize,
    /// `runtime-dir D`; see [`UnixSettings::runtime_directory`].
    pub runtime_dir: Option<PathBuf>,
    /// `use-current-dir`: the current directory is the runtime directory.
    pub use_current_dir: bool,
    /// `cli-listen S`: where the CLI is served; nowhere without it.
    pub cli_listen: Option<CliListen>,
    /// `log F`: each CLI request is appended to this file.
    pub log: Option<PathBuf>,
    /// `pidfile F`
    pub pidfile: Option<PathBuf>,
    /// `gid G`: the group of the process and of its sockets.
    pub gid: Option<Group>,
    /// `exec F` or `startup-config F`: CLI commands run before the API appears.
    pub startup_config: Option<PathBuf>,
    /// `cli-prompt P`, with one blank at its end.
    pub cli_prompt: String,
    /// `cli-line-mode`: no greeting, no editing.
    pub cli_line_mode: bool,
    /// `cli-history-limit N`: lines remembered by a session.
    pub cli_history_limit: u32,
    /// `cli-no-pager`
    pub cli_no_pager: bool,
    /// `cli-pager-buffer-limit N`: rows after which the pager gives up; 0 is no pager.
    pub cli_pager_buffer_limit: u32,
    /// `cli-no-banner` or `nobanner`
    pub cli_no_banner: bool,
    /// `nocolor`: no colours on any terminal.
    pub nocolor: bool,
    /// `poll-sleep-usec N`: accepted for VPP's sake; Barrow's loops park instead.
    pub poll_sleep: Duration,
    /// `cli-allow-uid L`, `cli-allow-gid L`, `cli-read-only-uid L`, `cli-read-only-gid L`: whom the CLI's socket serves.
    /// Barrow's own words.
    pub cli_access: AccessSettings,
}

impl Default for UnixSettings {
    fn default() -> Self {
        Self {
            nodaemon: false,
            nosyslog: false,
            interactive: false,
            full_coredump: false,
            coredump_size: CoredumpSize::Unchanged,
            runtime_dir: None,
            use_current_dir: false,
            cli_listen: None,
            log: None,
            pidfile: None,
            gid: None,
            startup_config: None,
            cli_prompt: "vpp# ".into(),
            cli_line_mode: false,
            cli_history_limit: 50,
            cli_no_pager: false,
            cli_pager_buffer_limit: 100_000,
            cli_no_banner: false,
            nocolor: false,
            poll_sleep: Duration::ZERO,
            cli_access: AccessSettings::default(),
        }
    }
}

impl UnixSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 26] = [
            "cli-allow-uid",
            "cli-allow-gid",
            "cli-read-only-uid",
            "cli-read-only-gid",
            "nodaemon",
            "nosyslog",
            "interactive",
            "full-coredump",
            "coredump-size",
            "runtime-dir",
            "use-current-dir",
            "cli-listen",
            "log",
            "pidfile",
            "gid",
            "exec",
            "startup-config",
            "cli-prompt",
            "cli-line-mode",
            "cli-history-limit",
            "cli-no-pager",
            "cli-pager-buffer-limit",
            "cli-no-banner",
            "nobanner",
            "nocolor",
            "poll-sleep-usec",
        ];
        let path = |words: &mut Words<'_>| words.text("a path").map(|p| Some(PathBuf::from(p)));
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "nodaemon" => self.nodaemon = true,
                "nosyslog" => self.nosyslog = true,
                "interactive" => self.interactive = true,
                "full-coredump" => self.full_coredump = true,
                "coredump-size" => self.coredump_size = CoredumpSize::read(&mut words)?,
                "runtime-dir" => self.runtime_dir = path(&mut words)?,
                "use-current-dir" => self.use_current_dir = true,
                "cli-listen" => self.cli_listen = Some(CliListen::read(&mut words)?),
                "log" => self.log = path(&mut words)?,
                "pidfile" => self.pidfile = path(&mut words)?,
                "gid" => self.gid = Some(Group::read(&mut words)?),
                "exec" | "startup-config" => self.startup_config = path(&mut words)?,
                "cli-prompt" => {
                    let prompt = words.text("a prompt")?.trim_end();
                    self.cli_prompt = format!("{prompt} ");
                }
                "cli-line-mode" => self.cli_line_mode = true,
                "cli-history-limit" => self.cli_history_limit = words.number()?,
                "cli-no-pager" => self.cli_no_pager = true,
                "cli-pager-buffer-limit" => self.cli_pager_buffer_limit = words.number()?,
                "cli-no-banner" | "nobanner" => self.cli_no_banner = true,
                "nocolor" => self.nocolor = true,
                "poll-sleep-usec" => {
                    self.poll_sleep = Duration::from_micros(words.number::<u32>()?.into());
                }
                "cli-allow-uid" | "cli-allow-gid" | "cli-read-only-uid" | "cli-read-only-gid" => {
                    let list = word.trim_start_matches("cli-");
                    self.cli_access.read(list, &mut words)?;
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }

    /// The directory of sockets whose names are not configured: as configured, else `/run/vpp` for root and
    /// `/run/user/UID/vpp` for others (VPP's `vlib/unix/main.c`).
    pub fn runtime_directory(&self, uid: u32, current: &Path) -> PathBuf {
        if self.use_current_dir {
            current.to_owned()
        } else if let Some(configured) = &self.runtime_dir {
            configured.clone()
        } else if uid == 0 {
            "/run/vpp".into()
        } else {
            format!("/run/user/{uid}/vpp").into()
        }
    }
}

/// How large a core dump may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoredumpSize {
    /// As the system has it.
    #[default]
    Unchanged,
    /// No limit.
    Unlimited,
    /// This many bytes.
    Bytes(u64),
}

impl CoredumpSize {
    fn read(words: &mut Words<'_>) -> Result<Self, ConfigError> {
        Ok(if words.take("unlimited") {
            Self::Unlimited
        } else {
            Self::Bytes(words.size()?)
        })
    }
}

/// Where the CLI is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliListen {
    /// A Unix stream socket of this name.
    Path(PathBuf),
    /// A TCP address, `host:port`.
    Tcp(String),
}

impl CliListen {
    fn read(words: &mut Words<'_>) -> Result<Self, ConfigError> {
        words.value("a path or host:port", |text| {
            if text.contains('/') {
                return Some(Self::Path(text.into()));
            }
            let (host, port) = text.rsplit_once(':')?;
            (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| Self::Tcp(text.into()))
        })
    }
}

/// A group by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// Its number.
    Id(u32),
    /// Its name, to be looked up when the node starts.
    Name(String),
}

impl Group {
    fn read(words: &mut Words<'_>) -> Result<Self, ConfigError> {
        let text = words.text("a group")?;
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.into()), Self::Id))
    }
}
