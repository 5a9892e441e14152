//! The kernel's links: carrier and MTU that change, links that go and come back.

use barrow_messages::interface::{SwInterfaceEvent, WantInterfaceEvents};
use barrow_messages::interface_types::IfStatusFlags;
use barrow_tests::{ApiClient, Attach, Flows, Routed, Veth, report};

fn listener(net: &Routed) -> ApiClient {
    let mut client = ApiClient::connect(&net.node.api_socket(), "links");
    let want = WantInterfaceEvents {
        enable_disable: 1,
        pid: 77,
    };
    assert_eq!(client.request(&want).retval, 0);
    client
}

/// The next event's flags.
#[track_caller]
fn event(client: &mut ApiClient) -> IfStatusFlags {
    let (_, event) = client.expect::<SwInterfaceEvent>();
    assert!(!event.deleted);
    event.flags
}

const UP: IfStatusFlags = IfStatusFlags::IF_STATUS_API_FLAG_LINK_UP;

#[test]
fn a_carrier_that_goes_and_comes_back_is_told_as_events() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).start()?;
        net.acquaint();
        let mut client = listener(&net);
        let right = net.right();
        right.netns.ip(&format!("link set {} down", right.link));
        assert!(!event(&mut client).contains(UP));
        right.netns.ip(&format!("link set {} up", right.link));
        assert!(event(&mut client).contains(UP));
        right.netns.ip("route replace default via 10.1.0.1");
        let left = net.left();
        Flows::between(&left.netns, left.address, &right.netns, right.address, 4).exchange(10, 100);
        Ok(())
    });
}

#[test]
fn a_link_made_anew_under_its_name_is_used_again() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).start()?;
        net.acquaint();
        let mut client = listener(&net);
        let right = net.right();
        let near = right.near.clone().expect("it is a veth");
        net.router.ip(&format!("link del {near}"));
        assert!(!event(&mut client).contains(UP));
        let veth = Veth {
            left: near,
            right: right.link.clone(),
        };
        veth.lay(&net.router, &right.netns);
        right
            .netns
            .ip(&format!("addr add {}/24 dev {}", right.address, right.link));
        right
            .netns
            .ip(&format!("route add default via {}", right.gateway));
        while !event(&mut client).contains(UP) {}
        // The host has another address now, which a request of its own tells the node.
        net.node.set("set ip neighbor flush");
        net.acquaint();
        let left = net.left();
        Flows::between(&right.netns, right.address, &left.netns, left.address, 4).exchange(10, 100);
        Flows::between(&left.netns, left.address, &right.netns, right.address, 4).exchange(10, 100);
        Ok(())
    });
}

#[test]
fn the_mtu_of_a_link_is_followed() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).start()?;
        net.acquaint();
        let right = net.right();
        let near = right.near.clone().expect("it is a veth");
        for mtu in [2000, 1300] {
            net.router.ip(&format!("link set {near} mtu {mtu}"));
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
            let has_it = || {
                let shown = net.node.cli(&format!("show interface {}", right.interface));
                shown.contains(&format!("{mtu}/0/0/0"))
            };
            while !has_it() {
                assert!(
                    std::time::Instant::now() < deadline,
                    "the MTU is not followed"
                );
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        Ok(())
    });
}
