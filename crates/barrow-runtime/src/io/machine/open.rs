//! What a machine can have opened.

use std::net::SocketAddr;

use crate::io::unix;
use crate::signal::Signal;

/// A socket, device or set of signals to open.
#[derive(Clone, Debug)]
pub enum Open {
    /// A UDP socket.
    Udp(Udp),
    /// A TCP listener; its streams come as [`Event::Accepted`](super::Event::Accepted).
    TcpListen(TcpListen),
    /// A TCP stream.
    TcpConnect(TcpConnect),
    /// A UNIX listener.
    UnixListen(UnixListen),
    /// A UNIX stream.
    UnixConnect(UnixConnect),
    /// A UNIX datagram socket.
    UnixDatagram(UnixDatagram),
    /// A TUN or TAP device.
    Tun(Tun),
    /// Signals to the process; they come as [`Event::Signal`](super::Event::Signal).
    Signals(Vec<Signal>),
}

/// What happens to a packet when the queue of its socket is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The machine waits until there is room.
    #[default]
    Wait,
    /// The machine gets it back.
    Refuse,
    /// It is dropped and counted.
    Drop,
}

/// A UDP socket to open.
#[derive(Clone, Debug)]
pub struct Udp {
    /// Where it is bound; port 0 lets the kernel choose.
    pub local: SocketAddr,
    /// The one peer, if there is only one: then it is connected, and hears of closed ports.
    pub peer: Option<SocketAddr>,
    /// Share the address with other sockets of the same user: the kernel spreads senders over them.
    pub reuse_port: bool,
    /// Let the kernel join datagrams of one sender (generic receive offload).
    pub join: bool,
    /// Tell the local address of each datagram, for sockets bound to the wildcard address.
    pub local_address: bool,
    /// Bytes of the kernel's receive and send buffers; 0 leaves its defaults.
    pub kernel_buffer: usize,
    /// Packets that wait to be sent at most.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl Udp {
    /// A plain socket at this address.
    #[must_use]
    pub fn bind(local: SocketAddr) -> Self {
        Self {
            local,
            peer: None,
            reuse_port: false,
            join: false,
            local_address: false,
            kernel_buffer: 0,
            queue: 256,
            when_full: WhenFull::Wait,
        }
    }
}

/// A TCP listener to open.
#[derive(Clone, Debug)]
pub struct TcpListen {
    /// Where; port 0 lets the kernel choose.
    pub local: SocketAddr,
    /// Share the address with other listeners of the same user.
    pub reuse_port: bool,
    /// Connections that the kernel keeps until they are accepted.
    pub backlog: u32,
    /// Bytes that wait to be sent at most, in each stream.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl TcpListen {
    /// A listener at this address.
    #[must_use]
    pub fn bind(local: SocketAddr) -> Self {
        Self {
            local,
            reuse_port: false,
            backlog: 1024,
            queue: STREAM_QUEUE,
            when_full: WhenFull::Wait,
        }
    }
}

/// Bytes that wait in a stream's queue by default.
const STREAM_QUEUE: usize = 256 << 10;

/// A TCP stream to open.
#[derive(Clone, Debug)]
pub struct TcpConnect {
    /// To whom.
    pub peer: SocketAddr,
    /// From which address, if it matters.
    pub local: Option<SocketAddr>,
    /// Bytes that wait to be sent at most.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl TcpConnect {
    /// A stream to this address.
    #[must_use]
    pub fn to(peer: SocketAddr) -> Self {
        Self {
            peer,
            local: None,
            queue: STREAM_QUEUE,
            when_full: WhenFull::Wait,
        }
    }
}

/// A UNIX listener to open. Its path is removed with it.
#[derive(Clone, Debug)]
pub struct UnixListen {
    /// Where.
    pub local: unix::Address,
    /// Bytes that wait to be sent at most, in each stream.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl UnixListen {
    /// A listener at this address.
    #[must_use]
    pub fn bind(local: unix::Address) -> Self {
        Self {
            local,
            queue: STREAM_QUEUE,
            when_full: WhenFull::Wait,
        }
    }
}

/// A UNIX stream to open.
#[derive(Clone, Debug)]
pub struct UnixConnect {
    /// To whom.
    pub peer: unix::Address,
    /// Bytes that wait to be sent at most.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl UnixConnect {
    /// A stream to this address.
    #[must_use]
    pub fn to(peer: unix::Address) -> Self {
        Self {
            peer,
            queue: STREAM_QUEUE,
            when_full: WhenFull::Wait,
        }
    }
}

/// A UNIX datagram socket to open.
#[derive(Clone, Debug)]
pub struct UnixDatagram {
    /// Where, if others are to reach it. A path must not exist yet, and is removed with the socket.
    pub local: Option<unix::Address>,
    /// The one peer, if there is only one.
    pub peer: Option<unix::Address>,
    /// Packets that wait to be sent at most.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl UnixDatagram {
    /// A socket at this address.
    #[must_use]
    pub fn bind(local: unix::Address) -> Self {
        Self {
            local: Some(local),
            peer: None,
            queue: 256,
            when_full: WhenFull::Wait,
        }
    }

    /// A socket without a name that sends to this one.
    #[must_use]
    pub fn to(peer: unix::Address) -> Self {
        Self {
            local: None,
            peer: Some(peer),
            queue: 256,
            when_full: WhenFull::Wait,
        }
    }
}

/// What a device carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// IP packets (TUN).
    Packets,
    /// Ethernet frames (TAP).
    Frames,
}

/// A TUN or TAP device to open. It exists as long as it is open.
///
/// It is made without addresses and down; [`netlink`](crate::io::netlink) gives it both.
#[derive(Clone, Debug)]
pub struct Tun {
    /// Its name, at most 15 bytes; a `%d` in it is replaced by a number.
    pub name: String,
    /// What it carries.
    pub mode: Mode,
    /// Queues, 1 to 256: the kernel keeps each flow on one of them.
    pub queues: u16,
    /// Packets carry an [`Offload`](super::Offload), and may be up to 64 KiB long: the kernel leaves
    /// checksums and segmentation to the machine.
    pub offload: bool,
    /// Packets that wait for the kernel at most, in each queue.
    pub queue: usize,
    /// What then.
    pub when_full: WhenFull,
}

impl Tun {
    /// A TUN device with one queue, without offloads.
    #[must_use]
    pub fn packets(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            mode: Mode::Packets,
            queues: 1,
            offload: false,
            queue: 256,
            when_full: WhenFull::Wait,
        }
    }

    /// A TAP device with one queue, without offloads.
    #[must_use]
    pub fn frames(name: impl Into<String>) -> Self {
        Self {
            mode: Mode::Frames,
            ..Self::packets(name)
        }
    }
}
