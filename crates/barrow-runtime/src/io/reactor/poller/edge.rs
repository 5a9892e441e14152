//! Epoll, edge-triggered.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventFlags};
use rustix::io::Errno;

use super::super::EVENTS;
use super::super::table::Token;
use super::Ready;

/// What the kernel reports of every source.
const READS: EventFlags = EventFlags::IN
    .union(EventFlags::RDHUP)
    .union(EventFlags::ET);

/// An epoll.
pub(in crate::io) struct Edge {
    epoll: OwnedFd,
    events: RefCell<Vec<epoll::Event>>,
}

impl Edge {
    pub(in crate::io) fn new(
        bell: Option<BorrowedFd<'_>>,
        timer: BorrowedFd<'_>,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        // Every ring and every expiry is an edge, so neither descriptor is ever read.
        let edges = EventFlags::IN | EventFlags::ET;
        if let Some(bell) = bell {
            epoll::add(&epoll, bell, Token::BELL.into(), edges)?;
        }
        epoll::add(&epoll, timer, Token::TIMER.into(), edges)?;
        Ok(Self {
            epoll,
            events: RefCell::new(Vec::with_capacity(EVENTS)),
        })
    }

    pub(super) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, token.into(), READS)?)
    }

    pub(super) fn delete(&self, fd: BorrowedFd<'_>) {
        // It may be gone already, when the last descriptor of the file was closed elsewhere.
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// The kernel looks at the descriptor now, so room that has come meanwhile is an edge.
    pub(super) fn report(&self, fd: BorrowedFd<'_>, token: Token, write: bool) {
        let flags = if write {
            READS | EventFlags::OUT
        } else {
            READS
        };
        // Fails only for descriptors that are not registered, which this one is until it is
        // dropped.
        let _ = epoll::modify(&self.epoll, fd, token.into(), flags);
    }

    pub(in crate::io) fn wait(
        &self,
        timeout: Option<&Timespec>,
        ready: &mut Vec<Ready>,
    ) -> rustix::io::Result<()> {
        let mut events = self.events.borrow_mut();
        events.clear();
        let spare = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, spare, timeout) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        ready.extend(events.iter().map(|event| (event.data.into(), event.flags)));
        Ok(())
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("epoll", &self.epoll)
            .finish_non_exhaustive()
    }
}

impl AsFd for Edge {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
