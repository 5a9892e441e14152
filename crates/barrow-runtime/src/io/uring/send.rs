//! Sending datagrams through the ring.

use std::cell::RefCell;
use std::mem;
use std::num::NonZeroU16;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::task::Waker;

use io_uring::types::Fd;
use io_uring::{cqueue, opcode};
use rustix::io::Errno;

use super::ring::{Op, Ring};
use crate::io::machine::Address;
use crate::io::packet::Packet;
use crate::sys::name::{self, Name, SEGMENT};

/// Payloads from this length on are sent without a copy: below, the second completion and the
/// pinning of pages cost more than the copy.
const ZERO_COPY: usize = 32 << 10;
/// Requests of one socket that the kernel has at most.
const IN_FLIGHT: usize = 128;
/// Operations that are kept for the next send.
const KEPT: usize = 128;

/// The sending end of a socket.
#[derive(Debug)]
pub(in crate::io) struct Sender {
    ring: Ring,
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    done: Vec<Done>,
    waker: Waker,
    #[expect(clippy::vec_box, reason = "what the kernel points to does not move")]
    kept: Vec<Box<Outbound>>,
    /// Somebody waits for room.
    starved: bool,
    /// Somebody waits until nothing is in flight.
    draining: bool,
    /// The socket is gone.
    closed: bool,
}

/// How a send ended.
#[derive(Debug)]
pub(in crate::io) struct Done {
    pub(in crate::io) result: Result<usize, Errno>,
    /// What was sent; given back only where the kernel refused to cut it.
    pub(in crate::io) refused: Option<(Option<Address>, NonZeroU16, Packet)>,
}

/// What a request of sending owns.
pub(super) struct Outbound {
    header: libc::msghdr,
    vector: libc::iovec,
    name: Name,
    control: Control,
    packet: Option<Packet>,
    to: Option<Address>,
    segment: Option<NonZeroU16>,
    state: Rc<RefCell<State>>,
}

#[repr(C, align(8))]
struct Control([u8; SEGMENT]);

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}

impl Sender {
    pub(in crate::io) fn new(ring: &Ring) -> Self {
        Self {
            ring: ring.clone(),
            state: Rc::new(RefCell::new(State {
                in_flight: 0,
                done: Vec::new(),
                waker: Waker::noop().clone(),
                kept: Vec::new(),
                starved: false,
                draining: false,
                closed: false,
            })),
        }
    }

    pub(in crate::io) fn watch(&self, waker: &Waker) {
        self.state.borrow_mut().waker.clone_from(waker);
    }

    /// Whether another request may be noted; if not, the waker is woken when it may.
    pub(in crate::io) fn has_room(&self) -> bool {
        let mut state = self.state.borrow_mut();
        state.starved = state.in_flight >= IN_FLIGHT;
        !state.starved
    }

    /// Whether the kernel has no request; if it has, the waker is woken when that has changed.
    pub(in crate::io) fn is_idle(&self) -> bool {
        let mut state = self.state.borrow_mut();
        state.draining = state.in_flight > 0;
        !state.draining
    }

    /// How sends ended since the last call.
    pub(in crate::io) fn take_done(&self, into: &mut Vec<Done>) {
        into.append(&mut self.state.borrow_mut().done);
    }

    /// Notes a request.
    pub(in crate::io) fn send(
        &self,
        fd: impl AsFd,
        to: Option<Address>,
        segment: Option<NonZeroU16>,
        packet: Packet,
    ) {
        let kept = {
            let mut state = self.state.borrow_mut();
            state.in_flight += 1;
            state.kept.pop()
        };
        let mut outbound = kept.unwrap_or_else(|| Box::new(Outbound::new(&self.state)));
        let zero_copy = packet.len() >= ZERO_COPY;
        outbound.fill(to, segment, packet);
        let fd = Fd(fd.as_fd().as_raw_fd());
        self.ring.begin(Op::Send(outbound), |op| {
            let Op::Send(outbound) = op else {
                unreachable!("the operation is the one above");
            };
            let header = &raw const outbound.header;
            let flags = libc::MSG_NOSIGNAL as u32;
            if zero_copy {
                opcode::SendMsgZc::new(fd, header).flags(flags).build()
            } else {
                opcode::SendMsg::new(fd, header).flags(flags).build()
            }
        });
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let in_flight = {
            let mut state = self.state.borrow_mut();
            state.waker = Waker::noop().clone();
            // What is kept holds the state, and the state it.
            state.closed = true;
            state.kept.clear();
            state.in_flight
        };
        if in_flight > 0 {
            // The descriptor is closed next; what is noted still goes out.
            self.ring.submit();
        }
    }
}

impl Outbound {
    fn new(state: &Rc<RefCell<State>>) -> Self {
        Self {
            // SAFETY: a header of zeros has null pointers with lengths of zero.
            header: unsafe { mem::zeroed() },
            vector: libc::iovec {
                iov_base: std::ptr::null_mut(),
                iov_len: 0,
            },
            name: Name::EMPTY,
            control: Control([0; SEGMENT]),
            packet: None,
            to: None,
            segment: None,
            state: Rc::clone(state),
        }
    }

    /// Makes the header point to the rest of this box, which does not move until the last
    /// completion.
    fn fill(&mut self, to: Option<Address>, segment: Option<NonZeroU16>, packet: Packet) {
        self.vector = libc::iovec {
            iov_base: packet.bytes().as_ptr().cast_mut().cast(),
            iov_len: packet.len(),
        };
        self.header.msg_iov = &raw mut self.vector;
        self.header.msg_iovlen = 1;
        (self.header.msg_name, self.header.msg_namelen) = (std::ptr::null_mut(), 0);
        if let Some(to) = &to {
            self.name.set(to);
            self.header.msg_name = self.name.bytes.as_mut_ptr().cast();
            self.header.msg_namelen = self.name.len;
        }
        (self.header.msg_control, self.header.msg_controllen) = (std::ptr::null_mut(), 0);
        if let Some(size) = segment {
            self.control.0 = name::segment_control(size);
            self.header.msg_control = self.control.0.as_mut_ptr().cast();
            self.header.msg_controllen = SEGMENT as _;
        }
        (self.packet, self.to, self.segment) = (Some(packet), to, segment);
    }

    /// Kept for the next send of its socket.
    pub(super) fn keep(self: Box<Self>) {
        let state = Rc::clone(&self.state);
        let mut state = state.borrow_mut();
        if state.kept.len() < KEPT && !state.closed {
            state.kept.push(self);
        }
    }

    /// The datagram was sent or refused, or the kernel has done with its bytes.
    pub(super) fn complete(&mut self, entry: &cqueue::Entry, over: bool) -> Option<Waker> {
        let state = &mut *self.state.borrow_mut();
        if !cqueue::notif(entry.flags()) {
            let result = usize::try_from(entry.result())
                .map_err(|_| Errno::from_raw_os_error(-entry.result()));
            let cuts = matches!(result, Err(Errno::IO | Errno::INVAL));
            let refused = match (self.segment, cuts && over) {
                (Some(size), true) => self.packet.take().map(|p| (self.to.take(), size, p)),
                _ => None,
            };
            state.done.push(Done { result, refused });
        }
        if over {
            self.packet = None;
            state.in_flight -= 1;
            // Half of the room at once, so that the two do not trade single sends.
            let room = state.starved && state.in_flight <= IN_FLIGHT / 2;
            let failed = state.done.iter().any(|done| done.result.is_err());
            let drained = state.draining && state.in_flight == 0;
            return (room || failed || drained).then(|| state.waker.clone());
        }
        None
    }
}
