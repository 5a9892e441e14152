//! The system calls of `/dev/net/tun` (`linux/if_tun.h`).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

/// Longest name of a link, its end mark included.
const NAME_LEN: usize = libc::IFNAMSIZ;

/// The part of `struct ifreq` that the device looks at.
#[repr(C)]
struct Request {
    name: [u8; NAME_LEN],
    flags: libc::c_short,
    rest: [u8; 22],
}

const _: () = assert!(size_of::<Request>() == 40);

/// What a queue is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Ethernet frames rather than IP packets.
    pub(crate) frames: bool,
    /// One of several queues.
    pub(crate) multi_queue: bool,
    /// Packets carry a virtio-net header.
    pub(crate) header: bool,
}

/// Bytes of the header in front of each packet.
pub(crate) const HEADER: usize = 10;

/// One queue, non-blocking; the first one makes the device. Returns its name too, which the kernel
/// may have completed.
pub(crate) fn open_queue(name: &str, kind: Kind) -> io::Result<(OwnedFd, String)> {
    let bytes = name.as_bytes();
    if bytes.len() >= NAME_LEN || bytes.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open("/dev/net/tun", flags, Mode::empty())?;
    let mut wanted = libc::IFF_NO_PI;
    wanted |= if kind.frames {
        libc::IFF_TAP
    } else {
        libc::IFF_TUN
    };
    if kind.multi_queue {
        wanted |= libc::IFF_MULTI_QUEUE;
    }
    if kind.header {
        wanted |= libc::IFF_VNET_HDR;
    }
    let mut request = Request {
        name: [0; NAME_LEN],
        flags: wanted as libc::c_short,
        rest: [0; 22],
    };
    request.name[..bytes.len()].copy_from_slice(bytes);
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, which `request` is: 40 bytes, asserted
    // above, alive and unaliased during the call; the descriptor is open.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })?;
    let end = request.name.iter().position(|&byte| byte == 0);
    let given = &request.name[..end.unwrap_or(NAME_LEN)];
    Ok((fd, String::from_utf8_lossy(given).into_owned()))
}

/// Tells the kernel to leave checksums and segmentation of TCP, over IPv4 and IPv6, to us; and of
/// UDP where it can (Linux 6.2). Returns whether UDP is among it.
pub(crate) fn set_offload(queue: &OwnedFd) -> io::Result<bool> {
    // TUN_F_USO4 and TUN_F_USO6.
    const UDP: u32 = 0x20 | 0x40;
    let tcp = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
    let set = |flags: u32| {
        let flags = libc::c_ulong::from(flags);
        // SAFETY: TUNSETOFFLOAD takes its argument by value; the descriptor is open.
        check(unsafe { libc::ioctl(queue.as_raw_fd(), libc::TUNSETOFFLOAD, flags) })
    };
    match set(tcp | UDP) {
        Ok(()) => Ok(true),
        Err(_) => set(tcp).map(|()| false),
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
