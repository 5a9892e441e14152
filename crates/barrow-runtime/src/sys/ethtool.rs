//! Offloads of network devices, by the kernel's ethtool call.
//!
//! Constants are those of Linux's `linux/ethtool.h` and `linux/sockios.h`.

use std::ffi::c_void;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

const SIOCETHTOOL: Opcode = 0x8946;
/// Bytes in a device's name, with the NUL.
const NAME: usize = 16;

/// What a network device does on behalf of the sender and receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// Checks checksums of received packets.
    pub rx_checksum: bool,
    /// Fills in checksums of sent packets.
    pub tx_checksum: bool,
    /// Sends from scattered memory.
    pub scatter_gather: bool,
    /// Segments TCP in the device.
    pub tso: bool,
    /// Segments late, in software.
    pub gso: bool,
    /// Merges received packets.
    pub gro: bool,
}

/// One offload: how it is read, how it is set, where it is kept.
struct Feature {
    get: u32,
    set: u32,
    field: fn(&mut Offloads) -> &mut bool,
}

/// In the order in which switching off succeeds: what depends on checksums goes before them.
const FEATURES: [Feature; 6] = [
    Feature {
        get: 0x1e,
        set: 0x1f,
        field: |o| &mut o.tso,
    },
    Feature {
        get: 0x23,
        set: 0x24,
        field: |o| &mut o.gso,
    },
    Feature {
        get: 0x2b,
        set: 0x2c,
        field: |o| &mut o.gro,
    },
    Feature {
        get: 0x18,
        set: 0x19,
        field: |o| &mut o.scatter_gather,
    },
    Feature {
        get: 0x14,
        set: 0x15,
        field: |o| &mut o.rx_checksum,
    },
    Feature {
        get: 0x16,
        set: 0x17,
        field: |o| &mut o.tx_checksum,
    },
];

impl Offloads {
    /// Every packet as it is on the wire: what tests that look at bytes want.
    pub const NONE: Self = Self {
        rx_checksum: false,
        tx_checksum: false,
        scatter_gather: false,
        tso: false,
        gso: false,
        gro: false,
    };
    /// Everything that can be left to the device.
    pub const ALL: Self = Self {
        rx_checksum: true,
        tx_checksum: true,
        scatter_gather: true,
        tso: true,
        gso: true,
        gro: true,
    };
}

/// Reads the offloads of a device of this thread's network namespace. What a device does not know
/// counts as off.
///
/// # Errors
/// `NotFound` or `ENODEV` when there is no such device; else the kernel's answer.
pub fn offloads(device: &str) -> io::Result<Offloads> {
    let call = Call::new(device)?;
    let mut offloads = Offloads::NONE;
    for feature in &FEATURES {
        *(feature.field)(&mut offloads) = call.get(feature)?;
    }
    Ok(offloads)
}

/// Switches the offloads of a device of this thread's network namespace; only those that differ are
/// touched.
///
/// # Errors
/// As [`offloads`]; and `EOPNOTSUPP` or `EINVAL` where the device cannot switch one.
pub fn set_offloads(device: &str, to: Offloads) -> io::Result<()> {
    let call = Call::new(device)?;
    let mut to = to;
    let (on, off): (Vec<_>, Vec<_>) = FEATURES
        .iter()
        .partition(|feature| *(feature.field)(&mut to));
    // Checksums first when switching on, last when switching off.
    for feature in off {
        call.set(feature, false)?;
    }
    for feature in on.into_iter().rev() {
        call.set(feature, true)?;
    }
    Ok(())
}

/// A socket to ask through, and the device asked about.
struct Call {
    socket: OwnedFd,
    name: [u8; NAME],
}

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// `struct ifreq`, with the union's pointer member and its remaining bytes.
#[repr(C)]
struct Request {
    name: [u8; NAME],
    data: *mut Value,
    rest: [u8; 16],
}

impl Call {
    fn new(device: &str) -> io::Result<Self> {
        let mut name = [0; NAME];
        if device.len() >= NAME || device.contains('\0') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a device's name has at most 15 bytes",
            ));
        }
        name[..device.len()].copy_from_slice(device.as_bytes());
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok(Self { socket, name })
    }

    fn get(&self, feature: &Feature) -> io::Result<bool> {
        match self.exchange(feature.get, 0) {
            Ok(value) => Ok(value != 0),
            Err(Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn set(&self, feature: &Feature, on: bool) -> io::Result<()> {
        if self.get(feature)? != on {
            self.exchange(feature.set, on.into())?;
        }
        Ok(())
    }

    fn exchange(&self, command: u32, data: u32) -> Result<u32, Errno> {
        let mut value = Value { command, data };
        let mut request = Request {
            name: self.name,
            data: &raw mut value,
            rest: [0; 16],
        };
        // SAFETY: the operation takes a pointer to `ifreq`, whose data points to an `ethtool_value`
        // for these commands; both are live, writable, and have the kernel's layout.
        unsafe { ioctl(&self.socket, Ethtool(&mut request)) }?;
        Ok(value.data)
    }
}

/// `SIOCETHTOOL` as an operation of rustix.
struct Ethtool<'a>(&'a mut Request);

// SAFETY: the opcode takes a pointer to `ifreq`, which `as_ptr` gives; the call's result carries
// nothing.
unsafe impl Ioctl for Ethtool<'_> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        SIOCETHTOOL
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut *self.0).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_kernels_size() {
        assert_eq!(size_of::<Request>(), 40);
        assert_eq!(size_of::<Value>(), 8);
    }

    #[test]
    fn the_loopback_device_tells_its_offloads() {
        match offloads("lo") {
            Ok(offloads) => assert!(
                offloads.tx_checksum,
                "the loopback device never computes checksums"
            ),
            Err(error) => eprintln!("skipped: {error}"),
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_an_error() {
        assert!(offloads("no-such-dev").is_err());
        assert_eq!(
            offloads("a-name-of-far-too-many").unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }
}
