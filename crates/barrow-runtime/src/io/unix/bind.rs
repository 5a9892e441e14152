//! Binding so that the path appears only once it accepts, and never in place of a socket that is in
//! use.
//!
//! The socket is bound and listens under a temporary name in the same folder, with its final mode
//! and group, and is then renamed. Whatever was at the path before is dealt with first: somebody
//! who answers keeps it, a dead socket goes, anything else stays. A dead socket is moved aside
//! before it is removed and looked at once more, so that of several starters that find it, none can
//! remove the socket of another.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, Gid, Mode, OFlags, RenameFlags, chown, open, renameat_with};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use super::address::{Address, AddressError};
use super::listener::Options;

/// Why a listener could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process accepts connections there.
    #[error("{0}: another process is listening there")]
    Active(Address),
    /// Something else has that name.
    #[error("{}: exists and is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// No address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The system's answer to a step of it.
    #[error("{address}: {step}: {source}")]
    System {
        /// Where the listener was to be.
        address: Address,
        /// What was tried.
        step: &'static str,
        /// The answer.
        source: io::Error,
    },
}

/// The file of a listening socket; removed when dropped, unless somebody has put another one there.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        if identity(&self.path).ok() == Some(self.identity) {
            // Somebody else may have removed it in this moment.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A socket that listens at an address.
pub(super) fn listening(
    address: &Address,
    kind: SocketType,
    options: Options,
) -> Result<(OwnedFd, Option<Place>), BindError> {
    let system = |step| {
        move |source: io::Error| BindError::System {
            address: address.clone(),
            step,
            source,
        }
    };
    let target = address.to_socket()?;
    let socket = socket(kind).map_err(|error| system("socket")(error.into()))?;
    let Some(path) = address.path() else {
        return match bind(&socket, &target) {
            Ok(()) => {
                listen(&socket, options.backlog).map_err(|error| system("listen")(error.into()))?;
                Ok((socket, None))
            }
            Err(Errno::ADDRINUSE) => Err(BindError::Active(address.clone())),
            Err(error) => Err(system("bind")(error.into())),
        };
    };
    // Before anything is made: the usual refusal leaves no trace.
    clear(address, path, kind)?;
    let temporary = Temporary::bind(&socket, path).map_err(system("bind"))?;
    temporary
        .dress(options)
        .map_err(system("set mode and group"))?;
    listen(&socket, options.backlog).map_err(|error| system("listen")(error.into()))?;
    let identity = identity(&temporary.0).map_err(system("stat"))?;
    loop {
        match renameat_with(CWD, &temporary.0, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => break,
            Err(Errno::EXIST) => clear(address, path, kind)?,
            Err(error) => return Err(system("rename")(error.into())),
        }
    }
    Ok((
        socket,
        Some(Place {
            path: path.into(),
            identity,
        }),
    ))
}

/// Makes the path free, or tells why that must not be.
fn clear(address: &Address, path: &Path, kind: SocketType) -> Result<(), BindError> {
    let system = |step, source| BindError::System {
        address: address.clone(),
        step,
        source,
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system("stat", error)),
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket(path.into()));
    }
    match probe(address, kind).map_err(|source| system("connect", source))? {
        Answer::Alive => return Err(BindError::Active(address.clone())),
        Answer::Gone => return Ok(()),
        Answer::Dead => {}
    }
    let aside = temporary_name(path);
    match renameat_with(CWD, path, CWD, &aside, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(system("move the dead socket", error.into())),
    }
    if identity(&aside).ok() == Some((found.dev(), found.ino())) {
        return fs::remove_file(&aside).map_err(|source| system("remove the dead socket", source));
    }
    // Another starter was faster, and this is its socket: put it back.
    match renameat_with(CWD, &aside, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Err(BindError::Active(address.clone())),
        Err(error) => Err(system("put a socket back", error.into())),
    }
}

enum Answer {
    Alive,
    Dead,
    Gone,
}

/// Whether somebody listens at an address.
fn probe(address: &Address, kind: SocketType) -> io::Result<Answer> {
    let target = address.to_socket().map_err(io::Error::other)?;
    match connect(&socket(kind)?, &target) {
        // AGAIN: its queue is full. PROTOTYPE: it speaks another kind of socket. Both are alive.
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS | Errno::PROTOTYPE) => Ok(Answer::Alive),
        Err(Errno::CONNREFUSED) => Ok(Answer::Dead),
        Err(Errno::NOENT) => Ok(Answer::Gone),
        Err(error) => Err(error.into()),
    }
}

fn socket(kind: SocketType) -> rustix::io::Result<OwnedFd> {
    socket_with(
        AddressFamily::UNIX,
        kind,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        None,
    )
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// A name beside the path that nobody else uses.
fn temporary_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".barrow-{:x}-{count:x}", std::process::id()))
}

/// A bound socket under its temporary name; the name is removed when it was not renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn bind(socket: &OwnedFd, path: &Path) -> io::Result<Self> {
        loop {
            let name = temporary_name(path);
            match bind_any_length(socket, &name) {
                Ok(()) => return Ok(Self(name)),
                // Left by a killed process that had our number.
                Err(Errno::ADDRINUSE) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn dress(&self, options: Options) -> io::Result<()> {
        if let Some(gid) = options.gid {
            chown(&self.0, None, Some(Gid::from_raw(gid)))?;
        }
        fs::set_permissions(&self.0, fs::Permissions::from_mode(options.mode))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Usually it was renamed and is not there any more.
        let _ = fs::remove_file(&self.0);
    }
}

/// Binds to a path that may be too long for an address when the final one is not: then by way of
/// its folder's descriptor.
fn bind_any_length(socket: &OwnedFd, path: &Path) -> rustix::io::Result<()> {
    if let Ok(address) = SocketAddrUnix::new(path) {
        return bind(socket, &address);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::INVAL);
    };
    let folder = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let short = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    bind(socket, &SocketAddrUnix::new(short)?)
}
