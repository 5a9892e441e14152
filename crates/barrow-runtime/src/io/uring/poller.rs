//! Waiting on the ring.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use rustix::event::Timespec;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;

use super::ring::{Ring, Watched};
use crate::io::reactor::{Edge, Ready, Token};

/// A ring with an epoll behind it.
#[derive(Debug)]
pub(in crate::io) struct Poller {
    ring: Ring,
    edge: Edge,
    bell: RawFd,
}

impl Poller {
    /// A ring that watches the bell, which lives at least as long, and everything in the epoll.
    pub(in crate::io) fn new(bell: BorrowedFd<'_>, edge: Edge) -> io::Result<Self> {
        let poller = Self {
            ring: Ring::new()?,
            edge,
            bell: bell.as_raw_fd(),
        };
        poller.watch(Watched::Bell);
        poller.watch(Watched::Epoll);
        Ok(poller)
    }

    pub(in crate::io) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(in crate::io) fn edge(&self) -> &Edge {
        &self.edge
    }

    fn watch(&self, watched: Watched) {
        let fd = match watched {
            Watched::Bell => self.bell,
            Watched::Epoll => self.edge.as_fd().as_raw_fd(),
        };
        self.ring.watch(fd, watched);
    }

    pub(in crate::io) fn wait(
        &self,
        timeout: Option<&Timespec>,
        ready: &mut Vec<Ready>,
    ) -> rustix::io::Result<()> {
        self.ring.enter(timeout)?;
        let found = self.ring.reap();
        // The epoll is empty when its poll ends; whatever comes then is seen by the new one.
        if found.epoll_over {
            self.watch(Watched::Epoll);
        }
        if found.bell_over {
            self.watch(Watched::Bell);
        }
        if found.bell {
            ready.push((Token::BELL, EventFlags::IN));
        }
        if found.completions > 0 {
            ready.push((Token::RING, EventFlags::IN));
        }
        if found.epoll {
            let now = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            match self.edge.wait(Some(&now), ready) {
                Ok(()) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
