//! What a machine gives.

use std::convert::Infallible;
use std::num::NonZeroU16;

use super::address::Address;
use super::event::{Offload, SocketId};
use super::open::Open;
use crate::io::packet::Packet;

/// What a machine wants done. Whatever names a socket that is gone has no effect.
#[derive(Debug)]
pub enum Action<M> {
    /// Say something to another task or thread.
    Message(M),
    /// Open a socket; answered by [`Event::Opened`](super::Event::Opened) or
    /// [`Event::NotOpened`](super::Event::NotOpened).
    Open {
        /// Comes back with the answer.
        tag: u64,
        /// What to open.
        open: Open,
    },
    /// Give up on a socket that is still being opened: a connection that takes long.
    Cancel {
        /// As in [`Action::Open`].
        tag: u64,
    },
    /// Send a datagram, or a piece of a stream.
    Send {
        /// Through which socket.
        socket: SocketId,
        /// To whom.
        to: To,
        /// Send the bytes as several datagrams of this size, the last one shorter.
        segment: Option<NonZeroU16>,
        /// The bytes.
        data: Packet,
    },
    /// Give a packet or frame to a TUN or TAP device.
    Frame {
        /// The device.
        socket: SocketId,
        /// The queue; beyond the last one it wraps around.
        queue: u16,
        /// What is left to the kernel.
        offload: Offload,
        /// The bytes.
        data: Packet,
    },
    /// Send nothing more on a stream, after what is queued; go on receiving.
    Finish {
        /// The stream.
        socket: SocketId,
    },
    /// Send what is queued, then close. Answered by [`Event::Closed`](super::Event::Closed).
    Close {
        /// The socket.
        socket: SocketId,
    },
    /// Close now; what is queued is dropped, and the peer of a TCP stream sees a reset.
    Abort {
        /// The socket.
        socket: SocketId,
    },
    /// Take nothing in from this socket for now; the kernel holds the peer back.
    Pause {
        /// The socket.
        socket: SocketId,
    },
    /// End [`Action::Pause`].
    Resume {
        /// The socket.
        socket: SocketId,
    },
}

/// To whom a socket sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// The one peer of a stream or of a connected datagram socket.
    Peer,
    /// This one.
    One(Address),
    /// Each of these the same payload, which is not copied.
    Many(Box<[Address]>),
}

impl<M> Action<M> {
    /// Apart: a message, or something for the network.
    pub(crate) fn split(self) -> Result<Action<Infallible>, M> {
        Ok(match self {
            Self::Message(message) => return Err(message),
            Self::Open { tag, open } => Action::Open { tag, open },
            Self::Cancel { tag } => Action::Cancel { tag },
            Self::Send {
                socket,
                to,
                segment,
                data,
            } => Action::Send {
                socket,
                to,
                segment,
                data,
            },
            Self::Frame {
                socket,
                queue,
                offload,
                data,
            } => Action::Frame {
                socket,
                queue,
                offload,
                data,
            },
            Self::Finish { socket } => Action::Finish { socket },
            Self::Close { socket } => Action::Close { socket },
            Self::Abort { socket } => Action::Abort { socket },
            Self::Pause { socket } => Action::Pause { socket },
            Self::Resume { socket } => Action::Resume { socket },
        })
    }
}

impl Action<Infallible> {
    /// The same for a machine with messages.
    pub(crate) fn widen<M>(self) -> Action<M> {
        match self {
            Self::Message(never) => match never {},
            Self::Open { tag, open } => Action::Open { tag, open },
            Self::Cancel { tag } => Action::Cancel { tag },
            Self::Send {
                socket,
                to,
                segment,
                data,
            } => Action::Send {
                socket,
                to,
                segment,
                data,
            },
            Self::Frame {
                socket,
                queue,
                offload,
                data,
            } => Action::Frame {
                socket,
                queue,
                offload,
                data,
            },
            Self::Finish { socket } => Action::Finish { socket },
            Self::Close { socket } => Action::Close { socket },
            Self::Abort { socket } => Action::Abort { socket },
            Self::Pause { socket } => Action::Pause { socket },
            Self::Resume { socket } => Action::Resume { socket },
        }
    }
}
