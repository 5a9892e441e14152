//! The ring, and the operations that own what the kernel uses.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::task::Waker;

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec as RingTimespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::event::Timespec;
use rustix::io::Errno;
use slab::Slab;

use super::buffers::Group;
use super::receive::Inbound;
use super::send::Outbound;
use crate::io::packet::Packets;

/// Requests that are noted between two calls of the kernel at most; more cause a call.
const ENTRIES: u32 = 256;
/// Completions that the kernel keeps for us; beyond, it keeps them in a list of its own.
const COMPLETIONS: u32 = 4096;
/// `IORING_ENTER_GETEVENTS`.
const GET_EVENTS: u32 = 1;

/// A ring of one thread. Clones are the same one.
#[derive(Clone)]
pub(in crate::io) struct Ring(Rc<RefCell<Inner>>);

struct Inner {
    ring: IoUring,
    ops: Slab<Slot>,
    generation: u32,
    /// Requests that did not fit.
    backlog: VecDeque<squeue::Entry>,
    /// Rings of buffers: small ones, large ones.
    groups: [Option<Group>; 2],
    woken: Vec<Waker>,
}

struct Slot {
    generation: u32,
    op: Op,
}

/// What a request belongs to, and what it owns.
pub(super) enum Op {
    Receive(Inbound),
    Send(Box<Outbound>),
}

/// Names a request in its completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpId(u64);

/// Descriptors that the ring polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    Bell,
    Epoll,
}

impl Watched {
    fn user_data(self) -> u64 {
        match self {
            Self::Bell => u64::MAX,
            Self::Epoll => u64::MAX - 1,
        }
    }
}

/// Completions of cancellations say nothing.
const CANCEL: u64 = u64::MAX - 2;

/// What was found in the completion queue.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) bell: bool,
    pub(super) bell_over: bool,
    pub(super) epoll: bool,
    pub(super) epoll_over: bool,
    pub(super) completions: usize,
}

impl Ring {
    /// A ring that this thread alone uses.
    pub(super) fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .dontfork()
            .build(ENTRIES)?;
        Ok(Self(Rc::new(RefCell::new(Inner {
            ring,
            ops: Slab::new(),
            generation: 0,
            backlog: VecDeque::new(),
            groups: [None, None],
            woken: Vec::new(),
        }))))
    }

    /// Polls a descriptor that outlives the ring, edge by edge.
    pub(super) fn watch(&self, fd: RawFd, watched: Watched) {
        let entry = opcode::PollAdd::new(Fd(fd), libc::POLLIN as u32)
            .multi(true)
            .build()
            .user_data(watched.user_data());
        self.0.borrow_mut().push(entry);
    }

    /// Begins an operation; `request` makes the request of what the operation owns by then.
    pub(super) fn begin(&self, op: Op, request: impl FnOnce(&mut Op) -> squeue::Entry) -> OpId {
        let inner = &mut *self.0.borrow_mut();
        inner.generation = inner.generation.wrapping_add(1);
        let generation = inner.generation;
        let index = inner.ops.insert(Slot { generation, op });
        let id = OpId(u64::from(generation) << 32 | index as u64);
        let entry = request(&mut inner.ops[index].op).user_data(id.0);
        inner.push(entry);
        id
    }

    /// Asks the kernel to end an operation; its last completion follows.
    pub(super) fn cancel(&self, id: OpId) {
        let entry = opcode::AsyncCancel::new(id.0).build().user_data(CANCEL);
        self.0.borrow_mut().push(entry);
    }

    /// Has the kernel take what is noted, before a descriptor in it is closed.
    pub(super) fn submit(&self) {
        let inner = &mut *self.0.borrow_mut();
        // What is not taken now is taken by the next wait.
        let _ = inner.submit();
    }

    /// Runs `f` with a group of buffers, made when it is first asked for.
    pub(super) fn with_group<R>(
        &self,
        large: bool,
        packets: &Packets,
        f: impl FnOnce(&mut Group) -> R,
    ) -> io::Result<R> {
        let inner = &mut *self.0.borrow_mut();
        let at = usize::from(large);
        let group = match &mut inner.groups[at] {
            Some(group) => group,
            empty => {
                let group = Group::new(&inner.ring.submitter(), at as u16, large, packets)?;
                empty.insert(group)
            }
        };
        Ok(f(group))
    }

    /// Takes requests to the kernel and waits for a completion.
    pub(super) fn enter(&self, timeout: Option<&Timespec>) -> rustix::io::Result<()> {
        let inner = &mut *self.0.borrow_mut();
        inner.flush_backlog();
        let zero = timeout.is_some_and(|timeout| timeout.tv_sec == 0 && timeout.tv_nsec == 0);
        let waiting = !inner.ring.completion().is_empty();
        let result = if zero || waiting {
            let (noted, work) = {
                let queue = inner.ring.submission();
                (queue.len() as u32, queue.taskrun() || queue.cq_overflow())
            };
            if noted == 0 && !work {
                return Ok(());
            }
            // SAFETY: no argument is given; requests that are noted point to what their operations
            // own.
            unsafe {
                inner
                    .ring
                    .submitter()
                    .enter::<libc::sigset_t>(noted, 0, GET_EVENTS, None)
            }
        } else {
            let timespec = timeout.map(|timeout| {
                RingTimespec::new()
                    .sec(timeout.tv_sec.unsigned_abs())
                    .nsec(u32::try_from(timeout.tv_nsec).unwrap_or(0))
            });
            let mut args = SubmitArgs::new();
            if let Some(timespec) = &timespec {
                args = args.timespec(timespec);
            }
            inner.ring.submitter().submit_with_args(1, &args)
        };
        match result {
            Ok(_) => Ok(()),
            Err(error) => match Errno::from_io_error(&error) {
                // The time is over; a signal; completions have to be taken first.
                Some(Errno::TIME | Errno::INTR | Errno::BUSY | Errno::AGAIN) => Ok(()),
                Some(errno) => Err(errno),
                None => Err(Errno::IO),
            },
        }
    }

    /// Takes completions in, and wakes whom they concern.
    pub(super) fn reap(&self) -> Found {
        let mut found = Found::default();
        let mut woken = {
            let inner = &mut *self.0.borrow_mut();
            inner.reap(&mut found);
            std::mem::take(&mut inner.woken)
        };
        woken.drain(..).for_each(Waker::wake);
        self.0.borrow_mut().woken = woken;
        found
    }
}

impl Inner {
    fn push(&mut self, entry: squeue::Entry) {
        if self.backlog.is_empty() && self.try_push(&entry) {
            return;
        }
        self.backlog.push_back(entry);
        self.flush_backlog();
    }

    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: every entry points to memory that its operation in `ops` owns until its last
        // completion, or to none; descriptors are open when it is taken to the kernel, see
        // `Ring::submit`.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    fn flush_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if !self.try_push(&entry) {
                self.backlog.push_front(entry);
                if self.submit().is_err() || self.ring.submission().is_full() {
                    return;
                }
            }
        }
    }

    fn submit(&mut self) -> io::Result<usize> {
        self.ring.submit()
    }

    fn reap(&mut self, found: &mut Found) {
        // Only what is there now: completions that our answers cause have the next turn.
        let mut left = self.ring.completion().len();
        while left > 0 {
            left -= 1;
            let Some(entry) = self.ring.completion().next() else {
                return;
            };
            let over = !cqueue::more(entry.flags());
            let data = entry.user_data();
            if data == Watched::Bell.user_data() {
                found.bell = true;
                found.bell_over |= over;
            } else if data == Watched::Epoll.user_data() {
                found.epoll = true;
                found.epoll_over |= over;
            } else if data != CANCEL {
                found.completions += 1;
                self.complete(data, &entry, over);
            }
        }
    }

    fn complete(&mut self, data: u64, entry: &cqueue::Entry, over: bool) {
        let (index, generation) = ((data as u32) as usize, (data >> 32) as u32);
        let Some(slot) = self
            .ops
            .get_mut(index)
            .filter(|slot| slot.generation == generation)
        else {
            return;
        };
        let (waker, stop) = match &mut slot.op {
            Op::Receive(inbound) => inbound.complete(entry, over, &mut self.groups),
            Op::Send(outbound) => (outbound.complete(entry, over), false),
        };
        if let Some(waker) = waker
            && !self.woken.last().is_some_and(|last| last.will_wake(&waker))
        {
            self.woken.push(waker);
        }
        if over {
            self.remove(index);
        } else if stop {
            self.push(opcode::AsyncCancel::new(data).build().user_data(CANCEL));
        }
    }

    /// The kernel has done with an operation; those of sending are kept for the next one.
    fn remove(&mut self, index: usize) {
        if let Op::Send(outbound) = self.ops.remove(index).op {
            outbound.keep();
        }
    }

    /// Ends every operation and waits for it; false when the kernel refuses.
    fn quiesce(&mut self) -> bool {
        let _ = self.submit();
        for _ in 0..1000 {
            if self.ops.is_empty() {
                return true;
            }
            let cancelled = self
                .ring
                .submitter()
                .register_sync_cancel(None, CancelBuilder::any());
            let gone = cancelled
                .as_ref()
                .is_err_and(|error| error.raw_os_error() == Some(Errno::NOENT.raw_os_error()));
            if cancelled.is_err() && !gone {
                return false;
            }
            let timeout = RingTimespec::new().nsec(1_000_000);
            let _ = self
                .ring
                .submitter()
                .submit_with_args(1, &SubmitArgs::new().timespec(&timeout));
            self.reap(&mut Found::default());
        }
        false
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.quiesce() {
            return;
        }
        // The kernel may still use what the operations own: it is lost, not freed.
        for slot in self.ops.drain() {
            let _ = std::mem::ManuallyDrop::new(slot);
        }
        for group in self.groups.iter_mut().filter_map(Option::take) {
            let _ = std::mem::ManuallyDrop::new(group);
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.borrow();
        f.debug_struct("Ring")
            .field("operations", &inner.ops.len())
            .field("backlog", &inner.backlog.len())
            .finish_non_exhaustive()
    }
}
