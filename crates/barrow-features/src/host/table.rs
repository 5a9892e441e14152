//! Which links are used by host interfaces; making and removing these.

use super::device::HostDevice;
use super::open::{Opened, take_up};
use super::{HostError, NewHost};
use crate::interface::{
    Capabilities, Framing, InterfaceCounters, Interfaces, NewInterface, RxPlacement, SwIfIndex,
    random_mac,
};
use crate::linkwatch::LinkWatch;
use crate::virtio::{DeviceQueues, DeviceTx, QueueContext};
use barrow_engine::{ConfigStage, NodeThread, RunningConfig};
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::Link;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A host interface that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its interface.
    pub interface: SwIfIndex,
    /// The name that the kernel's link had when the interface was made.
    pub link: String,
}

/// What each host interface was made with.
pub(super) type Made = Rc<RefCell<BTreeMap<SwIfIndex, NewHost>>>;

/// The host interfaces of a node; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Hosts {
    interfaces: Interfaces,
    counters: InterfaceCounters,
    context: QueueContext,
    links: LinkWatch,
    made: Made,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hosts").field(&self.made.borrow()).finish()
    }
}

impl Hosts {
    pub(super) fn new(
        interfaces: Interfaces,
        counters: InterfaceCounters,
        context: QueueContext,
        links: LinkWatch,
    ) -> Self {
        Self {
            interfaces,
            counters,
            context,
            links,
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
        new.check()?;
        let link = take_up(&new.link)?;
        let opened = Opened::new(new, &link);
        self.add(
            new,
            &link,
            opened.map_err(|error| HostError::System("opening a packet socket", error))?,
        )
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
        let made = self.made.borrow();
        let mut used = made.iter().filter(|(_, new)| new.link == link);
        used.next().map(|(index, _)| *index)
    }

    /// The host interface with the lowest index at or above `from`: the cursor of dumps.
    #[must_use]
    pub fn next(&self, from: SwIfIndex) -> Option<Host> {
        let made = self.made.borrow();
        let (interface, new) = made.range(from..).next()?;
        Some(Host {
            interface: *interface,
            link: new.link.clone(),
        })
    }

    /// The commands that make the host interfaces again, on the links of these names.
    pub(super) fn write(&self, config: &mut RunningConfig) {
        let made = self.made.borrow();
        for (index, new) in made.iter() {
            let Some(hw) = self.interfaces.hw_of(*index) else {
                continue;
            };
            let mut words = format!("name {}", new.link);
            if new.bare_ip {
                words.push_str(" mode ip");
            } else {
                words.push_str(&format!(" hw-addr {}", hw.mac));
            }
            let (rx, tx) = (new.rx_queues, new.tx_queues);
            words.push_str(&format!(" num-rx-queues {rx} num-tx-queues {tx}"));
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

    fn add(&self, new: &NewHost, link: &Link, opened: Opened) -> Result<SwIfIndex, HostError> {
        let Opened { rings, sockets } = opened;
        let others = self.made.borrow().len();
        let threads = self.context.spread(rings.len(), others);
        let mode = self.interfaces.default_rx_mode();
        let placement = |thread: &usize| RxPlacement {
            thread: *thread,
            mode,
            node: self.context.input,
        };
        let tx = self.context.users(sockets.len());
        let queues = DeviceQueues::new(&self.context, sockets);
        let sinks: Vec<_> = (0..self.context.control.thread_count())
            .map(|thread| queues.sink_of(thread))
            .collect();
        let device = HostDevice::new(queues, link, self.links.clone(), self.made.clone());
        let (framing, mac) = if new.bare_ip {
            (Framing::Ip4, MacAddress::default())
        } else {
            (Framing::Ethernet, new.mac.unwrap_or_else(random_mac))
        };
        let described = NewInterface {
            name: format!("host-{}", new.link),
            framing,
            mac,
            mtu: link.mtu,
            link_speed: 0,
            capabilities: Capabilities {
                tx_ip4_checksum: false,
                tx_tcp_checksum: new.offloads,
                tx_udp_checksum: new.offloads,
                tcp_gso: new.offloads,
            },
            rx: threads.iter().map(placement).collect(),
            tx,
            device: Box::new(device.clone()),
        };
        let counters = self.counters.clone();
        let (hw, interface) =
            self.interfaces
                .create(described, move |thread: NodeThread, index: SwIfIndex| {
                    let rows = counters
                        .rows(thread.thread)
                        .expect("every thread has its rows");
                    DeviceTx::new(index, sinks[thread.thread].clone(), rows)
                })?;
        self.made.borrow_mut().insert(interface, new.clone());
        let tx_node = self.interfaces.hw(hw).map(|hw| hw.tx_node);
        let tx_node = tx_node.ok_or(HostError::NotUsed)?;
        let served = device
            .queues()
            .serve(interface, tx_node, rings, &threads, mode);
        if let Err(error) = served {
            self.interfaces.delete(interface)?;
            return Err(HostError::System("watching a queue", error));
        }
        self.links.follow(link, hw, Rc::new(device));
        Ok(interface)
    }
}
