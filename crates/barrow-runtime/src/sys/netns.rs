//! Network namespaces: making, finding and entering them.
//!
//! A thread that enters a namespace stays there, so every function here that enters one does so on
//! a thread of its own, and the caller's thread never moves. Named namespaces follow the convention
//! of `ip netns`: a bind mount under `/run/netns`.

use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::io::Errno;
use rustix::mount::{
    MountPropagationFlags, UnmountFlags, mount_bind, mount_bind_recursive, mount_change, unmount,
};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Where named namespaces are.
const DIRECTORY: &str = "/run/netns";
/// This thread's own.
const OWN: &str = "/proc/thread-self/ns/net";

/// A network namespace that is kept alive: by this handle, and if it has a name, by that.
#[derive(Debug)]
pub struct NetNs(OwnedFd);

impl NetNs {
    /// The namespace that the calling thread is in.
    ///
    /// # Errors
    /// When `/proc` is not there.
    pub fn current() -> io::Result<Self> {
        Ok(Self(File::open(OWN)?.into()))
    }

    /// A namespace by its name, as `ip netns` knows it, or by a path when there is a `/` in it.
    ///
    /// # Errors
    /// `NotFound` when there is none; `InvalidInput` when the file is no network namespace.
    pub fn open(name: &str) -> io::Result<Self> {
        let path = if name.contains('/') {
            PathBuf::from(name)
        } else {
            place(name)?
        };
        let file = File::open(path)?;
        // Network namespaces live in the same internal file system as our own.
        if file.metadata()?.dev() != fs::metadata(OWN)?.dev() {
            return Err(invalid("not a network namespace"));
        }
        Ok(Self(file.into()))
    }

    /// A new namespace without a name: it ends with its last handle, socket and process.
    ///
    /// # Errors
    /// `PermissionDenied` without the right to make one.
    pub fn anonymous() -> io::Result<Self> {
        on_own_thread(|| {
            unshare_net()?;
            Self::current()
        })
    }

    /// A new namespace with a name, which lasts until [`NetNs::delete`].
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; `InvalidInput` when it cannot be a file name;
    /// `PermissionDenied`.
    pub fn create(name: &str) -> io::Result<Self> {
        let path = place(name)?;
        prepare_directory()?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(&path)?;
        let made = on_own_thread(|| {
            unshare_net()?;
            mount_bind(OWN, &path)?;
            Self::current()
        });
        if made.is_err() {
            // What failed is reported; the placeholder is in nobody's way but a later attempt's.
            let _ = fs::remove_file(&path);
        }
        made
    }

    /// Removes a name; the namespace itself ends when nobody uses it any more.
    ///
    /// # Errors
    /// `NotFound` when there is no such name.
    pub fn delete(name: &str) -> io::Result<()> {
        let path = place(name)?;
        match unmount(&path, UnmountFlags::DETACH) {
            // EINVAL: a file on which nothing is mounted, left behind by a killed process.
            Ok(()) | Err(Errno::INVAL) => fs::remove_file(path),
            Err(error) => Err(error.into()),
        }
    }

    /// The names of the namespaces that have one, sorted.
    #[must_use]
    pub fn names() -> Vec<String> {
        let Ok(entries) = fs::read_dir(DIRECTORY) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// Runs a closure inside the namespace, on a thread that exists for it, and waits for its
    /// result.
    ///
    /// Sockets made by the closure belong to the namespace for good, wherever they are used.
    ///
    /// # Errors
    /// When the namespace may not be entered. A panic of the closure goes on in the caller.
    pub fn run<R: Send>(&self, f: impl FnOnce() -> R + Send) -> io::Result<R> {
        on_own_thread(|| {
            move_into_link_name_space(self.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(f())
        })
    }

    /// Moves the calling thread into the namespace, for the rest of its life.
    ///
    /// # Errors
    /// When the namespace may not be entered.
    pub fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(
            self.as_fd(),
            Some(LinkNameSpaceType::Network),
        )?)
    }

    /// Whether both are the same namespace.
    ///
    /// # Errors
    /// When one cannot be looked at, which does not happen.
    pub fn is_same(&self, other: &Self) -> io::Result<bool> {
        let (a, b) = (rustix::fs::fstat(self)?, rustix::fs::fstat(other)?);
        Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    }
}

impl AsFd for NetNs {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes this process root in a new user namespace with a network and mount namespace of its own,
/// as `unshare -rnm` does.
///
/// To be called while the process has one thread only.
///
/// # Errors
/// When the kernel does not allow it, and `InvalidInput` when there are other threads.
pub fn become_root_of_user_namespace() -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let spaces = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    // SAFETY: no file table is unshared (the reason for which the call is unsafe); these flags only
    // change what names mean.
    unsafe { unshare_unsafe(spaces) }?;
    fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
    // An unprivileged process may map its group only after giving up `setgroups`.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    Ok(())
}

/// Moves the calling thread into a fresh namespace.
fn unshare_net() -> io::Result<()> {
    // SAFETY: no file table is unshared (the reason for which the call is unsafe).
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

fn on_own_thread<R: Send>(f: impl FnOnce() -> io::Result<R> + Send) -> io::Result<R> {
    let joined: Result<_, Box<dyn Any + Send>> = thread::scope(|scope| {
        Ok::<_, io::Error>(thread::Builder::new().spawn_scoped(scope, f)?.join())
    })?;
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn place(name: &str) -> io::Result<PathBuf> {
    if name.is_empty()
        || name == "."
        || name == ".."
        || name.len() > 255
        || name.contains(['/', '\0'])
    {
        return Err(invalid("not a name for a namespace"));
    }
    Ok(Path::new(DIRECTORY).join(name))
}

/// Makes the directory a shared mount point, so that names reach the mount namespaces made earlier
/// too.
fn prepare_directory() -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(DIRECTORY) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let share = || {
        mount_change(
            DIRECTORY,
            MountPropagationFlags::SHARED | MountPropagationFlags::REC,
        )
    };
    match share() {
        // Not a mount point yet.
        Err(Errno::INVAL) => {
            mount_bind_recursive(DIRECTORY, DIRECTORY)?;
            Ok(share()?)
        }
        result => Ok(result?),
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The namespace that a test wants, or `None` after saying why it is skipped.
    fn fresh() -> Option<NetNs> {
        NetNs::anonymous()
            .inspect_err(|error| eprintln!("skipped: no network namespace: {error}"))
            .ok()
    }

    #[test]
    fn a_closure_runs_inside_and_the_caller_stays_outside() {
        let Some(space) = fresh() else { return };
        let before = NetNs::current().unwrap();
        let inside = space.run(|| NetNs::current().unwrap()).unwrap();
        assert!(inside.is_same(&space).unwrap());
        assert!(!before.is_same(&space).unwrap());
        assert!(NetNs::current().unwrap().is_same(&before).unwrap());
    }

    #[test]
    fn a_panic_inside_goes_on_outside() {
        let Some(space) = fresh() else { return };
        let caught = std::panic::catch_unwind(|| space.run(|| panic!("inside")));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "inside");
    }

    #[test]
    fn a_named_namespace_is_found_until_it_is_deleted() {
        let name = format!("barrow-test-{}", std::process::id());
        let made = match NetNs::create(&name) {
            Ok(made) => made,
            Err(error) => return eprintln!("skipped: no named network namespace: {error}"),
        };
        assert_eq!(
            NetNs::create(&name).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert!(NetNs::open(&name).unwrap().is_same(&made).unwrap());
        assert!(NetNs::names().contains(&name));
        NetNs::delete(&name).unwrap();
        assert_eq!(
            NetNs::open(&name).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        assert_eq!(
            NetNs::delete(&name).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for name in ["", ".", "..", "a/b", "a\0b"] {
            assert_eq!(
                NetNs::create(name).unwrap_err().kind(),
                io::ErrorKind::InvalidInput,
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_file_that_is_no_namespace_is_refused() {
        assert_eq!(
            NetNs::open("/proc/self/status").unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }
}
