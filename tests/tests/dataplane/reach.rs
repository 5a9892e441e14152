//! Who reaches whom: ARP both ways, ping, traceroute, errors by ICMP.

use barrow_tests::{Attach, Routed, Skip, has_program, python, report, run_in, workspace};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const PAIRS: [[Attach; 2]; 3] = [
    [Attach::Tap, Attach::Tap],
    [Attach::Host, Attach::Host],
    [Attach::Tap, Attach::Host],
];

#[track_caller]
fn ping(net: &Routed, arguments: &[&str]) -> Result<String, Skip> {
    if !has_program("ping") {
        return Err(Skip("no `ping` (Debian package iputils-ping)".into()));
    }
    Ok(run_in(&net.left().netns, "ping", arguments).stdout)
}

#[track_caller]
fn ping_answers(net: &Routed, target: &str) -> Result<(), Skip> {
    let text = ping(net, &["-c", "5", "-i", "0.05", "-W", "5", target])?;
    assert!(text.contains(" 0% packet loss"), "{text}");
    Ok(())
}

#[test]
fn pings_cross_without_loss_and_all_neighbours_are_known_afterwards() {
    report(|| {
        for pair in PAIRS {
            let net = Routed::of(&pair).start()?;
            ping_answers(&net, "10.0.0.1")?;
            ping_answers(&net, "10.1.0.2")?;
            let shown = net.node.cli("show ip neighbors");
            for side in &net.sides {
                // The node knows the host's address ...
                let mac = side.netns.mac(&side.link);
                let line = shown
                    .lines()
                    .find(|line| line.contains(&side.address.to_string()));
                assert!(
                    line.is_some_and(|line| line.contains(&mac)),
                    "{mac} in {shown}"
                );
                // ... and the host the node's.
                let known = side.netns.ip(&format!("neigh show {}", side.gateway));
                let own = net
                    .node
                    .cli(&format!("show hardware-interfaces {}", side.interface));
                let own = own.split("Ethernet address ").nth(1).unwrap_or_default();
                let own = own.split_whitespace().next().expect("an Ethernet address");
                assert!(known.contains(own), "{own} in {known}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_router_that_expires_a_packet_says_so() {
    report(|| {
        if !has_program("traceroute") {
            return Err(Skip("no `traceroute` (Debian package traceroute)".into()));
        }
        for pair in PAIRS {
            let net = Routed::of(&pair).start()?;
            // Who is who is known first: of several probes to an unresolved neighbour, the latest waits.
            net.acquaint();
            let arguments = ["-n", "-q", "1", "-w", "5", "10.1.0.2"];
            let text = run_in(&net.left().netns, "traceroute", &arguments).expect_success();
            let hops: Vec<_> = text.lines().skip(1).collect();
            assert_eq!(hops.len(), 2, "{text}");
            assert!(
                hops[0].contains("10.0.0.1") && hops[1].contains("10.1.0.2"),
                "{text}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_packet_too_large_for_the_way_out_is_told_so_or_cut() {
    report(|| {
        let net = Routed::of(&[Attach::Host, Attach::Host]).start()?;
        net.acquaint();
        net.node.set(&format!(
            "set interface mtu packet 1000 {}",
            net.right().interface
        ));
        let large = |frag| ["-c", "1", "-W", "5", "-s", "1300", "-M", frag, "10.1.0.2"];
        let told = ping(&net, &large("do"))?;
        assert!(
            told.contains("mtu = 1000") || told.contains("mtu=1000"),
            "{told}"
        );
        // The host has learnt the size of the way and would cut by itself.
        net.left().netns.ip("route flush cache");
        let cut = ping(&net, &large("dont"))?;
        assert!(cut.contains(" 0% packet loss"), "{cut}");
        Ok(())
    });
}

#[test]
fn a_route_that_says_unreachable_is_told_so_and_no_route_is_not() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).start()?;
        net.acquaint();
        net.node.set("ip route add 192.0.2.0/25 via unreachable");
        let text = ping(&net, &["-c", "1", "-W", "5", "192.0.2.1"])?;
        assert!(text.contains("Unreachable"), "{text}");
        // As in VPP, whose default route drops.
        let text = ping(&net, &["-c", "1", "-W", "1", "192.0.2.129"])?;
        assert!(
            text.contains("100% packet loss") && !text.contains("Unreachable"),
            "{text}"
        );
        Ok(())
    });
}

#[test]
fn a_link_of_bare_ip_packets_is_used_as_such() {
    report(|| {
        let net = Routed::of(&[Attach::Tap]).start()?;
        let mut host = net.router.command(&python()?.to_string_lossy());
        let mut host = host
            .arg(workspace().join("tests/python/tun.py"))
            .arg("bare")
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut said = String::new();
        let stdout = host.stdout.take().expect("it was piped");
        BufReader::new(stdout)
            .read_line(&mut said)
            .expect("it says that it is ready");
        let made = net.node.cli("create host-interface name bare mode ip");
        assert_eq!(made.trim(), "host-bare");
        net.node.set("set interface state host-bare up");
        net.node
            .set("set interface ip address host-bare 10.1.0.1/24");
        let answered = ping_answers(&net, "10.1.0.2");
        host.kill().expect("it runs");
        host.wait().expect("it is our child");
        answered
    });
}
