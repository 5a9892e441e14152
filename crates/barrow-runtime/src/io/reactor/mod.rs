//! Readiness of file descriptors, and the one sleep of a thread.
//!
//! A [`Reactor`] belongs to one thread; clones of the handle are the same reactor, so units can
//! register sources while they work. A [`Source`] owns what it watches and is registered once,
//! edge-triggered, for both directions. The rules:
//!
//! 1. A direction is *ready* from registration until an operation would have blocked; then it is
//!    not, and no system call is made, until the kernel reports an edge. Events are taken in by
//!    [`Reactor::poll_now`] and [`Reactor::park`] only, in this thread, so an edge between a
//!    refused operation and the noting of it cannot be missed.
//!    Whether writing is possible the kernel reports only while somebody had to wait for it: a peer
//!    that reads what was sent to it does not end this thread's sleep.
//! 2. An edge wakes whoever waits for that direction: once (a future) or each time (a unit that
//!    called [`Source::watch`]).
//! 3. Tokens carry a generation. An event for a source that is gone is dropped.
//! 4. [`Reactor::park`] sleeps until an event, the [`Bell`], or the deadline, to the microsecond.
//!    Nothing ticks: with no deadline and no event it sleeps for ever.

mod bell;
mod block_on;
mod flag;
mod poller;
mod source;
mod table;
mod wait;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::task::Waker;

use barrow_core::Instant;
use rustix::event::{Timespec, epoll::EventFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use bell::Awake;
pub use bell::Bell;
pub use flag::Flag;
pub use source::Source;
pub use table::{Direction, Watched};

use super::backend::{Backend, Fallback};
use super::uring::Ring;
use crate::sys::{Clock, cpu};
use poller::Poller;
pub(super) use poller::{Edge, Ready};
use table::Table;
pub(super) use table::Token;
use wait::Wait;

/// Events taken in by one call at most; more wait for the next one.
pub const EVENTS: usize = 256;

/// A thread's readiness poller. See the [module](self).
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    /// Before the descriptors that it watches.
    poller: Poller,
    timer: OwnedFd,
    bell: Bell,
    clock: Clock,
    table: RefCell<Table>,
    events: RefCell<Vec<Ready>>,
    backend: Backend,
    fallback: Option<Fallback>,
    /// When the timer descriptor is armed, on the monotonic clock.
    armed: Cell<Option<Timespec>>,
    /// Whether the kernel takes timeouts finer than a millisecond.
    fine: Cell<bool>,
}

impl Reactor {
    /// A reactor for this thread, whose timers it makes exact. `clock` is the one that deadlines
    /// are told in.
    ///
    /// # Errors
    /// When the process may not open more descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        Self::open(Backend::Mio, clock)
    }

    /// As [`Reactor::new`], waiting in a way of the caller's choice. One that the kernel refuses is
    /// replaced by [`Backend::Mio`], and [`Reactor::fallback`] says why.
    ///
    /// # Errors
    /// When the process may not open more descriptors.
    pub fn open(backend: Backend, clock: Clock) -> io::Result<Self> {
        cpu::exact_timers();
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?;
        let bell = Bell::new()?;
        let (poller, backend, fallback) = open_poller(backend, &bell, &timer)?;
        Ok(Self(Rc::new(Inner {
            poller,
            timer,
            bell,
            clock,
            table: RefCell::default(),
            events: RefCell::new(Vec::with_capacity(EVENTS)),
            backend,
            fallback,
            armed: Cell::new(None),
            fine: Cell::new(true),
        })))
    }

    /// How it waits.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// What was asked for and could not be had.
    #[must_use]
    pub fn fallback(&self) -> Option<&Fallback> {
        self.0.fallback.as_ref()
    }

    /// The ring, where that is how it waits.
    pub(super) fn ring(&self) -> Option<&Ring> {
        self.0.poller.ring()
    }

    /// Rings through a sleep, from any thread.
    #[must_use]
    pub fn bell(&self) -> Bell {
        self.0.bell.clone()
    }

    /// The clock of the deadlines.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Watches something that has a descriptor, for both directions, which count as ready at first.
    ///
    /// The descriptor has to be non-blocking. A descriptor is registered once at a time in one
    /// reactor.
    ///
    /// # Errors
    /// `PermissionDenied` for what can never block (a plain file); `AlreadyExists` when it is
    /// registered.
    pub fn register<T: AsFd>(&self, io: T) -> io::Result<Source<T>> {
        Source::new(self.clone(), io)
    }

    /// Sources that are registered.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.0.table.borrow().len()
    }

    /// The descriptors that are registered, and what was reported of each.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        self.0.table.borrow().watched()
    }

    /// Takes in what has happened, without waiting; returns the number of events.
    ///
    /// # Errors
    /// None in a correct process; the kernel's answer otherwise.
    pub fn poll_now(&self) -> io::Result<usize> {
        self.wait(Some(&Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }))
    }

    /// Waits for an event, the bell or the deadline, then takes in what has happened; returns the
    /// number of events, which is 0 after the deadline and after interruptions.
    ///
    /// # Errors
    /// None in a correct process; the kernel's answer otherwise.
    pub fn park(&self, until: Option<Instant>) -> io::Result<usize> {
        let wait = match until {
            None => Wait::Forever,
            Some(at) => match at.saturating_since(self.0.clock.now()) {
                left if self.0.poller.is_exact() && !left.is_zero() => Wait::Timeout(left),
                left => wait::plan(left, self.0.fine.get()),
            },
        };
        match wait {
            Wait::No => self.poll_now(),
            Wait::Forever => {
                self.arm(None)?;
                self.wait(None)
            }
            Wait::Timer => {
                self.arm(until)?;
                self.wait(None)
            }
            Wait::Timeout(left) => {
                self.arm(None)?;
                match self.wait(Some(&crate::sys::clock::timespec(left))) {
                    Err(error) if error.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) => {
                        self.0.fine.set(false);
                        self.arm(until)?;
                        self.wait(None)
                    }
                    result => result,
                }
            }
        }
    }

    /// Sets or stops the timer descriptor, unless it is as wanted.
    fn arm(&self, until: Option<Instant>) -> io::Result<()> {
        let at = until.map(|at| self.0.clock.to_monotonic(at));
        if self.0.armed.get() == at {
            return Ok(());
        }
        let never = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let new = Itimerspec {
            it_interval: never,
            it_value: at.unwrap_or(never),
        };
        timerfd_settime(&self.0.timer, TimerfdTimerFlags::ABSTIME, &new)?;
        self.0.armed.set(at);
        Ok(())
    }

    fn wait(&self, timeout: Option<&Timespec>) -> io::Result<usize> {
        let mut events = self.0.events.borrow_mut();
        events.clear();
        match self.0.poller.wait(timeout, &mut events) {
            Ok(()) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let _awake = Awake::new(&self.0.bell);
        for &(token, flags) in events.iter() {
            self.take_in(token, flags);
        }
        Ok(events.len())
    }

    /// Wakers run with no borrow held but that of the event list, which only `wait` takes.
    fn take_in(&self, token: Token, flags: EventFlags) {
        match token {
            Token::BELL | Token::RING => {}
            Token::TIMER => self.0.armed.set(None),
            token => {
                let wakers = self.0.table.borrow_mut().report(token, flags);
                wakers.into_iter().flatten().for_each(Waker::wake);
            }
        }
    }
}

/// Opens a backend, or the one that is always there.
fn open_poller(
    backend: Backend,
    bell: &Bell,
    timer: &OwnedFd,
) -> io::Result<(Poller, Backend, Option<Fallback>)> {
    let open = |backend| Poller::open(backend, bell.as_fd(), timer.as_fd());
    let used = match backend {
        Backend::Auto => Backend::Mio,
        named => named,
    };
    match open(used) {
        Ok(poller) => Ok((poller, used, None)),
        Err(error) if used != Backend::Mio => {
            let fallback = Fallback {
                wanted: backend,
                reason: error.to_string(),
            };
            Ok((open(Backend::Mio)?, Backend::Mio, Some(fallback)))
        }
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("backend", &self.0.backend)
            .field("sources", &self.sources())
            .field("clock", &self.0.clock.now())
            .finish()
    }
}
