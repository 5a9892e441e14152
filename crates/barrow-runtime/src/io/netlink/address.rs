//! Addresses of links.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};

use super::error::NetlinkError;
use super::request::Netlink;
use super::route::family;

/// An address of a link, with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The link.
    pub link: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of the network.
    pub prefix: u8,
}

impl Address {
    pub(super) fn read(message: &AddressMessage) -> Option<Self> {
        // On point-to-point links the local address is our own, and the other attribute the peer's.
        let local = message
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                AddressAttribute::Local(address) => Some(*address),
                _ => None,
            });
        let address = local.or_else(|| {
            message
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    AddressAttribute::Address(address) => Some(*address),
                    _ => None,
                })
        })?;
        Some(Self {
            link: message.header.index,
            address,
            prefix: message.header.prefix_len,
        })
    }

    fn write(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = family(self.address);
        message.header.prefix_len = self.prefix;
        message.header.index = self.link;
        message
            .attributes
            .push(AddressAttribute::Local(self.address));
        message
            .attributes
            .push(AddressAttribute::Address(self.address));
        if self.address.is_ipv6() {
            // Usable at once: nobody else is on the links that this is used for.
            message.header.flags = AddressHeaderFlags::Nodad;
            message
                .attributes
                .push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        message
    }
}

impl Netlink {
    /// All addresses of both families.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn addresses(&mut self) -> Result<Vec<Address>, NetlinkError> {
        self.list(
            "list addresses",
            Message::GetAddress(AddressMessage::default()),
            |message| match message {
                Message::NewAddress(address) => Address::read(&address),
                _ => None,
            },
        )
    }

    /// Gives a link an address; an IPv6 one is usable at once, without looking for duplicates.
    ///
    /// # Errors
    /// See [`NetlinkError`]; `AlreadyExists` when the link has it.
    pub fn add_address(&mut self, address: &Address) -> Result<(), NetlinkError> {
        self.execute(
            "add an address",
            Message::NewAddress(address.write()),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Takes an address from a link.
    ///
    /// # Errors
    /// See [`NetlinkError`]; `AddrNotAvailable` when the link does not have it.
    pub fn delete_address(&mut self, address: &Address) -> Result<(), NetlinkError> {
        self.execute("delete an address", Message::DelAddress(address.write()), 0)
    }
}
