//! Routes of the kernel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage as Message};

use super::error::NetlinkError;
use super::request::Netlink;

/// What happens to packets of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// They go to the gateway or link.
    #[default]
    Unicast,
    /// They are for this host.
    Local,
    /// They are dropped.
    Blackhole,
    /// They are answered "unreachable".
    Unreachable,
    /// They are answered "prohibited".
    Prohibit,
    /// Another of the kernel's kinds, by its number.
    Other(u8),
}

/// A route with one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// Network that it leads to.
    pub destination: IpAddr,
    /// Bits of that network; 0 is the default route.
    pub prefix: u8,
    /// Next hop.
    pub gateway: Option<IpAddr>,
    /// Link that it goes out of.
    pub link: Option<u32>,
    /// Source address that the host's own packets get.
    pub source: Option<IpAddr>,
    /// Number of the routing table.
    pub table: u32,
    /// Of several, the lowest counts.
    pub metric: Option<u32>,
    /// What happens to the packets.
    pub kind: RouteKind,
}

impl Route {
    /// The table that routes are in unless they are told otherwise.
    pub const MAIN: u32 = RouteHeader::RT_TABLE_MAIN as u32;

    /// A route to a network, without a path yet, in the main table.
    #[must_use]
    pub const fn to(destination: IpAddr, prefix: u8) -> Self {
        Self {
            destination,
            prefix,
            gateway: None,
            link: None,
            source: None,
            table: Self::MAIN,
            metric: None,
            kind: RouteKind::Unicast,
        }
    }

    /// By way of a gateway.
    #[must_use]
    pub const fn via(self, gateway: IpAddr) -> Self {
        Self {
            gateway: Some(gateway),
            ..self
        }
    }

    /// Out of a link.
    #[must_use]
    pub const fn out_of(self, link: u32) -> Self {
        Self {
            link: Some(link),
            ..self
        }
    }

    pub(super) fn read(message: &RouteMessage) -> Option<Self> {
        let header = &message.header;
        let unspecified = match header.address_family {
            AddressFamily::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            AddressFamily::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => return None,
        };
        let mut route = Self {
            table: header.table.into(),
            kind: header.kind.into(),
            ..Self::to(unspecified, header.destination_prefix_length)
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(to) => route.destination = ip(to)?,
                RouteAttribute::Gateway(via) => route.gateway = ip(via),
                RouteAttribute::PrefSource(source) => route.source = ip(source),
                RouteAttribute::Oif(link) => route.link = Some(*link),
                RouteAttribute::Priority(metric) => route.metric = Some(*metric),
                RouteAttribute::Table(table) => route.table = *table,
                // The first of several paths stands for them.
                RouteAttribute::MultiPath(paths) => {
                    let first = paths.first()?;
                    route.link = Some(first.interface_index);
                    route.gateway = first
                        .attributes
                        .iter()
                        .find_map(|attribute| match attribute {
                            RouteAttribute::Gateway(via) => ip(via),
                            _ => None,
                        });
                }
                _ => {}
            }
        }
        Some(route)
    }

    fn write(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = family(self.destination);
        header.destination_prefix_length = self.prefix;
        header.protocol = RouteProtocol::Static;
        header.kind = self.kind.into();
        header.scope = match (self.kind, self.gateway) {
            (RouteKind::Unicast, None) => RouteScope::Link,
            (RouteKind::Local, _) => RouteScope::Host,
            _ => RouteScope::Universe,
        };
        header.table = u8::try_from(self.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC);
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Table(self.table));
        if self.prefix > 0 {
            attributes.push(RouteAttribute::Destination(self.destination.into()));
        }
        attributes.extend(self.gateway.map(|via| RouteAttribute::Gateway(via.into())));
        attributes.extend(
            self.source
                .map(|source| RouteAttribute::PrefSource(source.into())),
        );
        attributes.extend(self.link.map(RouteAttribute::Oif));
        attributes.extend(self.metric.map(RouteAttribute::Priority));
        message
    }
}

impl From<RouteType> for RouteKind {
    fn from(kind: RouteType) -> Self {
        match kind {
            RouteType::Unicast => Self::Unicast,
            RouteType::Local => Self::Local,
            RouteType::BlackHole => Self::Blackhole,
            RouteType::Unreachable => Self::Unreachable,
            RouteType::Prohibit => Self::Prohibit,
            other => Self::Other(other.into()),
        }
    }
}

impl From<RouteKind> for RouteType {
    fn from(kind: RouteKind) -> Self {
        match kind {
            RouteKind::Unicast => Self::Unicast,
            RouteKind::Local => Self::Local,
            RouteKind::Blackhole => Self::BlackHole,
            RouteKind::Unreachable => Self::Unreachable,
            RouteKind::Prohibit => Self::Prohibit,
            RouteKind::Other(number) => number.into(),
        }
    }
}

impl Netlink {
    /// All routes of both families, in all tables.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn routes(&mut self) -> Result<Vec<Route>, NetlinkError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            routes.extend(
                self.list(
                    "list routes",
                    Message::GetRoute(message),
                    |message| match message {
                        Message::NewRoute(route) => Route::read(&route),
                        _ => None,
                    },
                )?,
            );
        }
        Ok(routes)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// See [`NetlinkError`]; `AlreadyExists` when there is one to that network with that metric.
    pub fn add_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        self.execute(
            "add a route",
            Message::NewRoute(route.write()),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Adds a route, in place of the one to that network with that metric.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn replace_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        self.execute(
            "replace a route",
            Message::NewRoute(route.write()),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Deletes a route.
    ///
    /// # Errors
    /// See [`NetlinkError`]; "no such process" is how the kernel says that there is none.
    pub fn delete_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        self.execute("delete a route", Message::DelRoute(route.write()), 0)
    }
}

pub(super) fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
