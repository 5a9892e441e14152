//! Two hosts and the node that routes between them.

use crate::{Netns, Node, Skip, Veth};
use std::net::Ipv4Addr;

/// How a host is attached to the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attach {
    /// By a tap that the node makes, offloads on.
    Tap,
    /// By a veth whose near end the node uses as a host interface.
    Host,
}

/// A host, and what it is attached by.
#[derive(Debug)]
pub struct Side {
    /// The host.
    pub netns: Netns,
    /// The node's interface.
    pub interface: String,
    /// The host's link.
    pub link: String,
    /// The near end of a veth, in the namespace of the node.
    pub near: Option<String>,
    /// The host's address.
    pub address: Ipv4Addr,
    /// The node's address on the interface.
    pub gateway: Ipv4Addr,
}

/// A node in a namespace of its own, between hosts; host `n` is 10.n.0.2/24, its gateway 10.n.0.1.
#[derive(Debug)]
pub struct Routed {
    // In front of the namespaces: it ends first.
    /// The node.
    pub node: Node,
    /// The hosts, in the order of the builder.
    pub sides: Vec<Side>,
    /// The namespace of the node.
    pub router: Netns,
}

/// What a [`Routed`] is to be.
#[derive(Clone, Debug)]
pub struct RoutedBuilder {
    hosts: Vec<Attach>,
    config: String,
    mtu: Option<u32>,
    queues: u16,
    veth_offloads: bool,
}

impl RoutedBuilder {
    /// Sections of the node's start-up configuration.
    #[must_use]
    pub fn config(mut self, sections: &str) -> Self {
        sections.clone_into(&mut self.config);
        self
    }

    /// The MTU of every link and interface, instead of what is usual.
    #[must_use]
    pub fn mtu(mut self, mtu: u32) -> Self {
        self.mtu = Some(mtu);
        self
    }

    /// Receive queues of each interface, instead of one.
    #[must_use]
    pub fn queues(mut self, queues: u16) -> Self {
        self.queues = queues;
        self
    }

    /// Switches the offloads of veth links off, so that each packet on them is one of the link's size and
    /// whole.
    #[must_use]
    pub fn without_veth_offloads(mut self) -> Self {
        self.veth_offloads = false;
        self
    }

    /// Makes all of it.
    ///
    /// # Errors
    /// A reason to skip.
    ///
    /// # Panics
    /// When the node refuses something.
    #[track_caller]
    pub fn start(self) -> Result<Routed, Skip> {
        let router = Netns::new("router")?;
        let mut sides = Vec::new();
        for (n, attach) in self.hosts.iter().enumerate() {
            let netns = Netns::new(&format!("host{n}"))?;
            let (interface, link, near) = match attach {
                Attach::Tap => (format!("tap{n}"), format!("t{n}"), None),
                Attach::Host => self.cable(n, &router, &netns)?,
            };
            sides.push(Side {
                netns,
                interface,
                link,
                near,
                address: Ipv4Addr::new(10, n as u8, 0, 2),
                gateway: Ipv4Addr::new(10, n as u8, 0, 1),
            });
        }
        let node = Node::builder()
            .netns(&router)
            .config(&self.config)
            .start()?;
        for (n, side) in sides.iter().enumerate() {
            self.attach(n, side, &node);
        }
        Ok(Routed {
            node,
            sides,
            router,
        })
    }

    /// Lays a veth and gives its far end the host's address.
    fn cable(
        &self,
        n: usize,
        router: &Netns,
        host: &Netns,
    ) -> Result<(String, String, Option<String>), Skip> {
        let veth = Veth::new(router, host);
        for (netns, link) in [(router, &veth.left), (host, &veth.right)] {
            netns.deliver_in_order(link);
            if let Some(mtu) = self.mtu {
                netns.ip(&format!("link set {link} mtu {mtu}"));
            }
            if !self.veth_offloads {
                netns.without_offloads(link)?;
            }
        }
        host.ip(&format!("addr add 10.{n}.0.2/24 dev {}", veth.right));
        host.ip(&format!("route add default via 10.{n}.0.1"));
        Ok((format!("host-{}", veth.left), veth.right, Some(veth.left)))
    }

    /// Makes the node's interface, up and with its address.
    #[track_caller]
    fn attach(&self, n: usize, side: &Side, node: &Node) {
        let queues = self.queues;
        let create = match &side.near {
            Some(near) => format!("create host-interface name {near} num-rx-queues {queues}"),
            None => {
                let mtu = self.mtu.map(|mtu| format!("host-mtu-size {mtu}"));
                format!(
                    "create tap id {n} num-rx-queues {queues} host-ns {} host-if-name {} \
                     host-ip4-addr {}/24 host-ip4-gw {} gso csum-offload {}",
                    side.netns.name(),
                    side.link,
                    side.address,
                    side.gateway,
                    mtu.unwrap_or_default()
                )
            }
        };
        let name = &side.interface;
        let made = node.cli(&create);
        assert_eq!(made.trim(), name, "{create}");
        if let Some(mtu) = self.mtu {
            node.set(&format!("set interface mtu {mtu} {name}"));
        }
        node.set(&format!("set interface state {name} up"));
        node.set(&format!(
            "set interface ip address {name} {}/24",
            side.gateway
        ));
    }
}

impl Routed {
    /// Hosts attached in these ways.
    #[must_use]
    pub fn of(hosts: &[Attach]) -> RoutedBuilder {
        RoutedBuilder {
            hosts: hosts.to_vec(),
            config: String::new(),
            mtu: None,
            queues: 1,
            veth_offloads: true,
        }
    }

    /// The first host, which sends in most tests.
    #[must_use]
    pub fn left(&self) -> &Side {
        &self.sides[0]
    }

    /// The second host.
    #[must_use]
    pub fn right(&self) -> &Side {
        &self.sides[1]
    }

    /// Lets every neighbour find out who the others are, so that what follows meets resolved ones.
    ///
    /// # Panics
    /// When a host does not answer.
    #[track_caller]
    pub fn acquaint(&self) {
        let first = &self.sides[0];
        for side in &self.sides[1..] {
            let (to, from) = (side.address, first.address);
            crate::Flows::between(&first.netns, from, &side.netns, to, 1).exchange(1, 64);
            crate::Flows::between(&side.netns, to, &first.netns, from, 1).exchange(1, 64);
        }
    }
}
