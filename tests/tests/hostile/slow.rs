//! Clients that ask for much and read nothing.

use crate::{counted, on, wait_until};
use barrow_messages::interface::{SwInterfaceSetFlags, WantInterfaceEvents};
use barrow_messages::interface_types::{IfStatusFlags, InterfaceIndex};
use barrow_messages::ip::{IpRouteDetails, IpRouteDump};
use barrow_messages::memclnt::ControlPing;
use barrow_tests::{ApiClient, Node, private_memory};

/// Routes of the dump.
const ROUTES: usize = 100_000;

/// Memory that a client which reads nothing may cost, in KiB: twice the 1 MiB that may wait for it (a buffer that
/// grows by doubling), its unread requests, and what the allocator keeps.
const COST: u64 = 4 << 10;

fn with_routes(node: &Node) {
    assert!(node.cli("create loopback interface").contains("loop0"));
    let added = node.cli(&format!("ip route add 20.0.0.0/32 via drop count {ROUTES}"));
    assert!(added.contains("routes/sec"), "{added}");
}

#[test]
fn a_client_that_never_reads_its_100_000_routes_is_capped_served_around_and_closed() {
    let builder = Node::builder().config("socksvr { stall-timeout 3 }");
    on(builder, |node| {
        with_routes(node);
        let mut other = ApiClient::connect(&node.api_socket(), "other");
        let before = private_memory(node.pid());
        let mut stalled = ApiClient::connect(&node.api_socket(), "stalled");
        for context in 0..20 {
            stalled.send(context, &IpRouteDump::default());
        }
        let mut most = 0;
        wait_until("the client that accepts nothing is closed", || {
            most = most.max(private_memory(node.pid()));
            assert_eq!(other.request(&ControlPing {}).retval, 0);
            counted(node, "stalled") == 1
        });
        let grown = most.saturating_sub(before);
        assert!(grown < COST, "{grown} KiB for a client that reads nothing");
        // What the kernel had taken is still there, and then the end.
        assert!(stalled.read_to_end() < 2 << 20);
    });
}

#[test]
fn a_slow_reader_gets_every_route_once_and_holds_up_nobody() {
    on(Node::builder(), |node| {
        with_routes(node);
        let mut other = ApiClient::connect(&node.api_socket(), "other");
        let mut slow = ApiClient::connect(&node.api_socket(), "slow");
        slow.send(7, &IpRouteDump::default());
        slow.send(8, &ControlPing {});
        let mut seen = vec![false; ROUTES];
        for number in 0.. {
            if number % 10_000 == 0 {
                assert_eq!(other.request(&ControlPing {}).retval, 0);
            }
            let message = slow.receive();
            if barrow_wire::message_id(&message) != Some(slow.id_of::<IpRouteDetails>()) {
                break;
            }
            let (header, details) = barrow_wire::decode_message::<IpRouteDetails>(&message)
                .expect("the node encodes what it defines");
            assert_eq!(header.context, 7);
            let prefix = std::net::IpAddr::try_from(details.route.prefix.address);
            let Ok(std::net::IpAddr::V4(address)) = prefix else {
                continue;
            };
            let index = u32::from(address).wrapping_sub(0x1400_0000) as usize;
            if details.route.prefix.len == 32 && index < ROUTES {
                assert!(
                    !std::mem::replace(&mut seen[index], true),
                    "{address} twice"
                );
            }
        }
        assert!(seen.into_iter().all(|seen| seen));
    });
}

#[test]
fn a_client_that_does_not_read_its_events_is_closed_and_counted() {
    let builder = Node::builder().config("socksvr { max-events 16k }");
    on(builder, |node| {
        assert!(node.cli("create loopback interface").contains("loop0"));
        let mut deaf = ApiClient::connect(&node.api_socket(), "deaf");
        let wanted = deaf.request(&WantInterfaceEvents {
            enable_disable: 1,
            pid: 1,
        });
        assert_eq!(wanted.retval, 0);
        let mut other = ApiClient::connect(&node.api_socket(), "other");
        let up = |up: bool| SwInterfaceSetFlags {
            sw_if_index: InterfaceIndex(1),
            flags: if up {
                IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP
            } else {
                IfStatusFlags::default()
            },
        };
        let mut state = false;
        wait_until("the client that reads no events is closed", || {
            for _ in 0..1000 {
                state = !state;
                assert_eq!(other.request(&up(state)).retval, 0);
            }
            counted(node, "events not read") == 1
        });
        deaf.read_to_end();
    });
}
