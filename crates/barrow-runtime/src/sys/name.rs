//! Socket addresses and control messages as the kernel lays them out, read and written as bytes.
//!
//! Layouts: `linux/in.h`, `linux/in6.h`, `linux/un.h`, and `struct cmsghdr` in `linux/socket.h`. All
//! functions are total: the kernel writes these bytes, and nothing here relies on that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZeroU16;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::io::machine::Address;
use crate::io::unix;

/// Room for any address here: `sockaddr_un` is the longest, with 110 bytes.
pub(crate) const NAME: usize = 112;

/// An address as the kernel takes it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Name {
    pub(crate) bytes: [u8; NAME],
    pub(crate) len: u32,
}

impl Name {
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; NAME],
        len: 0,
    };

    /// Writes an address; a peer without a name has length 0.
    pub(crate) fn set(&mut self, address: &Address) {
        let family = |bytes: &mut [u8; NAME], family: i32| {
            bytes[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        };
        match address {
            Address::Internet(SocketAddr::V4(v4)) => {
                family(&mut self.bytes, libc::AF_INET);
                self.bytes[2..4].copy_from_slice(&v4.port().to_be_bytes());
                self.bytes[4..8].copy_from_slice(&v4.ip().octets());
                self.bytes[8..16].fill(0);
                self.len = 16;
            }
            Address::Internet(SocketAddr::V6(v6)) => {
                family(&mut self.bytes, libc::AF_INET6);
                self.bytes[2..4].copy_from_slice(&v6.port().to_be_bytes());
                self.bytes[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
                self.bytes[8..24].copy_from_slice(&v6.ip().octets());
                self.bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                self.len = 28;
            }
            Address::Unix(unix) => {
                family(&mut self.bytes, libc::AF_UNIX);
                let (lead, name) = match &**unix {
                    unix::Address::Path(path) => (2, path.as_os_str().as_bytes()),
                    unix::Address::Abstract(name) => (3, &name[..]),
                };
                // Addresses are checked when they are made; a longer one reaches nobody.
                let len = name.len().min(NAME - 2 - lead);
                self.bytes[2] = 0;
                self.bytes[lead..lead + len].copy_from_slice(&name[..len]);
                let end = lead + len;
                self.bytes[end] = 0;
                self.len = (end + usize::from(lead == 2)) as u32;
            }
            Address::Unnamed => self.len = 0,
        }
    }
}

/// Reads an address of `len` bytes.
pub(crate) fn parse(bytes: &[u8], len: usize) -> Address {
    let bytes = &bytes[..len.min(bytes.len())];
    let Some(family) = array(bytes, 0).map(u16::from_ne_bytes) else {
        return Address::Unnamed;
    };
    let internet = match i32::from(family) {
        libc::AF_INET => v4(bytes).map(SocketAddr::V4),
        libc::AF_INET6 => v6(bytes).map(SocketAddr::V6),
        libc::AF_UNIX => return named(&bytes[2..]),
        _ => None,
    };
    internet.map_or(Address::Unnamed, Address::Internet)
}

fn v4(bytes: &[u8]) -> Option<SocketAddrV4> {
    let port = u16::from_be_bytes(array(bytes, 2)?);
    let ip: [u8; 4] = array(bytes, 4)?;
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), port))
}

fn v6(bytes: &[u8]) -> Option<SocketAddrV6> {
    let port = u16::from_be_bytes(array(bytes, 2)?);
    let flow = u32::from_be_bytes(array(bytes, 4)?);
    let ip: [u8; 16] = array(bytes, 8)?;
    let scope = u32::from_ne_bytes(array(bytes, 24)?);
    Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope))
}

fn named(name: &[u8]) -> Address {
    match name {
        [] => Address::Unnamed,
        [0, name @ ..] => unix::Address::Abstract(name.to_vec()).into(),
        path => {
            let end = path.iter().position(|&b| b == 0).unwrap_or(path.len());
            let path = std::ffi::OsString::from_vec(path[..end].to_vec());
            unix::Address::Path(path.into()).into()
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// What control messages say of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// The address it was sent to (`IP_PKTINFO`, `IPV6_PKTINFO`).
    pub(crate) local: Option<IpAddr>,
    /// The size of each when several were joined (`UDP_GRO`).
    pub(crate) segment: Option<NonZeroU16>,
}

/// Bytes of a control message's header.
const HEADER: usize = 16;
/// Room for the two control messages that a datagram comes with.
pub(crate) const CONTROL: usize = 96;

/// Reads control messages.
pub(crate) fn parse_control(mut bytes: &[u8]) -> Control {
    let mut control = Control::default();
    while let (Some(len), Some(level), Some(kind)) = (
        array(bytes, 0).map(usize::from_ne_bytes),
        array(bytes, 8).map(i32::from_ne_bytes),
        array(bytes, 12).map(i32::from_ne_bytes),
    ) {
        let Some(data) = bytes.get(HEADER..len) else {
            break;
        };
        match (level, kind) {
            // struct in_pktinfo: interface, local address, address in the header
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                control.local = array::<4>(data, 8).map(|ip| Ipv4Addr::from(ip).into());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                control.local = array::<16>(data, 0).map(|ip| Ipv6Addr::from(ip).into());
            }
            (libc::IPPROTO_UDP, libc::UDP_GRO) => {
                let size = array(data, 0).map(i32::from_ne_bytes);
                control.segment = size
                    .and_then(|size| u16::try_from(size).ok())
                    .and_then(NonZeroU16::new);
            }
            _ => {}
        }
        bytes = bytes.get(len.next_multiple_of(8)..).unwrap_or(&[]);
    }
    control
}

/// The control message that has the kernel cut a payload into datagrams of this size
/// (`UDP_SEGMENT`); all of the array goes to the kernel.
pub(crate) fn segment_control(size: NonZeroU16) -> [u8; SEGMENT] {
    let mut bytes = [0; SEGMENT];
    bytes[..8].copy_from_slice(&(HEADER + 2).to_ne_bytes());
    bytes[8..12].copy_from_slice(&libc::IPPROTO_UDP.to_ne_bytes());
    bytes[12..16].copy_from_slice(&libc::UDP_SEGMENT.to_ne_bytes());
    bytes[16..18].copy_from_slice(&size.get().to_ne_bytes());
    bytes
}

/// Bytes of [`segment_control`].
pub(crate) const SEGMENT: usize = 24;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_survive_the_kernels_form() {
        let mut name = Name::EMPTY;
        for address in [
            Address::Internet("192.0.2.1:53".parse().unwrap()),
            Address::Internet("[2001:db8::1]:65535".parse().unwrap()),
            Address::Internet(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 2, 3).into()),
            unix::Address::Path("/run/x".into()).into(),
            unix::Address::Abstract(b"a\0b".into()).into(),
            Address::Unnamed,
        ] {
            name.set(&address);
            assert_eq!(parse(&name.bytes, name.len as usize), address);
        }
    }

    #[test]
    fn a_segment_size_is_told_and_read_alike() {
        let size = NonZeroU16::new(1400).unwrap();
        let mut bytes = segment_control(size);
        // The kernel answers with another type and a wider number.
        bytes[..8].copy_from_slice(&20usize.to_ne_bytes());
        bytes[12..16].copy_from_slice(&libc::UDP_GRO.to_ne_bytes());
        assert_eq!(parse_control(&bytes).segment, Some(size));
    }

    proptest! {
        #[test]
        fn never_panics_whatever_the_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), len in 0usize..300) {
            let _ = parse(&bytes, len);
            let _ = parse_control(&bytes);
        }
    }
}
