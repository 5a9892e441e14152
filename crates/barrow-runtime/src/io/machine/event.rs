//! What a machine takes.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU16;

use super::address::Address;
use crate::io::packet::Packet;
use crate::signal::Signal;

/// A socket of one machine. Never used again for another one: it carries a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// What happens to a machine.
#[derive(Debug)]
pub enum Event<M> {
    /// Another task or thread says something.
    Message(M),
    /// A socket that was asked for is there: listening, bound or connected.
    Opened {
        /// As in [`Action::Open`](super::Action::Open).
        tag: u64,
        /// Its name from now on.
        socket: SocketId,
        /// Its own address; port 0 was filled in.
        local: Address,
        /// A remark on how it was opened: which offload or mode the kernel refused, and why.
        note: Option<String>,
    },
    /// A socket that was asked for cannot be had. `Interrupted`: it was cancelled.
    NotOpened {
        /// As in [`Action::Open`](super::Action::Open).
        tag: u64,
        /// Why.
        error: io::Error,
    },
    /// A listener has a new stream.
    Accepted {
        /// The listener.
        listener: SocketId,
        /// The stream.
        socket: SocketId,
        /// Who it is.
        peer: Address,
    },
    /// A datagram has come, or several of one sender, of one size.
    Datagram(Datagram),
    /// A piece of a stream has come. Never empty.
    Received {
        /// The stream.
        socket: SocketId,
        /// The bytes.
        data: Packet,
    },
    /// A packet or frame from a TUN or TAP device.
    Frame(Frame),
    /// The peer will send nothing more on this stream; it may still read.
    Finished {
        /// The stream.
        socket: SocketId,
    },
    /// There was no room in the queue; here is the packet again. [`Event::Writable`] follows.
    Refused {
        /// The socket.
        socket: SocketId,
        /// What was to be sent.
        data: Packet,
    },
    /// After [`Event::Refused`]: at least half of the queue is free.
    Writable {
        /// The socket.
        socket: SocketId,
    },
    /// Something went wrong with an operation on a socket that lives on: a datagram was too long, a
    /// peer's port is closed, no descriptor was left for a connection.
    Failed {
        /// The socket.
        socket: SocketId,
        /// What.
        error: io::Error,
    },
    /// The socket is gone; the last event that names it. `Ok` when the machine asked for it and
    /// everything was sent.
    Closed {
        /// The socket.
        socket: SocketId,
        /// Why, when it was not the machine's wish.
        result: io::Result<()>,
    },
    /// A signal to the process.
    Signal(Signal),
}

/// A datagram, or a run of them that the kernel joined.
#[derive(Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where it came in.
    pub socket: SocketId,
    /// Who sent it.
    pub from: Address,
    /// The address it was sent to, where the kernel tells.
    pub local: Option<IpAddr>,
    /// Several datagrams are in `data`, each of this many bytes, the last of at most so many.
    pub segment: Option<NonZeroU16>,
    /// The bytes.
    pub data: Packet,
}

impl Datagram {
    /// The payload of each datagram in it.
    pub fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        let len = self
            .segment
            .map_or(usize::MAX, |segment| usize::from(segment.get()));
        // An empty datagram is one too, which `chunks` would not give.
        let empty = self.data.is_empty().then_some(&[][..]);
        self.data.bytes().chunks(len).chain(empty)
    }

    /// How many datagrams are in it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.segment.map_or(1, |segment| {
            self.data.len().div_ceil(usize::from(segment.get())).max(1)
        })
    }
}

/// A packet (TUN) or an Ethernet frame (TAP).
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// The device.
    pub socket: SocketId,
    /// The queue it came from, from 0.
    pub queue: u16,
    /// What the kernel left undone.
    pub offload: Offload,
    /// The bytes.
    pub data: Packet,
}

/// Work on a frame that is left to whoever gets it: the virtio-net header
/// (`linux/virtio_net.h`, `struct virtio_net_hdr`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// `VIRTIO_NET_HDR_F_*`: 1, a checksum is to be computed; 2, it is known to be right.
    pub flags: u8,
    /// `VIRTIO_NET_HDR_GSO_*`: 0 none, 1 TCP over IPv4, 4 TCP over IPv6, 5 UDP.
    pub segmentation: u8,
    /// Bytes of headers in front of each segment.
    pub header_len: u16,
    /// Bytes of payload in each segment.
    pub segment_size: u16,
    /// Where the checksum begins.
    pub checksum_start: u16,
    /// Where it is put, counted from there.
    pub checksum_offset: u16,
}

impl Event<Infallible> {
    /// The same for a machine with messages.
    pub(crate) fn widen<M>(self) -> Event<M> {
        match self {
            Self::Message(never) => match never {},
            Self::Opened {
                tag,
                socket,
                local,
                note,
            } => Event::Opened {
                tag,
                socket,
                local,
                note,
            },
            Self::NotOpened { tag, error } => Event::NotOpened { tag, error },
            Self::Accepted {
                listener,
                socket,
                peer,
            } => Event::Accepted {
                listener,
                socket,
                peer,
            },
            Self::Datagram(datagram) => Event::Datagram(datagram),
            Self::Received { socket, data } => Event::Received { socket, data },
            Self::Frame(frame) => Event::Frame(frame),
            Self::Finished { socket } => Event::Finished { socket },
            Self::Refused { socket, data } => Event::Refused { socket, data },
            Self::Writable { socket } => Event::Writable { socket },
            Self::Failed { socket, error } => Event::Failed { socket, error },
            Self::Closed { socket, result } => Event::Closed { socket, result },
            Self::Signal(signal) => Event::Signal(signal),
        }
    }
}
