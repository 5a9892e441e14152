//! The names of the ways to wait for the kernel.

use std::fmt;
use std::str::FromStr;

/// How a reactor waits, and how its sockets work.
///
/// | name | waits by | sockets |
/// |---|---|---|
/// | `mio` | epoll, edge-triggered, `epoll_pwait2` | batches when the kernel says ready |
/// | `poll` | `ppoll` | the same; cost grows with the number of sockets |
/// | `polling` | the crate `polling` | the same |
/// | `io_uring` | a ring, which watches an epoll for everything else | datagrams by multishot receive into a ring of buffers |
/// | `auto` | the best that is measured: `mio` | |
///
/// All of them park to the microsecond. AF_XDP is no way to wait but a way to receive: see
/// `io::xdp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// The best one that the recorded benches show: [`Backend::Mio`].
    #[default]
    Auto,
    /// Epoll.
    Mio,
    /// The system call `poll`.
    Poll,
    /// The crate `polling`.
    Polling,
    /// A ring.
    IoUring,
}

impl Backend {
    /// Every backend that has code of its own.
    pub const ALL: [Self; 4] = [Self::Mio, Self::Poll, Self::Polling, Self::IoUring];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mio => "mio",
            Self::Poll => "poll",
            Self::Polling => "polling",
            Self::IoUring => "io_uring",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No backend has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no backend is called {0:?}: use auto, mio, poll, polling or io_uring")]
pub struct NoBackend(pub String);

impl FromStr for Backend {
    type Err = NoBackend;

    /// Reads a name; `epoll` is understood as `mio`.
    fn from_str(name: &str) -> Result<Self, NoBackend> {
        match name {
            "auto" => Ok(Self::Auto),
            "mio" | "epoll" => Ok(Self::Mio),
            "poll" => Ok(Self::Poll),
            "polling" => Ok(Self::Polling),
            "io_uring" => Ok(Self::IoUring),
            _ => Err(NoBackend(name.to_owned())),
        }
    }
}

/// A backend that could not be had, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// What was asked for.
    pub wanted: Backend,
    /// Why it is not that.
    pub reason: String,
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not to be had: {}", self.wanted, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in Backend::ALL.into_iter().chain([Backend::Auto]) {
            assert_eq!(backend.name().parse(), Ok(backend));
        }
        assert_eq!("epoll".parse(), Ok(Backend::Mio));
        assert!("kqueue".parse::<Backend>().is_err());
    }
}
