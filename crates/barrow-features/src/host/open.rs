//! What a host interface is to be, and opening its sockets on a link.

use super::HostError;
use super::ring::{Geometry, RxRing, TxSocket};
use crate::virtio::Frames;
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::{Link, LinkChange, Netlink};
use std::io;

/// Longest name of a link (`IFNAMSIZ`, less the byte that ends it).
const LONGEST_NAME: usize = libc::IFNAMSIZ - 1;
/// Most queues of a host interface, in each direction.
const MAX_QUEUES: u16 = 64;

/// What a new host interface is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewHost {
    /// The name of the kernel's link.
    pub link: String,
    /// The address of the interface; a random one without.
    pub mac: Option<MacAddress>,
    /// The link has no link headers: bare IPv4 packets go over it, as over a tun.
    pub bare_ip: bool,
    /// Receive queues, among which the kernel divides frames by flow.
    pub rx_queues: u16,
    /// Transmit queues, among which threads are divided.
    pub tx_queues: u16,
    /// Bytes of a slot of a receive ring; 0 for as many as a packet of the link's MTU takes.
    pub rx_frame_size: u32,
    /// Slots in a block of a receive ring; 0 for what fits in a mebibyte.
    pub rx_frames_per_block: u32,
    /// Send past the link's queueing discipline.
    pub qdisc_bypass: bool,
    /// Leave checksums and segmentation of what is sent to the kernel.
    pub offloads: bool,
}

impl NewHost {
    /// A link with VPP's usual settings.
    #[must_use]
    pub fn of(link: &str) -> Self {
        Self {
            link: link.to_owned(),
            mac: None,
            bare_ip: false,
            rx_queues: 1,
            tx_queues: 1,
            rx_frame_size: 0,
            rx_frames_per_block: 0,
            qdisc_bypass: true,
            offloads: true,
        }
    }

    /// Refuses what no host interface can be.
    pub(super) fn check(&self) -> Result<(), HostError> {
        if self.link.is_empty() || self.link.len() > LONGEST_NAME {
            return Err(HostError::NoSuchLink);
        }
        self.geometry(1500)
            .ok_or(HostError::Invalid("size of the receive ring"))?;
        let queues = 1..=MAX_QUEUES;
        if !queues.contains(&self.rx_queues) || !queues.contains(&self.tx_queues) {
            return Err(HostError::Invalid("number of queues"));
        }
        if self.mac.is_some_and(|mac| mac.0[0] & 1 != 0) {
            return Err(HostError::Invalid("mac address"));
        }
        Ok(())
    }

    fn geometry(&self, mtu: u32) -> Option<Geometry> {
        Geometry::new(mtu, self.rx_frame_size, self.rx_frames_per_block)
    }
}

/// The sockets of a host interface, bound to its link.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) rings: Vec<RxRing>,
    pub(super) sockets: Vec<TxSocket>,
}

impl Opened {
    /// Opens them.
    pub(super) fn new(new: &NewHost, link: &Link) -> io::Result<Self> {
        let geometry = new.geometry(link.mtu);
        let geometry = geometry.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let frames = if new.bare_ip {
            Frames::Ip4
        } else {
            Frames::Ethernet
        };
        let sockets = (0..new.tx_queues).map(|_| TxSocket::open(link.index, new.qdisc_bypass));
        Ok(Self {
            rings: RxRing::open_all(link.index, geometry, frames, new.rx_queues)?,
            sockets: sockets.collect::<io::Result<_>>()?,
        })
    }
}

/// The link of a name, up.
pub(super) fn take_up(name: &str) -> Result<Link, HostError> {
    let opening = |error| HostError::System("opening netlink", error);
    let mut netlink = Netlink::open().map_err(opening)?;
    let link = netlink.link(name)?.ok_or(HostError::NoSuchLink)?;
    if link.admin_up {
        return Ok(link);
    }
    netlink.change_link(link.index, LinkChange::new().up())?;
    netlink
        .link_by_index(link.index)?
        .ok_or(HostError::NoSuchLink)
}
