//! The kernel's configuration in a namespace of the test's own, and garbage.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::io::Reactor;
use crate::sys::{Clock, NetNs, Offloads, offloads, set_offloads};

/// A namespace and a connection to it, or `None` after saying why the test is skipped.
fn fresh() -> Option<(NetNs, Netlink)> {
    let space = NetNs::anonymous()
        .inspect_err(|error| eprintln!("skipped: no network namespace: {error}"))
        .ok()?;
    let netlink = Netlink::open_in(&space).unwrap();
    Some((space, netlink))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn veth(netlink: &mut Netlink) -> (Link, Link) {
    let kind = LinkKind::Veth {
        peer: "b",
        namespace: None,
    };
    netlink
        .create_link("a", kind, LinkChange::new().up())
        .unwrap();
    let b = netlink.link("b").unwrap().unwrap();
    netlink
        .change_link(b.index, LinkChange::new().up())
        .unwrap();
    (
        netlink.link("a").unwrap().unwrap(),
        netlink.link("b").unwrap().unwrap(),
    )
}

#[test]
fn this_machine_can_be_listed_without_rights() {
    let mut netlink = Netlink::open().unwrap();
    let links = netlink.links().unwrap();
    assert!(
        links.iter().any(|link| link.name == "lo" && link.mtu > 0),
        "{links:?}"
    );
    netlink.addresses().unwrap();
    netlink.routes().unwrap();
    netlink.neighbors().unwrap();
    assert_eq!(
        netlink.skipped(),
        0,
        "this kernel's messages are all understood"
    );
}

#[test]
fn what_is_not_there_is_none() {
    let mut netlink = Netlink::open().unwrap();
    assert_eq!(netlink.link("no-such-link").unwrap(), None);
    assert_eq!(netlink.link_by_index(0x7fff_ff00).unwrap(), None);
}

#[test]
fn a_veth_pair_is_made_changed_and_deleted() {
    let Some((_space, mut netlink)) = fresh() else {
        return;
    };
    let (a, b) = veth(&mut netlink);
    assert_eq!(
        (a.kind.as_deref(), a.peer, b.peer),
        (Some("veth"), Some(b.index), Some(a.index))
    );
    assert!(a.admin_up && a.carrier && b.carrier);

    let mac = [2, 0xfe, 1, 2, 3, 4];
    netlink
        .change_link(a.index, LinkChange::new().down())
        .unwrap();
    netlink
        .change_link(a.index, LinkChange::new().mtu(9000).mac(mac).name("wire"))
        .unwrap();
    let wire = netlink.link_by_index(a.index).unwrap().unwrap();
    assert_eq!(
        (wire.name.as_str(), wire.mtu, wire.mac, wire.admin_up),
        ("wire", 9000, Some(mac), false)
    );

    netlink.delete_link(a.index).unwrap();
    assert_eq!(netlink.link("b").unwrap(), None);
    let refused = netlink.delete_link(a.index).unwrap_err();
    assert!(
        refused.to_string().starts_with("delete a link: "),
        "{refused}"
    );
}

#[test]
fn a_taken_name_is_refused() {
    let Some((_space, mut netlink)) = fresh() else {
        return;
    };
    veth(&mut netlink);
    let kind = LinkKind::Veth {
        peer: "c",
        namespace: None,
    };
    let again = netlink.create_link("a", kind, LinkChange::new());
    assert_eq!(again.unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn bridges_vlans_and_dummies_are_made_where_the_kernel_has_them() {
    let Some((_space, mut netlink)) = fresh() else {
        return;
    };
    let (a, _) = veth(&mut netlink);
    let vlan = LinkKind::Vlan {
        parent: a.index,
        id: 5,
    };
    for (name, kind) in [
        ("a.5", vlan),
        ("br", LinkKind::Bridge),
        ("one", LinkKind::Dummy),
    ] {
        match netlink.create_link(name, kind, LinkChange::new().up()) {
            Ok(()) => assert!(netlink.link(name).unwrap().unwrap().admin_up),
            Err(error) => eprintln!("skipped: {name}: {error}"),
        }
    }
    if let Some(vlan) = netlink.link("a.5").unwrap() {
        assert_eq!(
            (vlan.peer, vlan.kind.as_deref()),
            (Some(a.index), Some("vlan"))
        );
    }
    if let Some(bridge) = netlink.link("br").unwrap() {
        netlink
            .change_link(a.index, LinkChange::new().controller(bridge.index))
            .unwrap();
        assert_eq!(
            netlink.link("a").unwrap().unwrap().controller,
            Some(bridge.index)
        );
    }
}

#[test]
fn the_ends_of_a_veth_live_in_two_namespaces() {
    use std::os::fd::AsFd;
    let Some((_here, mut netlink)) = fresh() else {
        return;
    };
    let Some((there, mut other)) = fresh() else {
        return;
    };
    let kind = LinkKind::Veth {
        peer: "far",
        namespace: Some(there.as_fd()),
    };
    netlink
        .create_link("near", kind, LinkChange::new())
        .unwrap();
    let near = netlink.link("near").unwrap().unwrap();
    assert!(near.peer_namespace.is_some());
    assert!(other.link("far").unwrap().is_some());
    netlink
        .change_link(near.index, LinkChange::new().namespace(&there))
        .unwrap();
    assert!(netlink.link("near").unwrap().is_none());
    assert!(other.link("near").unwrap().is_some());
}

#[test]
fn addresses_routes_and_neighbors_come_and_go() {
    let Some((_space, mut netlink)) = fresh() else {
        return;
    };
    let (a, _) = veth(&mut netlink);
    for (own, net, far) in [
        ("10.1.0.1", "10.9.0.0", "10.1.0.2"),
        ("2001:db8:1::1", "2001:db8:9::", "2001:db8:1::2"),
    ] {
        let prefix = if ip(own).is_ipv4() { 24 } else { 64 };
        let address = Address {
            link: a.index,
            address: ip(own),
            prefix,
        };
        netlink.add_address(&address).unwrap();
        assert!(netlink.addresses().unwrap().contains(&address));
        let again = netlink.add_address(&address).unwrap_err();
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);

        let route = Route::to(ip(net), prefix).via(ip(far));
        netlink.add_route(&route).unwrap();
        let found = |netlink: &mut Netlink| {
            netlink
                .routes()
                .unwrap()
                .into_iter()
                .find(|route| route.destination == ip(net))
        };
        let there = found(&mut netlink).unwrap();
        assert_eq!(
            (there.gateway, there.link, there.table),
            (Some(ip(far)), Some(a.index), Route::MAIN)
        );
        let drop = Route {
            kind: RouteKind::Blackhole,
            ..Route::to(ip(net), prefix)
        };
        netlink.delete_route(&route).unwrap();
        netlink.replace_route(&drop).unwrap();
        assert_eq!(found(&mut netlink).unwrap().kind, RouteKind::Blackhole);
        netlink.delete_route(&drop).unwrap();
        assert_eq!(found(&mut netlink), None);

        let mac = [2, 0, 0, 0, 0, 9];
        netlink.set_neighbor(a.index, ip(far), mac).unwrap();
        let neighbor = Neighbor {
            link: a.index,
            address: ip(far),
            mac: Some(mac),
            state: NeighborState::Permanent,
        };
        assert!(netlink.neighbors().unwrap().contains(&neighbor));
        netlink.delete_neighbor(a.index, ip(far)).unwrap();
        netlink.delete_address(&address).unwrap();
        assert!(!netlink.addresses().unwrap().contains(&address));
    }
}

#[test]
fn default_routes_have_no_destination_on_the_wire() {
    let Some((_space, mut netlink)) = fresh() else {
        return;
    };
    let (a, _) = veth(&mut netlink);
    let route = Route::to(ip("0.0.0.0"), 0).out_of(a.index);
    netlink
        .add_route(&Route {
            table: 1000,
            metric: Some(7),
            ..route
        })
        .unwrap();
    let routes = netlink.routes().unwrap();
    let found = routes.iter().find(|route| route.table == 1000).unwrap();
    assert_eq!(
        (found.destination, found.prefix, found.link, found.metric),
        (ip("0.0.0.0"), 0, Some(a.index), Some(7))
    );
}

#[test]
fn news_of_links_and_addresses_arrive_in_order() {
    let Some((space, mut netlink)) = fresh() else {
        return;
    };
    let reactor = Reactor::new(Clock::new()).unwrap();
    let groups = Groups::LINKS
        .and(Groups::ADDRESSES)
        .and(Groups::NEIGHBORS)
        .and(Groups::ROUTES);
    let mut events = Events::subscribe_in(&reactor, &space, groups).unwrap();
    let (one, _) = veth(&mut netlink);
    let address = Address {
        link: one.index,
        address: ip("192.0.2.1"),
        prefix: 32,
    };
    netlink.add_address(&address).unwrap();
    netlink.delete_link(one.index).unwrap();
    let wait = async {
        let mut seen = (false, false);
        loop {
            match events.next().await.unwrap() {
                Event::Link(link) if link.name == "a" => seen.0 = true,
                Event::Address(got) if got == address => seen.1 = true,
                Event::LinkGone(link) if link.index == one.index => return seen,
                _ => {}
            }
        }
    };
    assert_eq!(reactor.block_on(wait).unwrap(), (true, true));
}

#[test]
fn offloads_are_switched_and_read_back() {
    let Some((space, mut netlink)) = fresh() else {
        return;
    };
    veth(&mut netlink);
    space
        .run(|| {
            set_offloads("a", Offloads::NONE).unwrap();
            assert_eq!(
                offloads("a").unwrap(),
                Offloads {
                    gro: false,
                    rx_checksum: false,
                    ..Offloads::NONE
                }
            );
            set_offloads(
                "a",
                Offloads {
                    tx_checksum: true,
                    ..Offloads::NONE
                },
            )
            .unwrap();
            assert!(offloads("a").unwrap().tx_checksum);
        })
        .unwrap();
}

fn attribute() -> impl Strategy<Value = (u16, Vec<u8>)> {
    (0..70u16, prop::collection::vec(any::<u8>(), 0..40))
}

proptest! {
    #[test]
    fn decode_never_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
    }

    /// Messages of the right kinds with attributes of plausible shape and any content.
    #[test]
    fn decode_never_panics_on_messages(
        kind in prop::sample::select(vec![16u16, 17, 20, 21, 24, 25, 28, 29]),
        family in prop::sample::select(vec![0u8, 2, 7, 10, 28, 128]),
        header in prop::collection::vec(any::<u8>(), 0..20),
        attributes in prop::collection::vec(attribute(), 0..12),
        cut in 0..64usize,
    ) {
        let mut message = vec![0; 16];
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message.push(family);
        message.extend(header);
        message.resize(match kind { 16 | 17 => 32, 20 | 21 => 24, _ => 28 }, 0);
        for (kind, value) in attributes {
            message.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            message.extend(kind.to_ne_bytes());
            message.extend(value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let len = u32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&len.to_ne_bytes());
        let _ = decode(&message);
        let _ = decode(&message.repeat(2));
        message.truncate(message.len().saturating_sub(cut));
        let _ = decode(&message);
    }
}
