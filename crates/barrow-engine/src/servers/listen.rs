//! Opening the sockets.

use super::{Servers, stats::GiveSegment};
use crate::{
    RegisterError, UnknownAccount,
    access::find_id,
    api::AcceptClients,
    cli::{AcceptSessions, RequestLog},
    config::{CliListen, Group},
};
use barrow_core::{ProcessNode, Restart};
use barrow_runtime::io::{
    Reactor, tcp,
    unix::{self, Address, BindError, Options},
};
use std::{
    fs, io,
    net::ToSocketAddrs,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

/// Who may use a socket: its owner and its group.
const MODE: u32 = 0o660;

/// Where directories of sockets are made when they are missing, as VPP does.
const MADE_BELOW: &str = "/run";

/// Why a socket is not served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The socket could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A TCP address could not be listened on.
    #[error("{address}: {error}")]
    Tcp {
        /// The address as configured.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// A directory or file could not be made.
    #[error("{}: {error}", path.display())]
    Path {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The configured group does not exist.
    #[error("there is no group `{0}'")]
    Group(String),
    /// A user or group in a list does not exist.
    #[error(transparent)]
    Account(#[from] UnknownAccount),
    /// The command line is to be served to some only, at an address that does not tell who asks.
    #[error("{0}: lists of users and groups need a Unix socket")]
    NoCredentials(String),
    /// The accepting process could not be added.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl Servers {
    /// Serves the command line where `unix { cli-listen … }` says, or nowhere.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen_cli(&self, reactor: &Reactor) -> Result<(), ListenError> {
        let unix = &self.settings.unix;
        let mut server = self.cli.clone();
        let access = unix.cli_access.rules()?;
        if let Some(path) = &unix.log {
            let opened = RequestLog::open(path);
            let log = opened.map_err(|error| ListenError::Path {
                path: path.clone(),
                error,
            })?;
            server.requests = Some(log);
        }
        match &unix.cli_listen {
            None => Ok(()),
            Some(CliListen::Path(path)) => {
                let listener = self.bind(reactor, path)?;
                self.name(listener.source(), "cli listener", path);
                self.accept(AcceptSessions {
                    listener,
                    server,
                    access,
                })
            }
            Some(CliListen::Tcp(address)) if !unix.cli_access.is_open() => {
                Err(ListenError::NoCredentials(address.clone()))
            }
            Some(CliListen::Tcp(address)) => {
                let failed = |error| ListenError::Tcp {
                    address: address.clone(),
                    error,
                };
                let resolved = address.to_socket_addrs().map_err(failed)?.next();
                let resolved = resolved.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
                let listener = tcp::Listener::bind(reactor, resolved).map_err(failed)?;
                self.accept(AcceptSessions {
                    listener,
                    server,
                    access,
                })
            }
        }
    }

    /// Serves the binary API at `path`: the configured one, or `api.sock` in the runtime directory.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen_api(
        &self,
        reactor: &Reactor,
        runtime_directory: &Path,
    ) -> Result<(), ListenError> {
        let default = runtime_directory.join("api.sock");
        let path = self.settings.socksvr.socket_name.path_or(default);
        let access = self.settings.socksvr.access.rules()?;
        let listener = self.bind(reactor, &path)?;
        self.name(listener.source(), "socksvr", &path);
        self.accept(AcceptClients {
            listener,
            access,
            server: self.api.clone(),
        })
    }

    /// Gives out the statistics segment at `statseg { socket-name … }`, or at `stats.sock` in the runtime directory.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen_stats(
        &self,
        reactor: &Reactor,
        runtime_directory: &Path,
    ) -> Result<(), ListenError> {
        let default = runtime_directory.join("stats.sock");
        let path = self.settings.statseg.socket_name.path_or(default);
        let access = self.settings.statseg.access.rules()?;
        self.make_directory(&path)?;
        let address = Address::from(path.as_path());
        let listener = unix::PacketListener::bind(reactor, address, self.options()?)?;
        self.name(listener.source(), "stats segment listener", &path);
        let segment = self.control.stats().clone();
        let log = self.control.log().class("statseg");
        self.accept(GiveSegment {
            listener,
            segment,
            access,
            log,
        })
    }

    /// A listening socket at a path, with the configured group; missing directories are made.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn bind(&self, reactor: &Reactor, path: &Path) -> Result<unix::Listener, ListenError> {
        self.make_directory(path)?;
        Ok(unix::Listener::bind(
            reactor,
            Address::from(path),
            self.options()?,
        )?)
    }

    /// Notes what a listening socket is for.
    fn name(&self, socket: &OwnedFd, what: &str, path: &Path) {
        let description = format!("{what} {}", path.display());
        self.files
            .borrow_mut()
            .insert(socket.as_raw_fd(), description);
    }

    fn accept<N: ProcessNode>(&self, node: N) -> Result<(), ListenError> {
        let mut node = Some(node);
        let added = self.control.add_process(Restart::Never, move || {
            node.take()
                .expect("a process that is never restarted is made once")
        });
        added
            .map(drop)
            .map_err(|error| RegisterError::from(error).into())
    }

    fn options(&self) -> Result<Options, ListenError> {
        Ok(Options {
            mode: MODE,
            gid: self.group()?,
            ..Options::default()
        })
    }

    fn make_directory(&self, socket: &Path) -> Result<(), ListenError> {
        let Some(directory) = socket.parent().filter(|d| !d.as_os_str().is_empty()) else {
            return Ok(());
        };
        let own = self.settings.unix.runtime_dir.as_deref() == Some(directory);
        if !own && !directory.starts_with(MADE_BELOW) {
            return Ok(());
        }
        fs::create_dir_all(directory).map_err(|error| ListenError::Path {
            path: directory.into(),
            error,
        })
    }

    /// The group of the sockets' files.
    fn group(&self) -> Result<Option<u32>, ListenError> {
        match &self.settings.unix.gid {
            None => Ok(None),
            Some(Group::Id(id)) => Ok(Some(*id)),
            Some(Group::Name(name)) => {
                let groups = fs::read_to_string("/etc/group").unwrap_or_default();
                let id = find_id(&groups, name);
                id.map(Some).ok_or_else(|| ListenError::Group(name.clone()))
            }
        }
    }
}
