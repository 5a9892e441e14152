//! Level-triggered ways to wait: `ppoll`, and the crate `polling`.
//!
//! Only directions that somebody found not ready are asked for, and each is told once; so a
//! descriptor that stays ready costs nothing and nobody spins.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::EventFlags;
use slab::Slab;

use super::super::EVENTS;
use super::super::table::{Direction, Token};
use super::Ready;
use crate::io::polling::Polling;
use crate::sys::poll::{PollFd, ppoll};

/// A level-triggered poller.
#[derive(Debug)]
pub(in crate::io) struct Level(RefCell<State>);

#[derive(Debug)]
struct State {
    entries: Slab<Entry>,
    /// Place of each token, by its index.
    places: Vec<Option<usize>>,
    kind: Kind,
}

#[derive(Debug)]
struct Entry {
    fd: RawFd,
    token: Token,
    armed: EventFlags,
    /// Bell and timer stay armed, and are emptied when they rang.
    steady: bool,
    /// What the crate knows differs.
    dirty: bool,
}

#[derive(Debug)]
enum Kind {
    Poll(Vec<PollFd>),
    Polling(Polling),
}

impl Level {
    pub(super) fn poll(bell: BorrowedFd<'_>, timer: BorrowedFd<'_>) -> Self {
        Self::with(Kind::Poll(Vec::new()), bell, timer)
    }

    pub(super) fn polling(bell: BorrowedFd<'_>, timer: BorrowedFd<'_>) -> io::Result<Self> {
        let polling = Polling::new(EVENTS)?;
        polling.add(bell, 0)?;
        polling.add(timer, 1)?;
        Ok(Self::with(Kind::Polling(polling), bell, timer))
    }

    fn with(kind: Kind, bell: BorrowedFd<'_>, timer: BorrowedFd<'_>) -> Self {
        let mut entries = Slab::new();
        for (fd, token) in [(bell, Token::BELL), (timer, Token::TIMER)] {
            entries.insert(Entry {
                fd: fd.as_raw_fd(),
                token,
                armed: EventFlags::IN,
                steady: true,
                dirty: true,
            });
        }
        Self(RefCell::new(State {
            entries,
            places: Vec::new(),
            kind,
        }))
    }

    pub(super) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        // What can never block is refused, as epoll does.
        let stat = rustix::fs::fstat(fd)?;
        let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
        if kind.is_file() || kind.is_dir() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let raw = fd.as_raw_fd();
        if state.entries.iter().any(|(_, entry)| entry.fd == raw) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let place = state.entries.insert(Entry {
            fd: raw,
            token,
            armed: EventFlags::empty(),
            steady: false,
            dirty: false,
        });
        if let Kind::Polling(polling) = &state.kind
            && let Err(error) = polling.add(fd, place)
        {
            state.entries.remove(place);
            return Err(error);
        }
        let index = token.index();
        if state.places.len() <= index {
            state.places.resize(index + 1, None);
        }
        state.places[index] = Some(place);
        Ok(())
    }

    pub(super) fn delete(&self, fd: BorrowedFd<'_>, token: Token) {
        let state = &mut *self.0.borrow_mut();
        let Some(place) = state.places.get_mut(token.index()).and_then(Option::take) else {
            return;
        };
        state.entries.remove(place);
        if let Kind::Polling(polling) = &state.kind {
            polling.delete(fd);
        }
    }

    pub(super) fn arm(&self, token: Token, direction: Direction) {
        let flags = match direction {
            Direction::Read => EventFlags::IN | EventFlags::RDHUP,
            Direction::Write => EventFlags::OUT,
        };
        self.change(token, |armed| armed.insert(flags));
    }

    pub(super) fn disarm_write(&self, token: Token) {
        self.change(token, |armed| armed.remove(EventFlags::OUT));
    }

    fn change(&self, token: Token, change: impl FnOnce(&mut EventFlags)) {
        let state = &mut *self.0.borrow_mut();
        let place = state.places.get(token.index()).copied().flatten();
        if let Some(entry) = place.and_then(|place| state.entries.get_mut(place)) {
            change(&mut entry.armed);
            entry.dirty = true;
        }
    }

    pub(super) fn wait(
        &self,
        timeout: Option<&Timespec>,
        ready: &mut Vec<Ready>,
    ) -> rustix::io::Result<()> {
        let State { entries, kind, .. } = &mut *self.0.borrow_mut();
        match kind {
            Kind::Poll(fds) => {
                fds.clear();
                let mut places = Vec::with_capacity(entries.len());
                // The armed ones only: the system call reports hang-ups whether asked or not.
                for (place, entry) in entries.iter().filter(|(_, e)| !e.armed.is_empty()) {
                    fds.push(PollFd::new(entry.fd, entry.armed.bits() as i16));
                    places.push(place);
                }
                ppoll(fds, timeout)?;
                let found = fds.iter().zip(places).filter(|(fd, _)| fd.found() != 0);
                for (fd, place) in found.take(EVENTS) {
                    let flags = EventFlags::from_bits_retain(fd.found() as u16 as u32);
                    report(&mut entries[place], flags, ready);
                }
            }
            Kind::Polling(polling) => {
                for (place, entry) in entries.iter_mut().filter(|(_, entry)| entry.dirty) {
                    entry.dirty = false;
                    let write = entry.armed.contains(EventFlags::OUT);
                    let read = entry.armed.contains(EventFlags::IN);
                    polling.modify(entry.fd, place, read, write);
                }
                polling.wait(timeout.map(duration), |place, read, write, failed| {
                    let Some(entry) = entries.get_mut(place) else {
                        return;
                    };
                    let mut flags = EventFlags::empty();
                    flags.set(EventFlags::IN, read);
                    flags.set(EventFlags::OUT, write);
                    flags.set(EventFlags::ERR, failed);
                    report(entry, flags, ready);
                })?;
            }
        }
        Ok(())
    }
}

/// Tells an event, and does not ask for it again.
fn report(entry: &mut Entry, flags: EventFlags, ready: &mut Vec<Ready>) {
    if entry.steady {
        crate::sys::poll::empty(entry.fd);
    } else {
        let both = EventFlags::ERR | EventFlags::HUP;
        if flags.intersects(both) {
            entry.armed = EventFlags::empty();
        }
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP) {
            entry.armed.remove(EventFlags::IN | EventFlags::RDHUP);
        }
        entry.armed.remove(flags & EventFlags::OUT);
    }
    entry.dirty = true;
    ready.push((entry.token, flags));
}

fn duration(timeout: &Timespec) -> Duration {
    Duration::new(
        timeout.tv_sec.unsigned_abs(),
        u32::try_from(timeout.tv_nsec).unwrap_or(0),
    )
}
