//! A client on an interface of a router, and a server on the wire.

use super::message::tests::answer;
use super::options::code;
use crate::fib::{Fib, FibIndex, Prefix};
use crate::ip::{Addresses, InterfaceAddress};
use crate::ip4::header::{Ip4Header, protocol};
use crate::testing::{Router, frame, host_mac, own_mac, router_features};
use barrow_messages::dhcp::{
    DhcpClient, DhcpClientConfig, DhcpClientDump, DhcpClientState, DhcpComplEvent,
};
use std::net::Ipv4Addr;
use std::time::Duration;
use zerocopy::IntoBytes;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const GIVEN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

fn router() -> Router {
    let bed = router_features().feature(super::DhcpFeature).build();
    Router::on(bed.expect("the features fit together"), 1)
}

/// The DHCP messages that left since the last look: to which Ethernet and IPv4 address, and the message.
fn said(router: &mut Router) -> Vec<([u8; 6], Ipv4Addr, Vec<u8>)> {
    let frames = router.sent().into_iter().map(|packet| packet.bytes);
    frames
        .filter(|bytes| bytes[12..14] == [8, 0] && bytes[14 + 9] == 17)
        .map(|bytes| {
            assert_eq!(
                bytes[34..38],
                [0, 68, 0, 67],
                "from and to the ports of DHCP"
            );
            let to = Ipv4Addr::new(bytes[30], bytes[31], bytes[32], bytes[33]);
            (bytes[..6].try_into().unwrap(), to, bytes[42..].to_vec())
        })
        .collect()
}

fn only(router: &mut Router) -> Vec<u8> {
    let mut said = said(router);
    assert_eq!(said.len(), 1);
    let (mac, to, message) = said.remove(0);
    assert_eq!((mac, to), ([0xff; 6], Ipv4Addr::BROADCAST));
    message
}

/// The server's answer to a message, to `to`.
fn reply(router: &mut Router, message: &[u8], kind: u8, to: Ipv4Addr) {
    let options = [
        (code::MESSAGE_TYPE, vec![kind]),
        (code::SERVER_IDENTIFIER, SERVER.octets().to_vec()),
        (code::LEASE_TIME, 1000u32.to_be_bytes().to_vec()),
        (code::SUBNET_MASK, vec![255, 255, 255, 0]),
        (code::ROUTER, SERVER.octets().to_vec()),
        (code::DOMAIN_SERVER, vec![9, 9, 9, 9]),
    ];
    let payload = answer(message, GIVEN, &options);
    let udp_len = 8 + payload.len() as u16;
    let ip4 = Ip4Header::new(SERVER, to, protocol::UDP, 64, 20 + udp_len);
    let mut udp = [0, 67, 0, 68, 0, 0, 0, 0]; // no checksum
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    let packet = [ip4.as_bytes(), &udp, &payload].concat();
    let mac = if to.is_broadcast() {
        [0xff; 6]
    } else {
        own_mac(0)
    };
    router.receive(0, [frame(mac, host_mac(1), 0x0800, &packet)]);
}

/// What somebody else says of an address, on the wire.
fn arp(sender: Ipv4Addr) -> Vec<u8> {
    use crate::arp::header::{ArpPacket, REPLY};
    let arp = ArpPacket::new(
        REPLY,
        (host_mac(9), sender),
        (own_mac(0), Ipv4Addr::UNSPECIFIED),
    );
    frame(own_mac(0), host_mac(9), 0x0806, arp.as_bytes())
}

fn run(router: &mut Router, line: &str) -> String {
    let ran = router.bed.command(line);
    assert_eq!(ran.retval, 0, "{line}: {}", ran.text);
    ran.text
}

/// From nothing to a lease, given to `to` by the server.
fn lease(router: &mut Router, to: Ipv4Addr) {
    router.bed.run();
    let discover = only(router);
    reply(router, &discover, 2, to);
    let request = only(router);
    reply(router, &request, 5, to);
    router.bed.advance(Duration::from_secs(2));
}

fn addresses(router: &Router) -> Vec<InterfaceAddress> {
    let addresses: Addresses = router.bed.table();
    addresses.of(router.wires[0])
}

fn default_routers(router: &Router) -> usize {
    let fib: Fib = router.bed.table();
    let everything = Prefix::new(Ipv4Addr::UNSPECIFIED.into(), 0).unwrap();
    let route = fib.lookup(FibIndex::DEFAULT, everything, true).unwrap();
    let via = |path: &&crate::fib::RoutePath| path.next_hop[..4] == SERVER.octets();
    route.paths.iter().filter(via).count()
}

#[test]
fn an_interface_gets_an_address_a_route_and_keeps_them() {
    for to in [Ipv4Addr::BROADCAST, GIVEN] {
        let mut router = router();
        run(&mut router, "set dhcp client intfc test0 hostname node");
        lease(&mut router, to);
        let has = InterfaceAddress {
            address: GIVEN,
            len: 24,
        };
        assert_eq!(addresses(&router), [has]);
        assert_eq!(default_routers(&router), 1);
        let text = run(&mut router, "show dhcp client");
        let expected = "[0] test0 state DHCP_BOUND installed 1 addr 10.0.0.7/24 gw 10.0.0.1 server \
                        10.0.0.1 dns 9.9.9.9\n";
        assert_eq!(text, expected);
        // Renewal goes to the server alone, and its answer to the address in use.
        router.neighbor(0, SERVER.octets(), host_mac(1));
        router.sent();
        router.bed.advance(Duration::from_secs(500));
        let renewals = said(&mut router);
        assert_eq!(renewals.len(), 1);
        assert_eq!((renewals[0].0, renewals[0].1), (host_mac(1), SERVER));
        reply(&mut router, &renewals[0].2, 5, GIVEN);
        router.bed.advance(Duration::from_secs(700));
        let text = run(&mut router, "show dhcp client verbose");
        assert!(
            text.contains("lifetime:1000 renewal-interval:500"),
            "{text}"
        );
        assert_eq!(addresses(&router), [has], "past the end of the first lease");
        router.bed.assert_conserved();
    }
}

#[test]
fn a_lease_that_ends_takes_address_and_route_along() {
    let mut router = router();
    run(&mut router, "set dhcp client intfc test0");
    lease(&mut router, Ipv4Addr::BROADCAST);
    assert_eq!(addresses(&router).len(), 1);
    router.bed.advance(Duration::from_secs(1001));
    assert!(addresses(&router).is_empty());
    assert_eq!(default_routers(&router), 0);
    let text = run(&mut router, "show dhcp client intfc test0");
    assert_eq!(
        text,
        "[0] test0 state DHCP_DISCOVER installed 0 no address\n"
    );
}

#[test]
fn an_address_that_somebody_uses_is_declined() {
    let mut router = router();
    run(&mut router, "set dhcp client intfc test0");
    router.bed.run();
    let discover = only(&mut router);
    reply(&mut router, &discover, 2, Ipv4Addr::BROADCAST);
    let request = only(&mut router);
    reply(&mut router, &request, 5, Ipv4Addr::BROADCAST);
    let probes: Vec<_> = router
        .sent()
        .into_iter()
        .map(|packet| packet.bytes)
        .collect();
    assert_eq!(probes.len(), 1);
    assert_eq!(probes[0][12..14], [8, 6]);
    assert_eq!(
        probes[0][28..32],
        [0; 4],
        "it does not say that it has the address"
    );
    assert_eq!(probes[0][38..42], GIVEN.octets());
    router.receive(0, [arp(GIVEN)]);
    assert_eq!(only(&mut router)[242], 4, "a decline");
    router.bed.advance(Duration::from_secs(9));
    assert!(addresses(&router).is_empty() && said(&mut router).is_empty());
    router.bed.advance(Duration::from_secs(2));
    assert_eq!(only(&mut router)[242], 1, "and anew");
}

#[test]
fn a_client_that_is_removed_gives_the_lease_back() {
    let mut router = router();
    run(&mut router, "set dhcp client intfc test0");
    lease(&mut router, Ipv4Addr::BROADCAST);
    router.sent();
    run(&mut router, "set dhcp client del intfc test0");
    router.bed.run();
    let said = said(&mut router);
    assert_eq!(
        (said.len(), said[0].1, said[0].2[242]),
        (1, SERVER, 7),
        "a release"
    );
    assert!(addresses(&router).is_empty());
    assert_eq!(default_routers(&router), 0);
    assert_eq!(run(&mut router, "show dhcp client"), "");
    let ran = router.bed.command("set dhcp client del intfc test0");
    assert!(
        ran.text.contains("dhcp client not enabled on test0"),
        "{}",
        ran.text
    );
    router.bed.assert_conserved();
}

#[test]
fn clients_of_the_api_add_list_hear_and_remove() {
    let mut router = router();
    let index = router.wires[0];
    let mut client = DhcpClient {
        sw_if_index: index.into(),
        hostname: "node".try_into().unwrap(),
        want_dhcp_event: true,
        pid: 42,
        ..DhcpClient::default()
    };
    client.id[..3].copy_from_slice(b"abc");
    let add = DhcpClientConfig {
        is_add: true,
        client,
    };
    assert_eq!(router.bed.retval(&add), 0);
    assert_eq!(router.bed.retval(&add), -7);
    lease(&mut router, Ipv4Addr::BROADCAST);
    let details = router.bed.dump(&DhcpClientDump::default());
    assert_eq!(details.len(), 1);
    assert_eq!(
        (details[0].client.pid, &details[0].client.id[..4]),
        (42, &b"abc\0"[..])
    );
    let lease = &details[0].lease;
    assert_eq!(lease.state, DhcpClientState::DHCP_CLIENT_STATE_API_BOUND);
    assert_eq!((lease.mask_width, lease.domain_server.len()), (24, 1));
    assert_eq!(lease.host_mac.0, own_mac(0));
    let events: Vec<DhcpComplEvent> = router.bed.events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].pid, &events[0].lease), (42, lease));
    let remove = DhcpClientConfig {
        is_add: false,
        ..add.clone()
    };
    assert_eq!(router.bed.retval(&remove), 0);
    assert_eq!(router.bed.retval(&remove), -7);
    let mut unknown = add;
    unknown.client.sw_if_index.0 = 99;
    assert_eq!(router.bed.retval(&unknown), -2);
}

#[test]
fn what_is_for_nobody_goes_on_and_noise_is_counted() {
    let mut router = router();
    run(&mut router, "set dhcp client intfc test0");
    router.bed.run();
    let discover = only(&mut router);
    let mut other = discover.clone();
    other[7] ^= 1; // another exchange
    reply(&mut router, &other, 2, Ipv4Addr::BROADCAST);
    assert!(said(&mut router).is_empty());
    assert_eq!(router.bed.error("ip4-dhcp-client-detect", "extract"), 1);
    let packet = crate::testing::udp([10, 0, 0, 1], [10, 0, 0, 7], |_| {});
    router.receive(0, [frame(own_mac(0), host_mac(1), 0x0800, &packet)]);
    assert_eq!(router.bed.error("ip4-dhcp-client-detect", "extract"), 1);
    router.bed.assert_conserved();
}

#[test]
fn an_interface_that_goes_takes_its_client_along() {
    let mut router = router();
    run(&mut router, "create loopback interface");
    run(&mut router, "set dhcp client intfc loop0");
    run(&mut router, "delete loopback interface intfc loop0");
    assert_eq!(run(&mut router, "show dhcp client"), "");
}
