//! The moving of bytes, one turn at a time.

use crate::error::Lost;
use crate::mux::{Hub, Step, Transmit};
use barrow_core::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// Bytes read at once.
const READ: usize = 64 << 10;

impl Transmit for UnixStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }
}

/// A connection's driver. Whoever has it may do a turn.
pub(super) struct Driver {
    hub: Arc<Hub>,
    path: PathBuf,
    bell: Arc<OwnedFd>,
    stream: Option<Arc<UnixStream>>,
    wakers: Vec<Waker>,
}

impl Driver {
    pub(super) fn new(hub: Arc<Hub>, path: PathBuf, bell: Arc<OwnedFd>) -> Self {
        Self {
            hub,
            path,
            bell,
            stream: None,
            wakers: Vec::new(),
        }
    }

    /// Does what is to be done, waits until something happens, and takes in what came. False when all is over.
    pub(super) fn turn(&mut self) -> bool {
        match self.hub.step(&mut self.wakers) {
            Step::Connect { .. } => self.connect(),
            Step::Wait { until } => {
                self.stream = None;
                self.park(false, until);
            }
            Step::Io { until } => {
                let all = self.hub.write(&mut self.wakers);
                self.park(!all, until);
                self.read();
            }
            Step::Finished => {
                self.stream = None;
                return false;
            }
        }
        true
    }

    /// A Unix socket connects at once, or waits for a listener with a full queue.
    fn connect(&mut self) {
        let stream = UnixStream::connect(&self.path)
            .and_then(|stream| stream.set_nonblocking(true).map(|()| Arc::new(stream)));
        match stream {
            Ok(stream) => {
                let transmit: Arc<dyn Transmit> = Arc::<UnixStream>::clone(&stream);
                self.stream = Some(stream);
                self.hub.connected(&mut self.wakers, transmit);
            }
            Err(error) => {
                let why = format!("{}: {error}", self.path.display());
                self.hub.lost(&mut self.wakers, Lost::Connect(why.into()));
            }
        }
    }

    fn read(&mut self) {
        while let Some(stream) = &self.stream {
            let read = self
                .hub
                .read(&mut self.wakers, READ, |space| (&**stream).read(space));
            match read {
                Ok(0) => self.stream = None,
                Ok(READ..) => {}
                // Less than there was room for: there is no more.
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Waits for the stream, the bell, or the instant.
    fn park(&self, write: bool, until: Option<Instant>) {
        let timeout = until.map(|until| {
            let left = until - self.hub.now();
            // Rounded up, so that the instant has come.
            Timespec::try_from(left + Duration::from_nanos(1)).unwrap_or(Timespec {
                tv_sec: i64::MAX,
                tv_nsec: 0,
            })
        });
        let mut wanted = PollFlags::IN;
        wanted.set(PollFlags::OUT, write);
        let bell = PollFd::new(&self.bell, PollFlags::IN);
        // An interrupted wait is a short one: the next turn looks again.
        let rung = match &self.stream {
            Some(stream) => {
                let mut fds = [bell, PollFd::new(stream, wanted)];
                poll(&mut fds, timeout.as_ref()).is_ok() && !fds[0].revents().is_empty()
            }
            None => {
                let mut fds = [bell];
                poll(&mut fds, timeout.as_ref()).is_ok() && !fds[0].revents().is_empty()
            }
        };
        if rung {
            let mut rings = [0; 8];
            let _ = rustix::io::read(&self.bell, &mut rings);
        }
    }
}
