//! Real packets between network namespaces, through taps and existing links.

use barrow_tests::{Netns, Node, Skip, Veth, has_program, run_in, skip};

/// Two hosts and a router between them.
struct Net {
    node: Node,
    left: Netns,
    right: Netns,
    /// Where the node itself is, if not with the test.
    _router: Option<Netns>,
}

fn ping_works(net: &Net, target: &str) {
    if !has_program("ping") {
        return skip("no `ping` (Debian package iputils-ping)");
    }
    let ran = run_in(
        &net.left,
        "ping",
        &["-c", "5", "-i", "0.05", "-W", "2", target],
    );
    let text = ran.expect_success();
    assert!(text.contains(" 0% packet loss"), "{text}");
}

fn report(test: impl FnOnce() -> Result<(), Skip>) {
    if let Err(Skip(why)) = test() {
        skip(why);
    }
}

fn taps() -> Result<Net, Skip> {
    let (left, right) = (Netns::new("left")?, Netns::new("right")?);
    let node = Node::builder().start()?;
    for (n, side) in [(0, &left), (1, &right)] {
        let create = format!(
            "create tap id {n} host-ns {} host-if-name t{n} host-ip4-addr 10.{n}.0.2/24 \
             host-ip4-gw 10.{n}.0.1",
            side.name()
        );
        let made = node.cli(&create);
        assert!(made.contains(&format!("tap{n}")), "{made}");
        assert_eq!(node.cli(&format!("set interface state tap{n} up")), "");
        assert_eq!(
            node.cli(&format!("set interface ip address tap{n} 10.{n}.0.1/24")),
            ""
        );
    }
    Ok(Net {
        node,
        left,
        right,
        _router: None,
    })
}

fn hosts() -> Result<Net, Skip> {
    let (left, right) = (Netns::new("left")?, Netns::new("right")?);
    let router = Netns::new("router")?;
    let links = [Veth::new(&router, &left), Veth::new(&router, &right)];
    let node = Node::builder().netns(&router).start()?;
    for (n, (side, link)) in [&left, &right].into_iter().zip(&links).enumerate() {
        side.ip(&format!("addr add 10.{n}.0.2/24 dev {}", link.right));
        side.ip(&format!("route add default via 10.{n}.0.1"));
        let made = node.cli(&format!("create host-interface name {}", link.left));
        let name = format!("host-{}", link.left);
        assert!(made.contains(&name), "{made}");
        assert_eq!(node.cli(&format!("set interface state {name} up")), "");
        assert_eq!(
            node.cli(&format!("set interface ip address {name} 10.{n}.0.1/24")),
            ""
        );
    }
    Ok(Net {
        node,
        left,
        right,
        _router: Some(router),
    })
}

#[test]
fn pings_cross_two_taps_without_loss() {
    report(|| {
        let net = taps()?;
        ping_works(&net, "10.0.0.1");
        ping_works(&net, "10.1.0.2");
        let shown = net.node.cli("show ip neighbors");
        assert!(
            shown.contains("10.0.0.2") && shown.contains("10.1.0.2"),
            "{shown}"
        );
        Ok(())
    });
}

#[test]
fn pings_cross_two_existing_links_without_loss() {
    report(|| {
        let net = hosts()?;
        ping_works(&net, "10.1.0.2");
        Ok(())
    });
}

#[test]
fn a_router_that_expires_a_packet_says_so() {
    report(|| {
        let net = taps()?;
        if !has_program("traceroute") {
            return Err(Skip("no `traceroute`".into()));
        }
        // Who is who is known first: of several probes to an unresolved neighbour, the latest waits.
        ping_works(&net, "10.1.0.2");
        let ran = run_in(
            &net.left,
            "traceroute",
            &["-n", "-q", "1", "-w", "2", "10.1.0.2"],
        );
        let text = ran.expect_success();
        assert!(
            text.contains("10.0.0.1") && text.contains("10.1.0.2"),
            "{text}"
        );
        Ok(())
    });
}

#[test]
fn tcp_crosses_taps_in_both_directions() {
    report(|| {
        let net = taps()?;
        if !has_program("iperf3") {
            return Err(Skip("no `iperf3`".into()));
        }
        let mut server = net.right.command("iperf3");
        let mut server = server
            .args(["-s", "-1"])
            .spawn()
            .map_err(|e| Skip(e.to_string()))?;
        std::thread::sleep(std::time::Duration::from_millis(500));
        let ran = run_in(
            &net.left,
            "iperf3",
            &["-c", "10.1.0.2", "-t", "2", "--bidir"],
        );
        server.kill().ok();
        server.wait().ok();
        assert!(ran.success, "{} {}", ran.stdout, ran.stderr);
        Ok(())
    });
}
