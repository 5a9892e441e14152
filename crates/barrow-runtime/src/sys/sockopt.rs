//! Socket options that have no other safe form.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Lets the kernel join datagrams of one sender (`UDP_GRO`, Linux 5.0).
pub(crate) fn set_udp_gro(fd: impl AsFd) -> io::Result<()> {
    set(fd, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Has each datagram come with the address that it was sent to.
pub(crate) fn set_packet_info(fd: impl AsFd, v6: bool) -> io::Result<()> {
    if v6 {
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        set(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

/// Sets an option whose value is a number.
pub(crate) fn set(fd: impl AsFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value is a live number of the length told; the kernel only reads it.
    let done = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<i32>() as u32,
        )
    };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
