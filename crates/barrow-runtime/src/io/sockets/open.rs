//! Opening what a machine asks for.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, getsockname, socket_with, sockopt,
};

use super::Kind;
use super::datagram::{Datagrams, Unlink};
use super::listener::{Acceptor, Listener, from_any};
use super::queue::Room;
use super::stream::Stream;
use super::tun::Device;
use crate::io::machine::{Address, Open, TcpConnect, TcpListen, Udp, UnixDatagram};
use crate::io::packet::Packets;
use crate::io::reactor::{Reactor, Source};
use crate::io::{tcp, unix};
use crate::signal::Signals;
use crate::sys::sockopt::{set_packet_info, set_udp_gro};

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Something open.
pub(super) struct Opened {
    pub(super) kind: Kind,
    pub(super) local: Address,
    pub(super) note: Option<String>,
    /// The connection is still under way.
    pub(super) pending: bool,
}

impl Opened {
    fn new(kind: Kind, local: Address) -> Self {
        Self {
            kind,
            local,
            note: None,
            pending: false,
        }
    }
}

/// Opens a socket, device or set of signals.
pub(super) fn open(reactor: &Reactor, packets: &Packets, open: Open) -> io::Result<Opened> {
    match open {
        Open::Udp(udp) => open_udp(reactor, packets, &udp),
        Open::TcpListen(listen) => open_tcp_listener(reactor, &listen),
        Open::TcpConnect(connect) => open_tcp_stream(reactor, &connect),
        Open::UnixListen(listen) => {
            let options = unix::Options::default();
            let listener = unix::Listener::bind(reactor, listen.local, options)
                .map_err(io::Error::other)
                .map(|bound| (bound.address().clone(), bound));
            let (local, bound) = listener?;
            let listener = Listener::new(Acceptor::Unix(bound), listen.queue, listen.when_full);
            Ok(Opened::new(Kind::Listener(listener), local.into()))
        }
        Open::UnixConnect(to) => {
            let source = unix::connected(reactor, &to.peer, SocketType::STREAM)?;
            let stream = Stream::new(source, Room::new(to.queue, to.when_full));
            Ok(Opened::new(Kind::Stream(stream), Address::Unnamed))
        }
        Open::UnixDatagram(unix) => open_unix_datagram(reactor, unix),
        Open::Tun(tun) => {
            let (device, note) = Device::open(reactor, &tun)?;
            let mut opened = Opened::new(Kind::Device(device), Address::Unnamed);
            opened.note = note;
            Ok(opened)
        }
        Open::Signals(signals) => {
            let signals = Signals::new(reactor, &signals)?;
            Ok(Opened::new(Kind::Signals(signals), Address::Unnamed))
        }
    }
}

fn internet(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    Ok(socket_with(family, kind, FLAGS, None)?)
}

fn open_udp(reactor: &Reactor, packets: &Packets, udp: &Udp) -> io::Result<Opened> {
    let socket = internet(udp.local, SocketType::DGRAM)?;
    if udp.reuse_port {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    let mut note = None;
    if udp.join
        && let Err(error) = set_udp_gro(&socket)
    {
        note = Some(format!("the kernel does not join datagrams: {error}"));
    }
    if udp.local_address {
        set_packet_info(&socket, udp.local.is_ipv6())?;
    }
    if udp.kernel_buffer > 0 {
        // The kernel cuts this to its limit.
        sockopt::set_socket_recv_buffer_size(&socket, udp.kernel_buffer)?;
        sockopt::set_socket_send_buffer_size(&socket, udp.kernel_buffer)?;
    }
    bind(&socket, &udp.local)?;
    if let Some(peer) = udp.peer {
        connect(&socket, &peer)?;
    }
    let source = reactor.register(socket)?;
    let local = local(&source)?;
    let room = Room::new(udp.queue, udp.when_full);
    let mut datagrams = Datagrams::new(source, room, udp.join, None);
    if let Err(error) = datagrams.use_ring(packets) {
        note = Some(format!("the ring does not receive: {error}"));
    }
    let mut opened = Opened::new(Kind::Datagrams(datagrams), local);
    opened.note = note;
    Ok(opened)
}

fn open_tcp_listener(reactor: &Reactor, listen: &TcpListen) -> io::Result<Opened> {
    let bound = tcp::Listener::bind_with(
        reactor,
        listen.local,
        listen.reuse_port,
        i32::try_from(listen.backlog).unwrap_or(i32::MAX),
    )?;
    let local = bound.local_addr()?.into();
    let listener = Listener::new(Acceptor::Tcp(bound), listen.queue, listen.when_full);
    Ok(Opened::new(Kind::Listener(listener), local))
}

fn open_tcp_stream(reactor: &Reactor, to: &TcpConnect) -> io::Result<Opened> {
    let socket = internet(to.peer, SocketType::STREAM)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Some(local) = to.local {
        bind(&socket, &local)?;
    }
    match connect(&socket, &to.peer) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let source = reactor.register(socket)?;
    let local = local(&source)?;
    let stream = Stream::new(source, Room::new(to.queue, to.when_full));
    let mut opened = Opened::new(Kind::Stream(stream), local);
    opened.pending = true;
    Ok(opened)
}

fn open_unix_datagram(reactor: &Reactor, unix: UnixDatagram) -> io::Result<Opened> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, FLAGS, None)?;
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let mut place = None;
    if let Some(local) = &unix.local {
        bind(&socket, &local.to_socket().map_err(invalid)?)?;
        place = local.path().map(|path| Unlink(path.to_owned()));
    }
    if let Some(peer) = &unix.peer {
        connect(&socket, &peer.to_socket().map_err(invalid)?)?;
    }
    let source = reactor.register(socket)?;
    let room = Room::new(unix.queue, unix.when_full);
    let local = unix.local.map_or(Address::Unnamed, Address::from);
    let datagrams = Datagrams::new(source, room, false, place);
    Ok(Opened::new(Kind::Datagrams(datagrams), local))
}

/// A socket's own address.
pub(super) fn local(source: &Source<OwnedFd>) -> io::Result<Address> {
    Ok(from_any(&getsockname(&**source)?))
}
