//! Making and removing tap interfaces, both sides.

use super::device::{TapDevice, TapQueue};
use super::sys;
use crate::interface::{
    Capabilities, Framing, InterfaceCounters, InterfaceError, Interfaces, NewInterface,
    RxPlacement, SwIfIndex, random_mac,
};
use crate::virtio::{DeviceQueues, DeviceTx, QueueContext};
use barrow_engine::{ConfigStage, NodeThread, RunningConfig};
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::{Address, LinkChange, Netlink, NetlinkError, Route};
use barrow_runtime::sys::netns::NetNs;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

/// Largest packet of a new tap, in bytes.
const MTU: u32 = 9000;
/// Largest number that a tap can have.
const MAX_ID: u32 = 65_535;
/// Most queues of a tap.
const MAX_QUEUES: u16 = 64;

/// What a tap's link in the kernel is to be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostSide {
    /// Its name; `tapN` without one.
    pub name: Option<String>,
    /// The namespace it is put into: a name under `/run/netns`, or `pid:N`.
    pub namespace: Option<String>,
    /// Its Ethernet address.
    pub mac: Option<MacAddress>,
    /// Its MTU.
    pub mtu: Option<u32>,
    /// Its addresses, each with the bits of its network.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Default routes of its namespace.
    pub gateways: Vec<IpAddr>,
    /// The bridge it becomes a port of.
    pub bridge: Option<String>,
}

/// What a new tap is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTap {
    /// The number in its name; the lowest free one without.
    pub id: Option<u32>,
    /// The address of our side; a random one without.
    pub mac: Option<MacAddress>,
    /// Queues, each for both directions.
    pub queues: u16,
    /// Leave checksums and segmentation to the other side where it can.
    pub offloads: bool,
    /// The link in the kernel.
    pub host: HostSide,
}

/// A tap that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tap {
    /// The number in its name.
    pub id: u32,
    /// Its interface.
    pub interface: SwIfIndex,
    /// Name of the link in the kernel.
    pub host_name: String,
    /// What it was made with.
    pub new: NewTap,
}

/// Why a tap was not made or removed.
#[derive(Debug)]
pub enum TapError {
    /// A tap of this number exists.
    Exists,
    /// No tap can have this number, or none is left.
    Number,
    /// The namespace for the host's side could not be entered.
    Namespace(io::Error),
    /// The interface is none, or no tap.
    NoSuchInterface,
    /// An argument is outside what a tap takes; the text says which.
    Invalid(&'static str),
    /// The table of interfaces refused.
    Interface(InterfaceError),
    /// The kernel refused; the text says what was tried.
    System(&'static str, io::Error),
    /// The kernel's network configuration refused.
    Netlink(NetlinkError),
}

impl TapError {
    /// VPP's error number (`vpp:src/plugins/tap/tap.c`).
    #[must_use]
    pub fn retval(&self) -> i32 {
        match self {
            Self::Invalid(_) => -7,      // INVALID_VALUE
            Self::Exists => -71,         // INVALID_INTERFACE
            Self::Number => -1,          // UNSPECIFIED
            Self::Namespace(_) => -12,   // SYSCALL_ERROR_2
            Self::NoSuchInterface => -2, // INVALID_SW_IF_INDEX
            Self::Interface(error) => error.retval(),
            Self::System(_, _) => -11, // SYSCALL_ERROR_1
            Self::Netlink(_) => -145,  // NETLINK_ERROR
        }
    }
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("tap exists already"),
            Self::Number => f.write_str("no such or no free tap number"),
            Self::Namespace(error) => write!(f, "entering the namespace: {error}"),
            Self::NoSuchInterface => f.write_str("not a tap interface"),
            Self::Invalid(what) => write!(f, "invalid {what}"),
            Self::Interface(error) => error.fmt(f),
            Self::System(what, error) => write!(f, "{what}: {error}"),
            Self::Netlink(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TapError {}

impl From<InterfaceError> for TapError {
    fn from(error: InterfaceError) -> Self {
        Self::Interface(error)
    }
}

impl From<NetlinkError> for TapError {
    fn from(error: NetlinkError) -> Self {
        Self::Netlink(error)
    }
}

/// The taps of a node; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Taps {
    interfaces: Interfaces,
    counters: InterfaceCounters,
    context: QueueContext,
    taps: Rc<RefCell<BTreeMap<u32, Tap>>>,
}

impl fmt::Debug for Taps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Taps")
            .field(&self.taps.borrow().keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Taps {
    pub(super) fn new(
        interfaces: Interfaces,
        counters: InterfaceCounters,
        context: QueueContext,
    ) -> Self {
        Self {
            interfaces,
            counters,
            context,
            taps: Rc::default(),
        }
    }

    /// Makes a tap, down on our side, up on the kernel's.
    ///
    /// # Errors
    /// See [`TapError`]; nothing is left behind.
    pub fn create(&self, new: NewTap) -> Result<SwIfIndex, TapError> {
        let id = self.choose_id(new.id)?;
        if new.queues == 0 || new.queues > MAX_QUEUES {
            return Err(TapError::Invalid("number of queues"));
        }
        let wanted = new.host.name.clone().unwrap_or_else(|| format!("tap{id}"));
        let (queues, given) = open(&wanted, new.queues, new.offloads)?;
        configure(&given, &new.host)?;
        let mac = new.mac.unwrap_or_else(random_mac);
        let others = self.taps.borrow().len();
        let threads = self.context.spread(usize::from(new.queues), others);
        let interface = self.add(id, mac, &threads, queues, new.offloads)?;
        let tap = Tap {
            id,
            interface,
            host_name: wanted,
            new,
        };
        self.taps.borrow_mut().insert(id, tap);
        Ok(interface)
    }

    /// Removes a tap, and with it the link in the kernel.
    ///
    /// # Errors
    /// [`TapError::NoSuchInterface`].
    pub fn delete(&self, interface: SwIfIndex) -> Result<(), TapError> {
        let id = self.of(interface).ok_or(TapError::NoSuchInterface)?.id;
        self.interfaces.delete(interface)?;
        self.taps.borrow_mut().remove(&id);
        Ok(())
    }

    /// The tap of an interface.
    #[must_use]
    pub fn of(&self, interface: SwIfIndex) -> Option<Tap> {
        self.taps
            .borrow()
            .values()
            .find(|tap| tap.interface == interface)
            .cloned()
    }

    /// The tap with the lowest number at or above `from`: the cursor of dumps.
    #[must_use]
    pub fn next(&self, from: u32) -> Option<Tap> {
        self.taps
            .borrow()
            .range(from..)
            .next()
            .map(|(_, tap)| tap.clone())
    }

    /// The commands that make the taps again, both sides.
    pub(super) fn write(&self, config: &mut RunningConfig) {
        for tap in self.taps.borrow().values() {
            let Some(hw) = self.interfaces.hw_of(tap.interface) else {
                continue;
            };
            let (new, host) = (&tap.new, &tap.new.host);
            let mut words = vec![
                format!("id {} hw-addr {}", tap.id, hw.mac),
                format!(
                    "num-rx-queues {} host-if-name {}",
                    new.queues, tap.host_name
                ),
            ];
            let mut option = |word: &str, value: Option<String>| {
                words.extend(value.map(|value| format!("{word} {value}")));
            };
            option("host-ns", host.namespace.clone());
            option("host-mac-addr", host.mac.map(|mac| mac.to_string()));
            option("host-mtu-size", host.mtu.map(|mtu| mtu.to_string()));
            option("host-bridge", host.bridge.clone());
            for (address, len) in &host.addresses {
                let family = if address.is_ipv4() { 4 } else { 6 };
                words.push(format!("host-ip{family}-addr {address}/{len}"));
            }
            for gateway in &host.gateways {
                let family = if gateway.is_ipv4() { 4 } else { 6 };
                words.push(format!("host-ip{family}-gw {gateway}"));
            }
            if new.offloads {
                words.push("gso".to_owned());
            }
            let command = format_args!("create tap {}", words.join(" "));
            config.line(ConfigStage::Interfaces, tap.interface.0, command);
        }
    }

    fn choose_id(&self, wanted: Option<u32>) -> Result<u32, TapError> {
        let taps = self.taps.borrow();
        match wanted {
            Some(id) if id > MAX_ID => Err(TapError::Number),
            Some(id) if taps.contains_key(&id) => Err(TapError::Exists),
            Some(id) => Ok(id),
            None => {
                let free = (0..=MAX_ID).find(|id| !taps.contains_key(id));
                free.ok_or(TapError::Number)
            }
        }
    }

    fn add(
        &self,
        id: u32,
        mac: MacAddress,
        threads: &[usize],
        queues: Vec<TapQueue>,
        offloads: bool,
    ) -> Result<SwIfIndex, TapError> {
        let mode = self.interfaces.default_rx_mode();
        let placement = |thread: &usize| RxPlacement {
            thread: *thread,
            mode,
            node: self.context.input,
        };
        let device = TapDevice(DeviceQueues::new(&self.context, queues.clone()));
        let new = NewInterface {
            name: format!("tap{id}"),
            framing: Framing::Ethernet,
            mac,
            mtu: MTU,
            link_speed: 0,
            capabilities: Capabilities {
                tx_ip4_checksum: false,
                tx_tcp_checksum: offloads,
                tx_udp_checksum: offloads,
                tcp_gso: offloads,
            },
            rx: threads.iter().map(placement).collect(),
            tx: self.context.users(queues.len()),
            device: Box::new(device.clone()),
        };
        let counters = self.counters.clone();
        let sinks: Vec<_> = (0..self.context.control.thread_count())
            .map(|thread| device.0.sink_of(thread))
            .collect();
        let (hw, interface) =
            self.interfaces
                .create(new, move |thread: NodeThread, index: SwIfIndex| {
                    let rows = counters
                        .rows(thread.thread)
                        .expect("every thread has its rows");
                    DeviceTx::new(index, sinks[thread.thread].clone(), rows)
                })?;
        let tx_node = self.interfaces.hw(hw).map(|hw| hw.tx_node);
        let tx_node = tx_node.ok_or(TapError::NoSuchInterface)?;
        let served = device.0.serve(interface, tx_node, queues, threads, mode);
        if let Err(error) = served {
            self.interfaces.delete(interface)?;
            return Err(TapError::System("watching a queue", error));
        }
        self.interfaces.set_link(hw, true)?;
        Ok(interface)
    }
}

/// Opens the queues; the first one makes the device.
fn open(name: &str, queues: u16, offloads: bool) -> Result<(Vec<TapQueue>, String), TapError> {
    let many = queues > 1;
    let mut opened = Vec::with_capacity(usize::from(queues));
    let mut given = name.to_owned();
    for _ in 0..queues {
        let (fd, name) = sys::open_queue(&given, many)
            .map_err(|error| TapError::System("opening /dev/net/tun", error))?;
        sys::set_offload(&fd, offloads, offloads)
            .map_err(|error| TapError::System("setting offloads", error))?;
        given = name;
        opened.push(TapQueue::new(fd));
    }
    Ok((opened, given))
}

/// Makes the kernel's side what it is to be.
fn configure(name: &str, host: &HostSide) -> Result<(), TapError> {
    let system = |what| move |error| TapError::System(what, error);
    let mut here = Netlink::open().map_err(system("opening netlink"))?;
    let link = here
        .link(name)?
        .ok_or(TapError::Invalid("host interface"))?;
    let mut netlink = here;
    let mut index = link.index;
    if let Some(namespace) = &host.namespace {
        let namespace = open_namespace(namespace).map_err(TapError::Namespace)?;
        netlink.change_link(index, LinkChange::new().namespace(&namespace))?;
        netlink = Netlink::open_in(&namespace).map_err(TapError::Namespace)?;
        index = netlink
            .link(name)?
            .ok_or(TapError::Invalid("host interface"))?
            .index;
    }
    let mut change = LinkChange::new();
    if let Some(mac) = host.mac {
        change = change.mac(mac.0);
    }
    if let Some(mtu) = host.mtu {
        change = change.mtu(mtu);
    }
    if let Some(bridge) = &host.bridge {
        let bridge = netlink
            .link(bridge)?
            .ok_or(TapError::Invalid("host bridge"))?;
        change = change.controller(bridge.index);
    }
    netlink.change_link(index, change.up())?;
    for (address, prefix) in &host.addresses {
        netlink.add_address(&Address {
            link: index,
            address: *address,
            prefix: *prefix,
        })?;
    }
    for gateway in &host.gateways {
        let any: IpAddr = match gateway {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        netlink.add_route(&Route::to(any, 0).via(*gateway).out_of(index))?;
    }
    Ok(())
}

fn open_namespace(name: &str) -> io::Result<NetNs> {
    match name.strip_prefix("pid:") {
        Some(pid) => NetNs::open(&format!("/proc/{pid}/ns/net")),
        None => NetNs::open(name),
    }
}
