//! Tagged frames: the kernel's VLAN links against the node's sub-interfaces.

use barrow_tests::{Attach, Flows, Netns, Node, Routed, Side, Skip, Veth, report, run, transfer};

/// A reason to skip where the kernel has no VLAN links.
fn kernel_has_vlans() -> Result<(), Skip> {
    let space = Netns::new("vlan")?;
    let add = [
        "-n",
        space.name(),
        "link",
        "add",
        "link",
        "lo",
        "name",
        "v",
        "type",
        "vlan",
        "id",
        "9",
    ];
    let made = run("ip", add);
    if made.stderr.contains("Unknown device type") || made.stderr.contains("not supported") {
        return Err(Skip(
            "this kernel has no VLAN links (CONFIG_VLAN_8021Q)".into(),
        ));
    }
    Ok(())
}

/// Puts a VLAN link over a host's link, tag by tag from the outside, with an address on the last one; and
/// the sub-interface that meets it onto the node's interface.
fn tagged(net: &Routed, side: &Side, n: u8, tags: &[(&str, u16)], matched: &str) -> String {
    let mut link = side.link.clone();
    for (protocol, id) in tags {
        let over = format!("{link}.{id}");
        side.netns.ip(&format!(
            "link add link {link} name {over} type vlan protocol {protocol} id {id}"
        ));
        side.netns.ip(&format!("link set {over} up"));
        link = over;
    }
    side.netns.ip(&format!("addr add 10.{n}.0.2/24 dev {link}"));
    side.netns
        .ip(&format!("route replace default via 10.{n}.0.1"));
    let create = format!("create sub-interfaces {} {n} {matched}", side.interface);
    let name = format!("{}.{n}", side.interface);
    assert_eq!(net.node.cli(&create).trim(), name, "{create}");
    net.node.set(&format!("set interface state {name} up"));
    net.node
        .set(&format!("set interface ip address {name} 10.{n}.0.1/24"));
    name
}

/// Datagrams and a stream, both ways, between 10.`left`.0.2 and 10.`right`.0.2.
fn talk(net: &Routed, left: u8, right: u8) {
    let (a, b) = (&net.left().netns, &net.right().netns);
    let (at_a, at_b) = ([10, left, 0, 2].into(), [10, right, 0, 2].into());
    Flows::between(a, at_a, b, at_b, 2).exchange(20, 1400);
    Flows::between(b, at_b, a, at_a, 2).exchange(20, 1400);
    transfer(a, b, at_b, 4 << 20);
    transfer(b, a, at_a, 4 << 20);
}

#[test]
fn one_tag_and_two_tags_meet_their_sub_interfaces() {
    report(|| {
        kernel_has_vlans()?;
        for pair in [
            [Attach::Host, Attach::Host],
            [Attach::Tap, Attach::Host],
            [Attach::Host, Attach::Tap],
        ] {
            let net = Routed::of(&pair).start()?;
            tagged(
                &net,
                net.left(),
                50,
                &[("802.1Q", 50)],
                "dot1q 50 exact-match",
            );
            let two = [("802.1ad", 60), ("802.1Q", 61)];
            tagged(
                &net,
                net.right(),
                60,
                &two,
                "dot1ad 60 inner-dot1q 61 exact-match",
            );
            talk(&net, 50, 60);
            // Each on its sub-interface, and on no other.
            for (side, id) in [(net.left(), 50), (net.right(), 60)] {
                let shown = net.node.cli("show ip neighbors");
                let name = format!("{}.{id}", side.interface);
                let line = shown
                    .lines()
                    .find(|line| line.contains(&format!("10.{id}.0.2")));
                assert!(line.is_some_and(|line| line.contains(&name)), "{shown}");
            }
        }
        Ok(())
    });
}

/// Two nodes, a veth between them, and a host at each by a tap; 10.0.0.2 and 10.1.0.2.
struct Chain {
    nodes: [Node; 2],
    hosts: [Netns; 2],
    trunk: [String; 2],
    _routers: [Netns; 2],
}

fn chain() -> Result<Chain, Skip> {
    let routers = [Netns::new("router0")?, Netns::new("router1")?];
    let hosts = [Netns::new("host0")?, Netns::new("host1")?];
    let veth = Veth::new(&routers[0], &routers[1]);
    let trunk = [
        format!("host-{}", veth.left),
        format!("host-{}", veth.right),
    ];
    let mut nodes = Vec::new();
    for (n, (router, link)) in routers.iter().zip([&veth.left, &veth.right]).enumerate() {
        let node = Node::builder().netns(router).start()?;
        let host = hosts[n].name();
        let made = node.cli(&format!(
            "create tap id 0 host-ns {host} host-if-name t0 host-ip4-addr 10.{n}.0.2/24 \
             host-ip4-gw 10.{n}.0.1 gso csum-offload"
        ));
        assert_eq!(made.trim(), "tap0");
        let made = node.cli(&format!("create host-interface name {link}"));
        assert_eq!(made.trim(), trunk[n]);
        for name in ["tap0", trunk[n].as_str()] {
            node.set(&format!("set interface state {name} up"));
        }
        node.set(&format!("set interface ip address tap0 10.{n}.0.1/24"));
        nodes.push(node);
    }
    Ok(Chain {
        nodes: nodes.try_into().expect("two nodes"),
        hosts,
        trunk,
        _routers: routers,
    })
}

#[test]
fn tagged_frames_cross_a_kernel_link_between_two_nodes() {
    report(|| {
        let chain = chain()?;
        for (id, matched) in [
            (50, "dot1q 50 exact-match"),
            (60, "dot1ad 60 inner-dot1q 61 exact-match"),
            (70, "dot1q 70 inner-dot1q 71 exact-match"),
            (80, "dot1ad 80 exact-match"),
        ] {
            for (n, node) in chain.nodes.iter().enumerate() {
                let trunk = &chain.trunk[n];
                let made = node.cli(&format!("create sub-interfaces {trunk} {id} {matched}"));
                let name = format!("{trunk}.{id}");
                assert_eq!(made.trim(), name);
                node.set(&format!("set interface state {name} up"));
                node.set(&format!(
                    "set interface ip address {name} 10.{id}.0.{}/24",
                    n + 1
                ));
                let (there, hop) = (1 - n, 2 - n);
                node.set(&format!(
                    "ip route add 10.{there}.0.0/24 via 10.{id}.0.{hop} {name}"
                ));
            }
            let [a, b] = &chain.hosts;
            let (at_a, at_b) = ([10, 0, 0, 2].into(), [10, 1, 0, 2].into());
            Flows::between(a, at_a, b, at_b, 1).exchange(1, 64);
            Flows::between(b, at_b, a, at_a, 1).exchange(1, 64);
            Flows::between(b, at_b, a, at_a, 2).exchange(20, 1400);
            Flows::between(a, at_a, b, at_b, 2).exchange(20, 1400);
            transfer(a, b, at_b, 4 << 20);
            for (n, node) in chain.nodes.iter().enumerate() {
                let name = format!("{}.{id}", chain.trunk[n]);
                let shown = node.cli("show ip neighbors");
                let hop = format!("10.{id}.0.{}", 2 - n);
                let line = shown.lines().find(|line| line.contains(&hop));
                assert!(line.is_some_and(|line| line.contains(&name)), "{shown}");
                let route = format!("10.{}.0.0/24 via {hop} {name}", 1 - n);
                node.set(&format!("ip route del {route}"));
                node.set(&format!("delete sub-interface {name}"));
            }
        }
        Ok(())
    });
}

#[test]
fn two_tags_of_the_same_kind_meet_theirs() {
    report(|| {
        kernel_has_vlans()?;
        let net = Routed::of(&[Attach::Host, Attach::Host]).start()?;
        let two = [("802.1Q", 70), ("802.1Q", 71)];
        tagged(
            &net,
            net.left(),
            70,
            &two,
            "dot1q 70 inner-dot1q 71 exact-match",
        );
        tagged(
            &net,
            net.right(),
            80,
            &[("802.1ad", 80)],
            "dot1ad 80 exact-match",
        );
        talk(&net, 70, 80);
        Ok(())
    });
}

#[test]
fn tagged_and_untagged_share_a_link_where_nothing_is_offloaded() {
    report(|| {
        kernel_has_vlans()?;
        let net = Routed::of(&[Attach::Host, Attach::Host])
            .without_veth_offloads()
            .start()?;
        net.acquaint();
        tagged(
            &net,
            net.left(),
            50,
            &[("802.1Q", 50)],
            "dot1q 50 exact-match",
        );
        talk(&net, 50, 1);
        net.left().netns.ip("route replace default via 10.0.0.1");
        talk(&net, 0, 1);
        Ok(())
    });
}

#[test]
fn a_tag_that_nobody_wants_goes_nowhere() {
    report(|| {
        kernel_has_vlans()?;
        let net = Routed::of(&[Attach::Host, Attach::Tap]).start()?;
        let name = tagged(
            &net,
            net.left(),
            50,
            &[("802.1Q", 50)],
            "dot1q 50 exact-match",
        );
        talk(&net, 50, 1);
        net.node.set(&format!("delete sub-interface {name}"));
        net.left().netns.ip("neigh flush all");
        let pinged = barrow_tests::run_in(
            &net.left().netns,
            "ping",
            &["-c", "1", "-W", "1", "10.50.0.1"],
        );
        assert!(!pinged.success, "{}", pinged.stdout);
        assert!(net.node.cli("show errors").contains("unknown vlan"));
        Ok(())
    });
}
