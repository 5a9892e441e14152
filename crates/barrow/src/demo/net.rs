//! The demo's network: three namespaces and the links between them.

use barrow_runtime::io::netlink::{Address, LinkChange, LinkKind, Netlink, Route};
use barrow_runtime::sys::netns::{self, NetNs};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

/// The right host.
pub(super) const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// The node's end of the cable to the right host.
pub(super) const CABLE: &str = "cable";

/// The hosts, and the namespace of the node, which this process has moved into.
pub(super) struct Net {
    pub(super) left: NetNs,
    pub(super) right: NetNs,
}

/// Whether this process may make namespaces and tap devices; it becomes root of a user namespace where it
/// is not root already.
pub(super) fn may() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        netns::become_root_of_user_namespace().map_err(|error| {
            format!(
                "not root, and no user namespace: {error} \
                 (run it as root, or allow unprivileged user namespaces)"
            )
        })?;
    }
    let tun = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun");
    tun.map(drop).map_err(|error| {
        format!("/dev/net/tun cannot be opened: {error} (run it as root, or load the module tun)")
    })
}

impl Net {
    /// Makes the namespaces, moves this thread (and those it will start) into the node's, and lays the
    /// cable to the right host.
    pub(super) fn new() -> io::Result<Self> {
        let (left, right) = (NetNs::anonymous()?, NetNs::anonymous()?);
        NetNs::anonymous()?.enter()?;
        for netns in [&left, &right] {
            let mut netlink = Netlink::open_in(netns)?;
            up(&mut netlink, "lo")?;
        }
        let mut own = Netlink::open()?;
        up(&mut own, "lo")?;
        let kind = LinkKind::Veth {
            peer: "right",
            namespace: Some(right.as_fd()),
        };
        own.create_link(CABLE, kind, LinkChange::new().up())
            .map_err(io::Error::other)?;
        let mut there = Netlink::open_in(&right)?;
        let link = up(&mut there, "right")?;
        let address = Address {
            link,
            address: RIGHT.into(),
            prefix: 24,
        };
        there.add_address(&address).map_err(io::Error::other)?;
        let gateway = Ipv4Addr::new(10, 1, 0, 1);
        let route = Route::to(Ipv4Addr::UNSPECIFIED.into(), 0).via(IpAddr::V4(gateway));
        there.add_route(&route).map_err(io::Error::other)?;
        Ok(Self { left, right })
    }

    /// Where the left host's namespace can be opened.
    pub(super) fn left_path(&self) -> String {
        path_of(&self.left)
    }

    /// How to talk to the node and its hosts while the demo keeps running.
    pub(super) fn print_commands(&self, socket: &Path) {
        println!("The node keeps running; Ctrl-C ends it. Talk to it:");
        println!("  vppctl -s {} show interface", socket.display());
        println!("  nsenter --net={} ping {RIGHT}", path_of(&self.left));
        println!("  nsenter --net={} ip address", path_of(&self.right));
    }
}

fn path_of(netns: &NetNs) -> String {
    format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        netns.as_fd().as_raw_fd()
    )
}

fn up(netlink: &mut Netlink, name: &str) -> io::Result<u32> {
    let link = netlink.link(name).map_err(io::Error::other)?;
    let index = link
        .ok_or_else(|| io::Error::other(format!("no link {name}")))?
        .index;
    netlink
        .change_link(index, LinkChange::new().up())
        .map_err(io::Error::other)?;
    Ok(index)
}
