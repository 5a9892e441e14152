//! Which links are used by host interfaces; making and removing these.

use super::HostError;
use super::device::HostDevice;
use super::ring::{Geometry, RxRing, TxSocket};
use crate::interface::{
    Capabilities, Framing, InterfaceCounters, Interfaces, NewInterface, RxMode, RxPlacement,
    SwIfIndex,
};
use crate::linkwatch::LinkWatch;
use crate::virtio::DeviceTx;
use barrow_engine::log::Class;
use barrow_engine::{ConfigStage, Control, NodeId, NodeThread, RunningConfig};
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::{Link, LinkChange, Netlink};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::rc::Rc;

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
    /// Receive queues, among which the kernel divides frames by flow.
    pub rx_queues: u16,
    /// Transmit queues, among which threads are divided.
    pub tx_queues: u16,
    /// Bytes of a slot of a receive ring; 0 for as many as the longest segmented frame takes.
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
            rx_queues: 1,
            tx_queues: 1,
            rx_frame_size: 0,
            rx_frames_per_block: 0,
            qdisc_bypass: true,
            offloads: true,
        }
    }
}

/// A host interface that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its interface.
    pub interface: SwIfIndex,
    /// The name that the kernel's link had when the interface was made.
    pub link: String,
}

/// The links in use.
pub(super) type Used = Rc<RefCell<BTreeMap<SwIfIndex, String>>>;

/// The host interfaces of a node; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Hosts {
    interfaces: Interfaces,
    counters: InterfaceCounters,
    control: Control,
    input: NodeId,
    links: LinkWatch,
    log: Class,
    used: Used,
    /// What each was made with; kept beyond its end, until its index is used again.
    made: Rc<RefCell<BTreeMap<SwIfIndex, NewHost>>>,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hosts").field(&self.used.borrow()).finish()
    }
}

impl Hosts {
    pub(super) fn new(
        interfaces: Interfaces,
        counters: InterfaceCounters,
        control: Control,
        input: NodeId,
        links: LinkWatch,
        log: Class,
    ) -> Self {
        Self {
            interfaces,
            counters,
            control,
            input,
            links,
            log,
            used: Rc::default(),
            made: Rc::default(),
        }
    }

    /// Makes `host-NAME`, down; the kernel's link is taken up, since nothing can be bound to one that is
    /// down.
    ///
    /// # Errors
    /// See [`HostError`]; nothing is left behind but the link, up.
    pub fn create(&self, new: &NewHost) -> Result<SwIfIndex, HostError> {
        if let Some(index) = self.by_link(&new.link) {
            return Err(HostError::Exists(index));
        }
        if new.link.is_empty() || new.link.len() > LONGEST_NAME {
            return Err(HostError::NoSuchLink);
        }
        let geometry = Geometry::new(new.rx_frame_size, new.rx_frames_per_block)
            .ok_or(HostError::Invalid("size of the receive ring"))?;
        let queues = 1..=MAX_QUEUES;
        if !queues.contains(&new.rx_queues) || !queues.contains(&new.tx_queues) {
            return Err(HostError::Invalid("number of queues"));
        }
        if new.mac.is_some_and(|mac| mac.0[0] & 1 != 0) {
            return Err(HostError::Invalid("mac address"));
        }
        let link = take_up(&new.link)?;
        let opening = |error| HostError::System("opening a packet socket", error);
        let rings = RxRing::open_all(link.index, geometry, new.rx_queues).map_err(opening)?;
        let sockets: io::Result<Vec<_>> = (0..new.tx_queues)
            .map(|_| TxSocket::open(link.index, new.qdisc_bypass))
            .collect();
        self.add(new, &link, rings, sockets.map_err(opening)?)
    }

    /// Removes the host interface that uses a link. The link stays, and is taken down if the interface
    /// was up.
    ///
    /// # Errors
    /// [`HostError::NotUsed`].
    pub fn delete(&self, link: &str) -> Result<(), HostError> {
        let index = self.by_link(link).ok_or(HostError::NotUsed)?;
        Ok(self.interfaces.delete(index)?)
    }

    /// The interface that uses a link.
    #[must_use]
    pub fn by_link(&self, link: &str) -> Option<SwIfIndex> {
        let used = self.used.borrow();
        used.iter()
            .find(|(_, name)| *name == link)
            .map(|(index, _)| *index)
    }

    /// The host interface with the lowest index at or above `from`: the cursor of dumps.
    #[must_use]
    pub fn next(&self, from: SwIfIndex) -> Option<Host> {
        let used = self.used.borrow();
        let (interface, link) = used.range(from..).next()?;
        Some(Host {
            interface: *interface,
            link: link.clone(),
        })
    }

    /// The commands that make the host interfaces again, on the links of these names.
    pub(super) fn write(&self, config: &mut RunningConfig) {
        let made = self.made.borrow();
        for index in self.used.borrow().keys() {
            let (Some(hw), Some(new)) = (self.interfaces.hw_of(*index), made.get(index)) else {
                continue;
            };
            let (link, mac) = (&new.link, hw.mac);
            let (rx, tx) = (new.rx_queues, new.tx_queues);
            let mut words =
                format!("name {link} hw-addr {mac} num-rx-queues {rx} num-tx-queues {tx}");
            let sizes = [
                ("rx-size", new.rx_frame_size),
                ("rx-per-block", new.rx_frames_per_block),
            ];
            for (word, size) in sizes.into_iter().filter(|(_, size)| *size != 0) {
                words.push_str(&format!(" {word} {size}"));
            }
            if !new.qdisc_bypass {
                words.push_str(" qdisc-bypass-disable");
            }
            if !new.offloads {
                words.push_str(" cksum-gso-disable");
            }
            let command = format_args!("create host-interface {words}");
            config.line(ConfigStage::Interfaces, index.0, command);
        }
    }

    /// Spreads queues over the workers, or gives them all to main where there is none.
    fn place(&self, queues: usize) -> Vec<usize> {
        let workers = self.control.thread_count() - 1;
        let begin = self.used.borrow().len();
        let thread = |queue| match workers {
            0 => 0,
            workers => 1 + (begin + queue) % workers,
        };
        (0..queues).map(thread).collect()
    }

    fn add(
        &self,
        new: &NewHost,
        link: &Link,
        rings: Vec<RxRing>,
        sockets: Vec<TxSocket>,
    ) -> Result<SwIfIndex, HostError> {
        let threads = self.place(rings.len());
        let placement = |thread: &usize| RxPlacement {
            thread: *thread,
            mode: RxMode::Interrupt,
            node: self.input,
        };
        let used_by = |queue| {
            let all = 0..self.control.thread_count();
            all.filter(|thread| thread % sockets.len() == queue)
                .collect()
        };
        let device = HostDevice::new(
            self.control.clone(),
            self.input,
            link,
            self.links.clone(),
            self.used.clone(),
            self.log.clone(),
        );
        let described = NewInterface {
            name: format!("host-{}", new.link),
            framing: Framing::Ethernet,
            mac: new.mac.unwrap_or_else(random_mac),
            mtu: link.mtu,
            link_speed: 0,
            capabilities: Capabilities {
                tx_ip4_checksum: false,
                tx_tcp_checksum: new.offloads,
                tx_udp_checksum: new.offloads,
                tcp_gso: new.offloads,
            },
            rx: threads.iter().map(placement).collect(),
            tx: (0..sockets.len()).map(used_by).collect(),
            device: Box::new(device.clone()),
        };
        let counters = self.counters.clone();
        let (hw, interface) =
            self.interfaces
                .create(described, move |thread: NodeThread, index: SwIfIndex| {
                    let rows = counters
                        .rows(thread.thread)
                        .expect("every thread has its rows");
                    DeviceTx::new(index, sockets[thread.thread % sockets.len()].clone(), rows)
                })?;
        self.used.borrow_mut().insert(interface, new.link.clone());
        self.made.borrow_mut().insert(interface, new.clone());
        if let Err(error) = device.serve(interface, rings, &threads) {
            self.interfaces.delete(interface)?;
            return Err(HostError::System("watching a queue", error));
        }
        self.links.follow(link, hw);
        Ok(interface)
    }
}

/// The link of a name, up.
fn take_up(name: &str) -> Result<Link, HostError> {
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

/// A locally administered address that no other interface has, but for bad luck.
fn random_mac() -> MacAddress {
    use std::hash::{BuildHasher, Hasher};
    let random = std::hash::RandomState::new()
        .build_hasher()
        .finish()
        .to_ne_bytes();
    MacAddress([0x02, 0xfe, random[0], random[1], random[2], random[3]])
}
