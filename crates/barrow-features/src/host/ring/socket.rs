//! The system calls of packet sockets that have no safe form.
#![expect(
    unsafe_code,
    reason = "options and addresses of packet sockets have no safe form"
)]

use super::receive::Geometry;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Bytes of frames that may wait in a socket's queue, of those that are longer than a slot.
const QUEUE_SIZE: c_int = 16 << 20;
/// Frames of every protocol (`ETH_P_ALL`).
const EVERY_PROTOCOL: u16 = libc::ETH_P_ALL as u16;

/// A packet socket for whole frames, each behind a virtio-net header; it neither blocks nor outlives this
/// program.
#[derive(Debug)]
pub(super) struct PacketSocket(OwnedFd);

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl PacketSocket {
    /// A socket that receives nothing yet.
    pub(super) fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        let socket = Self(fd);
        socket.set(libc::PACKET_VNET_HDR, &1)?;
        Ok(socket)
    }

    /// Sends on a link from now on, and receives nothing.
    pub(super) fn bind_to_send(&self, link: u32) -> io::Result<()> {
        self.bind(link, 0)
    }

    /// Sends on a link and receives every frame that comes in on it.
    pub(super) fn bind_to_receive(&self, link: u32) -> io::Result<()> {
        self.set(libc::PACKET_IGNORE_OUTGOING, &1)?;
        self.bind(link, EVERY_PROTOCOL)
    }

    /// Sends past the link's queueing discipline, or through it.
    pub(super) fn set_qdisc_bypass(&self, on: bool) -> io::Result<()> {
        self.set(libc::PACKET_QDISC_BYPASS, &c_int::from(on))
    }

    /// Asks for a receive ring of version 2; before the socket receives.
    pub(super) fn make_ring(&self, geometry: &Geometry) -> io::Result<()> {
        self.set(
            libc::PACKET_VERSION,
            &(libc::tpacket_versions::TPACKET_V2 as c_int),
        )?;
        let request = libc::tpacket_req {
            tp_block_size: geometry.block_size(),
            tp_block_nr: geometry.blocks(),
            tp_frame_size: geometry.frame_size(),
            tp_frame_nr: geometry.frames(),
        };
        self.set(libc::PACKET_RX_RING, &request)?;
        // A frame that a slot is too small for goes to the socket's queue, if that has room for it; the
        // kernel may allow less than asked for, and then fewer of them wait.
        self.set(libc::PACKET_COPY_THRESH, &1)?;
        if rustix::net::sockopt::set_socket_recv_buffer_size_force(&self.0, QUEUE_SIZE as usize)
            .is_err()
        {
            rustix::net::sockopt::set_socket_recv_buffer_size(&self.0, QUEUE_SIZE as usize)?;
        }
        Ok(())
    }

    /// Frames that the kernel had no slot for since this was asked last.
    pub(super) fn dropped(&self) -> io::Result<u64> {
        let stats: libc::tpacket_stats = self.get(libc::PACKET_STATISTICS)?;
        Ok(stats.tp_drops.into())
    }

    /// Receives frames to any address while this socket is there.
    pub(super) fn be_promiscuous(&self, link: u32) -> io::Result<()> {
        let membership = libc::packet_mreq {
            mr_ifindex: index(link)?,
            mr_type: libc::PACKET_MR_PROMISC as _,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::PACKET_ADD_MEMBERSHIP, &membership)
    }

    /// Shares a link's frames with other sockets, by flow: founds a group and tells its number, or joins
    /// one. The socket receives already.
    pub(super) fn share(&self, group: Option<u16>) -> io::Result<u16> {
        let hash = libc::PACKET_FANOUT_HASH;
        let founds = libc::PACKET_FANOUT_FLAG_UNIQUEID;
        let wanted = match group {
            Some(group) => u32::from(group) | hash << 16,
            None => (hash | founds) << 16,
        };
        self.set(libc::PACKET_FANOUT, &wanted)?;
        match group {
            Some(group) => Ok(group),
            None => Ok(self.fanout()? as u16),
        }
    }

    /// The group in the lower half, its kind in the upper half.
    fn fanout(&self) -> io::Result<c_int> {
        self.get(libc::PACKET_FANOUT)
    }

    fn get<T: ReadableOption>(&self, option: c_int) -> io::Result<T> {
        let mut value = T::ZERO;
        let mut len = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `len` bytes, which is what `value` has, and any bytes are a
        // value of a `ReadableOption`; both are alive and unaliased during the call, and the descriptor is
        // open.
        let done = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                option,
                (&raw mut value).cast(),
                &raw mut len,
            )
        };
        check(done).map(|()| value)
    }

    fn set<T: PlainOption>(&self, option: c_int, value: &T) -> io::Result<()> {
        let len = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads at most `len` bytes from `value`, which has that many and, as a
        // `PlainOption`, none of them uninitialised; the descriptor is open.
        let done = unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                option,
                (&raw const *value).cast(),
                len,
            )
        };
        check(done)
    }

    fn bind(&self, link: u32, protocol: u16) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: protocol.to_be(),
            sll_ifindex: index(link)?,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel reads `len` bytes of an address of exactly that size; the descriptor is open.
        let done = unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) };
        check(done)
    }
}

/// Values of options: plain numbers without padding.
trait PlainOption {}

impl PlainOption for c_int {}
impl PlainOption for u32 {}
impl PlainOption for libc::tpacket_req {}
impl PlainOption for libc::packet_mreq {}

/// Options that can be read: any bytes are a value.
trait ReadableOption {
    /// A value to be written over.
    const ZERO: Self;
}

impl ReadableOption for c_int {
    const ZERO: Self = 0;
}

impl ReadableOption for libc::tpacket_stats {
    const ZERO: Self = Self {
        tp_packets: 0,
        tp_drops: 0,
    };
}

fn index(link: u32) -> io::Result<c_int> {
    c_int::try_from(link).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
