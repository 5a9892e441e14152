//! Receiving datagrams: one request for as long as the socket lives.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::task::Waker;

use io_uring::types::Fd;
use io_uring::{cqueue, opcode};
use rustix::io::Errno;

use super::buffers::Group;
use super::ring::{Op, OpId, Ring};
use crate::buf::HEADROOM;
use crate::io::machine::Address;
use crate::io::packet::{LARGE, Packet, Packets};
use crate::sys::name::{self, Control};

/// Bytes for an address in front of each payload,
const NAME: usize = 32;
/// for control messages,
const CONTROL: usize = 64;
/// and for the kernel's header of lengths (`struct io_uring_recvmsg_out`).
const HEADER: usize = 16;
/// All of it lies in the headroom.
pub(super) const LEAD: usize = HEADER + NAME + CONTROL;

const _: () = assert!(LEAD <= HEADROOM);

/// Datagrams that wait for the machine at most: then the kernel is told to stop.
const WAITING: usize = 512;

/// The receiving end of a socket.
#[derive(Debug)]
pub(in crate::io) struct Receiver {
    ring: Ring,
    queue: Rc<RefCell<Queue>>,
    packets: Packets,
    large: bool,
    op: Option<OpId>,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<io::Result<Packet>>,
    waker: Waker,
    /// The kernel has the request.
    armed: bool,
    /// It was asked to end it.
    cancelled: bool,
}

/// What the operation owns.
pub(super) struct Inbound {
    queue: Rc<RefCell<Queue>>,
    /// Told to the kernel: how long names and control messages are.
    header: Box<libc::msghdr>,
    large: bool,
}

/// A datagram as it came.
#[derive(Debug)]
pub(in crate::io) struct Taken {
    pub(in crate::io) data: Packet,
    pub(in crate::io) from: Address,
    pub(in crate::io) control: Control,
    pub(in crate::io) cut: bool,
}

impl Receiver {
    /// Begins to receive from a socket. Its owner drops the receiver before the socket.
    pub(in crate::io) fn new(ring: &Ring, large: bool, packets: &Packets) -> io::Result<Self> {
        // Whether the kernel takes rings of buffers is found out now.
        ring.with_group(large, packets, |_| ())?;
        Ok(Self {
            ring: ring.clone(),
            queue: Rc::new(RefCell::new(Queue {
                waiting: VecDeque::new(),
                waker: Waker::noop().clone(),
                armed: false,
                cancelled: false,
            })),
            packets: packets.clone(),
            large,
            op: None,
        })
    }

    pub(in crate::io) fn watch(&self, waker: &Waker) {
        self.queue.borrow_mut().waker.clone_from(waker);
    }

    /// Has the kernel receive, unless it does, or there is reason not to. False when there is no
    /// buffer.
    pub(in crate::io) fn arm(&mut self, fd: impl AsFd) -> bool {
        {
            let queue = self.queue.borrow();
            if queue.armed || queue.waiting.len() > WAITING / 4 {
                return true;
            }
        }
        let group = self.ring.with_group(self.large, &self.packets, |group| {
            group.refill();
            (!group.is_empty()).then(|| group.id())
        });
        let Ok(Some(group)) = group else {
            return false;
        };
        {
            let mut queue = self.queue.borrow_mut();
            (queue.armed, queue.cancelled) = (true, false);
        }
        // SAFETY: a header of zeros has null pointers with lengths of zero.
        let mut header: Box<libc::msghdr> = Box::new(unsafe { mem::zeroed() });
        header.msg_namelen = NAME as u32;
        header.msg_controllen = CONTROL as _;
        let op = Op::Receive(Inbound {
            queue: Rc::clone(&self.queue),
            header,
            large: self.large,
        });
        let fd = Fd(fd.as_fd().as_raw_fd());
        self.op = Some(self.ring.begin(op, |op| {
            let Op::Receive(inbound) = op else {
                unreachable!("the operation is the one above");
            };
            opcode::RecvMsgMulti::new(fd, &raw const *inbound.header, group).build()
        }));
        true
    }

    /// Length of its packets, as [`Packets::alloc`] takes it.
    pub(in crate::io) fn packet_len(&self) -> usize {
        if self.large { LARGE } else { 1 }
    }

    /// The next datagram that has come.
    pub(in crate::io) fn next(&mut self) -> Option<io::Result<Taken>> {
        let next = self.queue.borrow_mut().waiting.pop_front()?;
        Some(next.and_then(|data| parse(data).ok_or_else(|| Errno::BADMSG.into())))
    }

    /// Buffers that were taken are replaced.
    pub(in crate::io) fn refill(&self) {
        // The group is there.
        let _ = self
            .ring
            .with_group(self.large, &self.packets, Group::refill);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let armed = {
            let mut queue = self.queue.borrow_mut();
            queue.waker = Waker::noop().clone();
            queue.waiting.clear();
            queue.armed
        };
        if let Some(op) = self.op.take().filter(|_| armed) {
            self.ring.cancel(op);
            // The descriptor is closed next.
            self.ring.submit();
        }
    }
}

impl Inbound {
    /// A datagram, an error, or the end of the request. Returns whom to wake, and whether so much
    /// waits that the request is to be ended.
    pub(super) fn complete(
        &mut self,
        entry: &cqueue::Entry,
        over: bool,
        groups: &mut [Option<Group>; 2],
    ) -> (Option<Waker>, bool) {
        let group = groups[usize::from(self.large)].as_mut();
        let packet = cqueue::buffer_select(entry.flags())
            .and_then(|number| group.and_then(|group| group.take(number)));
        let queue = &mut *self.queue.borrow_mut();
        let mut stop = false;
        match usize::try_from(entry.result()) {
            Ok(len) => {
                if let Some(mut packet) = packet {
                    packet.set_view(HEADROOM - LEAD, len);
                    queue.waiting.push_back(Ok(packet));
                    stop = queue.waiting.len() >= WAITING;
                }
            }
            Err(_) => {
                let errno = Errno::from_raw_os_error(-entry.result());
                // Out of buffers: it is asked again when there are some. Cancelled: as we wished.
                if !matches!(errno, Errno::NOBUFS | Errno::CANCELED) {
                    queue.waiting.push_back(Err(errno.into()));
                }
            }
        }
        if over {
            queue.armed = false;
        }
        if stop {
            stop = !mem::replace(&mut queue.cancelled, true);
        }
        (Some(queue.waker.clone()), stop)
    }
}

/// Reads the kernel's header and leaves the payload.
fn parse(mut data: Packet) -> Option<Taken> {
    let bytes = data.bytes();
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let (name_len, control_len, flags) = (word(0)? as usize, word(4)? as usize, word(12)?);
    let name = bytes.get(HEADER..HEADER + NAME)?;
    let control = bytes.get(HEADER + NAME..LEAD)?;
    let from = name::parse(name, name_len);
    let control = name::parse_control(&control[..control_len.min(CONTROL)]);
    let cut = flags & libc::MSG_TRUNC as u32 != 0;
    data.advance(LEAD);
    Some(Taken {
        data,
        from,
        control,
        cut,
    })
}
