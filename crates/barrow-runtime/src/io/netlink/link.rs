//! Network devices, as the kernel calls links.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, State,
};

use super::error::NetlinkError;
use super::request::Netlink;

/// A network device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name there.
    pub name: String,
    /// Ethernet address, where it has one.
    pub mac: Option<[u8; 6]>,
    /// Largest packet in bytes, without the Ethernet header.
    pub mtu: u32,
    /// Switched on (`IFF_UP`).
    pub admin_up: bool,
    /// The other end is there too (`IFF_LOWER_UP`): a cable, a peer, a program at a tap.
    pub carrier: bool,
    /// Ready for packets (operational state up, or unknown for devices that do not tell).
    pub running: bool,
    /// Kind of a virtual device ("veth", "tun", "bridge" …); `None` for hardware and the loopback.
    pub kind: Option<String>,
    /// The bridge or bond it is part of.
    pub controller: Option<u32>,
    /// A veth's other end, a VLAN's parent.
    pub peer: Option<u32>,
    /// Number by which this namespace knows the peer's, when that is elsewhere.
    pub peer_namespace: Option<i32>,
}

/// Kinds of devices that can be created.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LinkKind<'a> {
    /// A cable with two ends.
    Veth {
        /// Name of the other end.
        peer: &'a str,
        /// Namespace of the other end; `None` is the one of the connection.
        namespace: Option<BorrowedFd<'a>>,
    },
    /// Takes packets and forgets them.
    Dummy,
    /// A learning bridge.
    Bridge,
    /// A VLAN on another device.
    Vlan {
        /// That device.
        parent: u32,
        /// VLAN number, 1 to 4094.
        id: u16,
    },
}

/// What to change about a device; everything else stays.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct LinkChange<'a> {
    up: Option<bool>,
    mtu: Option<u32>,
    mac: Option<[u8; 6]>,
    name: Option<&'a str>,
    controller: Option<u32>,
    namespace: Option<Target<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Descriptor(BorrowedFd<'a>),
    Process(u32),
}

impl<'a> LinkChange<'a> {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Switches it on.
    pub fn up(self) -> Self {
        Self {
            up: Some(true),
            ..self
        }
    }

    /// Switches it off.
    pub fn down(self) -> Self {
        Self {
            up: Some(false),
            ..self
        }
    }

    /// Sets the largest packet.
    pub fn mtu(self, mtu: u32) -> Self {
        Self {
            mtu: Some(mtu),
            ..self
        }
    }

    /// Sets the Ethernet address.
    pub fn mac(self, mac: [u8; 6]) -> Self {
        Self {
            mac: Some(mac),
            ..self
        }
    }

    /// Renames it.
    pub fn name(self, name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// Makes it part of a bridge or bond; 0 takes it out.
    pub fn controller(self, index: u32) -> Self {
        Self {
            controller: Some(index),
            ..self
        }
    }

    /// Moves it to another network namespace.
    pub fn namespace(self, namespace: &'a impl AsFd) -> Self {
        Self {
            namespace: Some(Target::Descriptor(namespace.as_fd())),
            ..self
        }
    }

    /// Moves it to the network namespace of a process.
    pub fn namespace_of(self, pid: u32) -> Self {
        Self {
            namespace: Some(Target::Process(pid)),
            ..self
        }
    }

    fn write(self, message: &mut LinkMessage) {
        if let Some(up) = self.up {
            message.header.change_mask |= LinkFlags::Up;
            message.header.flags.set(LinkFlags::Up, up);
        }
        let attributes = &mut message.attributes;
        attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.into())));
        attributes.extend(self.name.map(|name| LinkAttribute::IfName(name.into())));
        attributes.extend(self.controller.map(LinkAttribute::Controller));
        attributes.extend(self.namespace.map(|namespace| match namespace {
            Target::Descriptor(fd) => LinkAttribute::NetNsFd(fd.as_raw_fd()),
            Target::Process(pid) => LinkAttribute::NetNsPid(pid),
        }));
    }
}

impl LinkKind<'_> {
    fn write(self, message: &mut LinkMessage) {
        let (kind, data) = match self {
            Self::Veth { peer, namespace } => {
                let mut other = LinkMessage::default();
                other.attributes.push(LinkAttribute::IfName(peer.into()));
                other
                    .attributes
                    .extend(namespace.map(|fd| LinkAttribute::NetNsFd(fd.as_raw_fd())));
                (InfoKind::Veth, Some(InfoData::Veth(InfoVeth::Peer(other))))
            }
            Self::Dummy => (InfoKind::Dummy, None),
            Self::Bridge => (InfoKind::Bridge, None),
            Self::Vlan { parent, id } => {
                message.attributes.push(LinkAttribute::Link(parent));
                (InfoKind::Vlan, Some(InfoData::Vlan(vec![InfoVlan::Id(id)])))
            }
        };
        let info = std::iter::once(LinkInfo::Kind(kind))
            .chain(data.map(LinkInfo::Data))
            .collect();
        message.attributes.push(LinkAttribute::LinkInfo(info));
    }
}

impl Link {
    pub(super) fn read(message: &LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            admin_up: flags.contains(LinkFlags::Up),
            carrier: flags.contains(LinkFlags::LowerUp),
            running: flags.contains(LinkFlags::Running),
            ..Self::default()
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().ok(),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Controller(index) => link.controller = Some(*index),
                LinkAttribute::Link(index) => link.peer = Some(*index),
                LinkAttribute::LinkNetNsId(id) => link.peer_namespace = Some(*id),
                LinkAttribute::OperState(state) => {
                    link.running = matches!(state, State::Up)
                        || matches!(state, State::Unknown) && link.running;
                }
                LinkAttribute::LinkInfo(info) => {
                    link.kind = info.iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        link
    }
}

impl Netlink {
    /// All links.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn links(&mut self) -> Result<Vec<Link>, NetlinkError> {
        self.list("list links", Message::GetLink(LinkMessage::default()), read)
    }

    /// The link with a name, when there is one.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, NetlinkError> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.into()));
        absent(self.ask("find a link", Message::GetLink(message), read))
    }

    /// The link with a number, when there is one.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn link_by_index(&mut self, index: u32) -> Result<Option<Link>, NetlinkError> {
        absent(self.ask("find a link", Message::GetLink(numbered(index)), read))
    }

    /// Changes a link.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn change_link(&mut self, index: u32, change: LinkChange<'_>) -> Result<(), NetlinkError> {
        let mut message = numbered(index);
        change.write(&mut message);
        self.execute("change a link", Message::SetLink(message), 0)
    }

    /// Creates a link with a name and starts it off with these settings.
    ///
    /// # Errors
    /// See [`NetlinkError`]; `AlreadyExists` when the name is taken.
    pub fn create_link(
        &mut self,
        name: &str,
        kind: LinkKind<'_>,
        change: LinkChange<'_>,
    ) -> Result<(), NetlinkError> {
        let mut message = LinkMessage::default();
        change.name(name).write(&mut message);
        kind.write(&mut message);
        self.execute(
            "create a link",
            Message::NewLink(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Deletes a link, and with a veth its other end.
    ///
    /// # Errors
    /// See [`NetlinkError`].
    pub fn delete_link(&mut self, index: u32) -> Result<(), NetlinkError> {
        self.execute("delete a link", Message::DelLink(numbered(index)), 0)
    }
}

fn numbered(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn read(message: Message) -> Option<Link> {
    match message {
        Message::NewLink(link) => Some(Link::read(&link)),
        _ => None,
    }
}

/// "No such device" is an answer, not a failure.
fn absent<R>(result: Result<Option<R>, NetlinkError>) -> Result<Option<R>, NetlinkError> {
    use rustix::io::Errno;
    match result {
        Err(NetlinkError::Refused { source, .. })
            if source.raw_os_error() == Some(Errno::NODEV.raw_os_error()) =>
        {
            Ok(None)
        }
        result => result,
    }
}
