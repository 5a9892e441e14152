//! Neighbours of the kernel.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};

use super::error::NetlinkError;
use super::request::Netlink;
use super::route::family;

/// How far the kernel is with resolving a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NeighborState {
    /// Asked for, not answered yet.
    Incomplete,
    /// Confirmed of late.
    Reachable,
    /// Known, not confirmed of late; includes the states in which it is asked again.
    Stale,
    /// Did not answer.
    Failed,
    /// Set by hand, or needs no resolution.
    Permanent,
    /// None of these, by the kernel's number.
    Other(u16),
}

/// A neighbour on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neighbor {
    /// The link.
    pub link: u32,
    /// Its network address.
    pub address: IpAddr,
    /// Its Ethernet address, when known.
    pub mac: Option<[u8; 6]>,
    /// How far resolving it is.
    pub state: NeighborState,
}

impl Neighbor {
    pub(super) fn read(message: &NeighbourMessage) -> Option<Self> {
        let (mut address, mut mac) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => {
                    address = Some(IpAddr::V4(*v4))
                }
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => {
                    address = Some(IpAddr::V6(*v6))
                }
                NeighbourAttribute::LinkLayerAddress(bytes) => {
                    mac = bytes.as_slice().try_into().ok()
                }
                _ => {}
            }
        }
        let state = match message.header.state {
            NeighbourState::Incomplete => NeighborState::Incomplete,
            NeighbourState::Reachable => NeighborState::Reachable,
            NeighbourState::Stale | NeighbourState::Delay | NeighbourState::Probe => {
                NeighborState::Stale
            }
            NeighbourState::Failed => NeighborState::Failed,
            NeighbourState::Permanent | NeighbourState::Noarp => NeighborState::Permanent,
            other => NeighborState::Other(other.into()),
        };
        Some(Self {
            link: message.header.ifindex,
            address: address?,
            mac,
            state,
        })
    }
}

impl Netlink {
    /// All neighbours of both families.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn neighbors(&mut self) -> Result<Vec<Neighbor>, NetlinkError> {
        let message = Message::GetNeighbour(NeighbourMessage::default());
        self.list("list neighbours", message, |message| match message {
            Message::NewNeighbour(neighbor) => Neighbor::read(&neighbor),
            _ => None,
        })
    }

    /// Sets a neighbour for good, in place of what was known.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn set_neighbor(
        &mut self,
        link: u32,
        address: IpAddr,
        mac: [u8; 6],
    ) -> Result<(), NetlinkError> {
        let mut message = neighbor(link, address);
        message.header.state = NeighbourState::Permanent;
        message
            .attributes
            .push(NeighbourAttribute::LinkLayerAddress(mac.into()));
        self.execute(
            "set a neighbour",
            Message::NewNeighbour(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Forgets a neighbour.
    ///
    /// # Errors
    /// See [`NetlinkError`]; `NotFound` when there is none.
    pub fn delete_neighbor(&mut self, link: u32, address: IpAddr) -> Result<(), NetlinkError> {
        self.execute(
            "delete a neighbour",
            Message::DelNeighbour(neighbor(link, address)),
            0,
        )
    }
}

fn neighbor(link: u32, address: IpAddr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = family(address);
    message.header.ifindex = link;
    message
        .attributes
        .push(NeighbourAttribute::Destination(match address {
            IpAddr::V4(address) => NeighbourAddress::Inet(address),
            IpAddr::V6(address) => NeighbourAddress::Inet6(address),
        }));
    message
}
