//! Signals to the process, as something that a reactor watches.
//!
//! A handler does nothing but write a byte to a socket, which is all that a signal handler safely
//! can. One signal that comes many times before it is looked at counts as one.

use std::io;
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, Waker};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::low_level::{pipe, unregister};

use crate::io::reactor::{Direction, Reactor, Source};

/// The signals that a node may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Asked to end, by a service manager.
    Terminate,
    /// Asked to end, from the keyboard.
    Interrupt,
    /// The terminal is gone; to daemons: read the configuration anew.
    HangUp,
    /// The terminal has another size.
    WindowChange,
    /// For the application.
    User1,
    /// For the application.
    User2,
}

impl Signal {
    /// The system's number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Terminate => SIGTERM,
            Self::Interrupt => SIGINT,
            Self::HangUp => SIGHUP,
            Self::WindowChange => SIGWINCH,
            Self::User1 => SIGUSR1,
            Self::User2 => SIGUSR2,
        }
    }
}

/// Receives some signals of the process, for as long as it lives; then they have no effect.
///
/// While one exists, these signals do not end the process.
#[derive(Debug)]
pub struct Signals {
    sources: Vec<(Signal, Source<UnixStream>, Registration)>,
}

#[derive(Debug)]
struct Registration(SigId);

impl Drop for Registration {
    fn drop(&mut self) {
        unregister(self.0);
    }
}

impl Signals {
    /// Starts to receive these signals on a reactor.
    ///
    /// # Errors
    /// When the process may not open more descriptors.
    pub fn new(reactor: &Reactor, signals: &[Signal]) -> io::Result<Self> {
        let watch = |&signal: &Signal| {
            let (receive, send) = UnixStream::pair()?;
            receive.set_nonblocking(true)?;
            let registration = Registration(pipe::register(signal.number(), send)?);
            Ok((signal, reactor.register(receive)?, registration))
        };
        Ok(Self {
            sources: signals.iter().map(watch).collect::<io::Result<_>>()?,
        })
    }

    /// A signal that has come, in the order in which they were listed. Pending while there is none.
    pub fn try_next(&mut self) -> Poll<Signal> {
        for (signal, source, _) in &self.sources {
            let read = |stream: &UnixStream| rustix::io::read(stream, &mut [0; 64]);
            if source.try_io(Direction::Read, read).is_ready() {
                return Poll::Ready(*signal);
            }
        }
        Poll::Pending
    }

    /// Wakes `waker` whenever one comes, until told otherwise.
    pub fn watch(&self, waker: &Waker) {
        for (_, source, _) in &self.sources {
            source.watch(Direction::Read, Some(waker));
        }
    }

    /// As [`Signals::try_next`]; the context's waker is woken when one comes.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Signal> {
        let next = self.try_next();
        if next.is_pending() {
            for (_, source, _) in &self.sources {
                // Not ready: the try has just found that out.
                let _ = source.poll_ready(cx, Direction::Read);
            }
        }
        next
    }

    /// Waits for one.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{self, getpid, kill_process};

    use super::*;
    use crate::sys::Clock;

    #[test]
    fn signals_are_told_apart() {
        let reactor = Reactor::new(Clock::new()).unwrap();
        let mut signals = Signals::new(&reactor, &[Signal::User1, Signal::User2]).unwrap();
        assert!(signals.try_next().is_pending());
        kill_process(getpid(), process::Signal::USR2).unwrap();
        assert_eq!(reactor.block_on(signals.next()).unwrap(), Signal::User2);
        kill_process(getpid(), process::Signal::USR1).unwrap();
        assert_eq!(reactor.block_on(signals.next()).unwrap(), Signal::User1);
    }
}
