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
use rustix::event::epoll;
use rustix::event::{Timespec, epoll::EventFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

pub use bell::Bell;
pub use flag::Flag;
pub use source::Source;
pub use table::Direction;

use crate::sys::{Clock, cpu};
use table::{Table, Token};
use wait::Wait;

/// Events taken in by one call at most; more wait for the next one.
pub const EVENTS: usize = 256;

/// A thread's readiness poller. See the [module](self).
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    epoll: OwnedFd,
    timer: OwnedFd,
    bell: Bell,
    clock: Clock,
    table: RefCell<Table>,
    events: RefCell<Vec<epoll::Event>>,
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
        cpu::exact_timers();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?;
        let bell = Bell::new()?;
        // Edge-triggered: every ring and every expiry is an edge, so neither descriptor is ever
        // read.
        let edges = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &bell, Token::BELL.into(), edges)?;
        epoll::add(&epoll, &timer, Token::TIMER.into(), edges)?;
        Ok(Self(Rc::new(Inner {
            epoll,
            timer,
            bell,
            clock,
            table: RefCell::default(),
            events: RefCell::new(Vec::with_capacity(EVENTS)),
            armed: Cell::new(None),
            fine: Cell::new(true),
        })))
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
            Some(at) => wait::plan(at.saturating_since(self.0.clock.now()), self.0.fine.get()),
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
        match epoll::wait(
            &self.0.epoll,
            rustix::buffer::spare_capacity(&mut events),
            timeout,
        ) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in events.iter() {
            self.take_in(Token::from(event.data), event.flags);
        }
        Ok(events.len())
    }

    /// Wakers run with no borrow held but that of the event list, which only `wait` takes.
    fn take_in(&self, token: Token, flags: EventFlags) {
        match token {
            Token::BELL => {}
            Token::TIMER => self.0.armed.set(None),
            token => {
                let wakers = self.0.table.borrow_mut().report(token, flags);
                wakers.into_iter().flatten().for_each(Waker::wake);
            }
        }
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("sources", &self.sources())
            .field("clock", &self.0.clock.now())
            .finish()
    }
}
