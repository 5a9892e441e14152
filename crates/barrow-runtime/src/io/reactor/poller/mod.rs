//! The seam between a reactor and the system's ways to wait.
//!
//! Two kinds. An *edge* poller ([`edge`], and the ring in front of it) reports each edge. A *level*
//! poller ([`level`]) is told by the reactor which directions somebody has found not ready, and
//! reports each once: what it reports is an edge as far as sources can see, since they clear before
//! they wait. (A watcher that never clears hears nothing more from a level poller.)

mod edge;
mod level;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::Timespec;
use rustix::event::epoll::EventFlags;

use super::table::{Direction, Token};
use crate::io::backend::Backend;
use crate::io::uring;

pub(in crate::io) use edge::Edge;
pub(super) use level::Level;

/// Something that happened.
pub(in crate::io) type Ready = (Token, EventFlags);

/// A way to wait.
#[derive(Debug)]
pub(super) enum Poller {
    Edge(Edge),
    Level(Level),
    Ring(uring::Poller),
}

impl Poller {
    /// Opens a backend. `bell` is watched from the beginning, and so is `timer`.
    pub(super) fn open(
        backend: Backend,
        bell: BorrowedFd<'_>,
        timer: BorrowedFd<'_>,
    ) -> io::Result<Self> {
        Ok(match backend {
            Backend::Auto | Backend::Mio => Self::Edge(Edge::new(Some(bell), timer)?),
            Backend::Poll => Self::Level(Level::poll(bell, timer)),
            Backend::Polling => Self::Level(Level::polling(bell, timer)?),
            Backend::IoUring => Self::Ring(uring::Poller::new(bell, Edge::new(None, timer)?)?),
        })
    }

    /// Whether a timeout in nanoseconds is taken to the nanosecond, however long it is.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Ring(_))
    }

    pub(super) fn ring(&self) -> Option<&uring::Ring> {
        match self {
            Self::Ring(poller) => Some(poller.ring()),
            _ => None,
        }
    }

    pub(super) fn add(&self, fd: impl AsFd, token: Token) -> io::Result<()> {
        match self {
            Self::Edge(edge) => edge.add(fd.as_fd(), token),
            Self::Ring(ring) => ring.edge().add(fd.as_fd(), token),
            Self::Level(level) => level.add(fd.as_fd(), token),
        }
    }

    pub(super) fn delete(&self, fd: impl AsFd, token: Token) {
        match self {
            Self::Edge(edge) => edge.delete(fd.as_fd()),
            Self::Ring(ring) => ring.edge().delete(fd.as_fd()),
            Self::Level(level) => level.delete(fd.as_fd(), token),
        }
    }

    /// A direction was found not ready. `first`: the reactor did not ask for reports of it before.
    pub(super) fn arm(&self, fd: impl AsFd, token: Token, direction: Direction, first: bool) {
        match self {
            Self::Edge(edge) if first => edge.report(fd.as_fd(), token, true),
            Self::Ring(ring) if first => ring.edge().report(fd.as_fd(), token, true),
            Self::Edge(_) | Self::Ring(_) => {}
            Self::Level(level) => level.arm(token, direction),
        }
    }

    /// Nobody waits for room to write any more.
    pub(super) fn relax(&self, fd: impl AsFd, token: Token) {
        match self {
            Self::Edge(edge) => edge.report(fd.as_fd(), token, false),
            Self::Ring(ring) => ring.edge().report(fd.as_fd(), token, false),
            Self::Level(level) => level.disarm_write(token),
        }
    }

    /// Waits until something happens or the time is over, and adds what happened.
    pub(super) fn wait(
        &self,
        timeout: Option<&Timespec>,
        ready: &mut Vec<Ready>,
    ) -> rustix::io::Result<()> {
        match self {
            Self::Edge(edge) => edge.wait(timeout, ready),
            Self::Level(level) => level.wait(timeout, ready),
            Self::Ring(ring) => ring.wait(timeout, ready),
        }
    }
}
