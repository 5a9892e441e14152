//! What the tables ask of interfaces and of the neighbour table.

use super::Rewrite;
use crate::fib::AddressFamily;
use crate::interface::SwIfIndex;
use std::net::IpAddr;

/// Where a link header leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// To one station.
    Station([u8; 6]),
    /// To the only other end of a point-to-point link.
    Peer,
    /// To all stations, with an IP packet behind it.
    Broadcast,
    /// To all stations, with a question for an address behind it (ARP for IPv4).
    Question,
}

/// How packets leave an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Output {
    /// The longest packet of the family, in bytes, link header not counted.
    pub mtu: u16,
    /// Index of the node that packets go to after the rewrite.
    pub node: u16,
    /// Whether output features are on.
    pub features: bool,
}

/// Interfaces, as adjacencies and paths see them. Main thread only.
pub trait Links {
    /// Whether the interface exists.
    fn exists(&self, interface: SwIfIndex) -> bool;

    /// Whether packets can leave: admin up and link up.
    fn is_up(&self, interface: SwIfIndex) -> bool;

    /// Whether the link has one other end only, so that nobody is asked for.
    fn is_point_to_point(&self, interface: SwIfIndex) -> bool {
        let _ = interface;
        false
    }

    /// The interface that this one borrows its address from.
    fn unnumbered_to(&self, interface: SwIfIndex) -> Option<SwIfIndex> {
        let _ = interface;
        None
    }

    /// The name that clients see.
    fn name(&self, interface: SwIfIndex) -> String;

    /// How packets of a family leave.
    fn output(&self, interface: SwIfIndex, family: AddressFamily) -> Output;

    /// The link header. `None` if the link cannot reach there: packets are dropped.
    fn rewrite(&self, interface: SwIfIndex, family: AddressFamily, to: Reach) -> Option<Rewrite>;
}

/// The neighbour table, as adjacencies see it. Main thread only.
pub trait Neighbours {
    /// The station that has the address on the link, if it is known.
    fn station(&self, interface: SwIfIndex, address: IpAddr) -> Option<[u8; 6]>;
}

/// A neighbour table without entries.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNeighbours;

impl Neighbours for NoNeighbours {
    fn station(&self, _interface: SwIfIndex, _address: IpAddr) -> Option<[u8; 6]> {
        None
    }
}
