//! A statistics socket for tests.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread::{self, JoinHandle};

use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

/// Listens at `path` and gives each client that connects to `answer`, until it says that it was the last.
pub(crate) fn serve(
    path: &Path,
    mut answer: impl FnMut(OwnedFd) -> Next + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let listener = net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
    net::bind(&listener, &SocketAddrUnix::new(path)?)?;
    net::listen(&listener, 5)?;
    Ok(thread::spawn(move || {
        while let Ok(client) = net::accept(listener.as_fd()) {
            if answer(client) == Next::Close {
                break;
            }
        }
    }))
}

/// Whether there may be another client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Go on listening.
    Listen,
    /// That was the last one.
    Close,
}
