//! The system calls of `/dev/net/tun` (`linux/if_tun.h`).
#![expect(unsafe_code, reason = "ioctl of the tun device has no safe form")]

use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Longest name of a link, its end mark included.
const NAME_LEN: usize = libc::IFNAMSIZ;

/// The part of `struct ifreq` that the tun device looks at.
#[repr(C)]
struct IfReq {
    name: [u8; NAME_LEN],
    flags: libc::c_short,
    rest: [u8; 22],
}

const _: () = assert!(size_of::<IfReq>() == 40);

/// One queue of a tap device, non-blocking, with the virtio-net header in front of each frame.
///
/// The first queue makes the device; `name` is what the kernel is asked for, and what it gave is returned.
pub(super) fn open_queue(name: &str, multi_queue: bool) -> io::Result<(OwnedFd, String)> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open("/dev/net/tun", flags, Mode::empty())?;
    let mut request = IfReq {
        name: [0; NAME_LEN],
        flags: 0,
        rest: [0; 22],
    };
    let bytes = name.as_bytes();
    if bytes.len() >= NAME_LEN {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    request.name[..bytes.len()].copy_from_slice(bytes);
    let mut wanted = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
    if multi_queue {
        wanted |= libc::IFF_MULTI_QUEUE;
    }
    request.flags = wanted as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, which `request` is: 40 bytes, asserted above,
    // alive and unaliased during the call; the descriptor is open.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    check(done)?;
    let end = request
        .name
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_LEN);
    let given = String::from_utf8_lossy(&request.name[..end]).into_owned();
    Ok((fd, given))
}

/// Says what the kernel may leave undone in frames it hands over: checksums, and TCP segmentation.
pub(super) fn set_offload(queue: &OwnedFd, checksum: bool, tcp4: bool) -> io::Result<()> {
    let mut flags = 0;
    if checksum {
        flags |= libc::TUN_F_CSUM;
    }
    if tcp4 {
        flags |= libc::TUN_F_TSO4;
    }
    // SAFETY: TUNSETOFFLOAD takes its argument by value; the descriptor is open.
    check(unsafe {
        libc::ioctl(
            queue.as_raw_fd(),
            libc::TUNSETOFFLOAD,
            libc::c_ulong::from(flags),
        )
    })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
