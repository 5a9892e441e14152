//! io_uring: the ring is the one sleep of its thread, and datagrams go through it.
//!
//! - [`Poller`] waits. Whatever is not a datagram socket stays with an epoll, which the ring watches
//!   by one multishot poll; the bell has one of its own, so that a wake costs no epoll call. Timeouts
//!   are the ring's, to the nanosecond.
//! - [`Receiver`] receives the datagrams of one socket by **one** multishot request, for as long as it
//!   lives. The kernel takes buffers from a ring of them ([`buffers`]) and puts the sender's address
//!   and control messages into their headroom, so a payload lies where packets have theirs and goes
//!   to the machine without a copy.
//! - [`Sender`] sends: requests are only noted, and go to the kernel with the next wait: one system
//!   call a turn for everything. Large payloads go without a copy (`SENDMSG_ZC`).
//!
//! # Who owns memory that the kernel uses
//!
//! Every request has an operation in [`ring`], which owns what the request points to, until the
//! completion that says it is the last. Dropping a receiver or sender cancels, it does not free.
//! When the ring itself is dropped it cancels everything and waits; should the kernel refuse, the
//! memory is leaked rather than given to others.

mod buffers;
mod poller;
mod receive;
mod ring;
mod send;

pub(super) use poller::Poller;
pub(super) use receive::Receiver;
pub(super) use ring::Ring;
pub(super) use send::{Done, Sender};
