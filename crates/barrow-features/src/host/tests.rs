//! Host interfaces on links of a namespace of the test's own.

use super::{HostError, HostFeature, Hosts, NewHost};
use crate::interface::{Interfaces, RxMode};
use crate::testing::router_features;
use barrow_engine::testing::{TestPacket, Testbed};
use barrow_runtime::io::netlink::{LinkChange, LinkKind, Netlink};
use barrow_runtime::sys::NetNs;

/// Runs a test in a namespace with a cable from `a` to `b`, or says why not.
fn with_cable(test: impl FnOnce(&mut Netlink) + Send) {
    let space = match NetNs::anonymous() {
        Ok(space) => space,
        Err(error) => return println!("skipped: no network namespace: {error}"),
    };
    let ran = space.run(|| {
        let mut netlink = Netlink::open().unwrap();
        let kind = LinkKind::Veth {
            peer: "b",
            namespace: None,
        };
        netlink
            .create_link("a", kind, LinkChange::new().mtu(1400))
            .unwrap();
        test(&mut netlink);
    });
    ran.unwrap();
}

fn bed() -> Testbed {
    router_features()
        .feature(HostFeature)
        .build()
        .expect("the features fit together")
}

#[test]
fn what_the_kernel_does_not_have_is_refused_with_the_numbers_of_vpp() {
    let bed = bed();
    let hosts: Hosts = bed.table();
    let retval = |name: &str| {
        hosts
            .create(&NewHost::of(name))
            .map_err(|error| error.retval())
    };
    assert_eq!(retval("no-such-link"), Err(-71));
    assert_eq!(retval("a-name-longer-than-any-link"), Err(-71));
    assert_eq!(
        hosts.delete("no-such-link").map_err(|error| error.retval()),
        Err(-11)
    );
    let odd = NewHost {
        rx_frame_size: 100,
        ..NewHost::of("lo")
    };
    assert!(matches!(hosts.create(&odd), Err(HostError::Invalid(_))));
}

#[test]
fn a_host_interface_takes_over_mtu_and_carrier_and_exchanges_frames() {
    with_cable(|netlink| {
        let mut bed = bed();
        let (hosts, interfaces): (Hosts, Interfaces) = (bed.table(), bed.table());
        let b = netlink.link("b").unwrap().unwrap().index;
        netlink.change_link(b, LinkChange::new().up()).unwrap();
        let index = match hosts.create(&NewHost::of("a")) {
            Ok(index) => index,
            Err(error) => return println!("skipped: no packet socket: {error}"),
        };
        assert_eq!(interfaces.name(index).as_deref(), Some("host-a"));
        assert_eq!(interfaces.ip4_mtu(index), 1400);
        {
            let hw = interfaces.hw_of(index).unwrap();
            assert!(hw.link_up && hw.mac.0[..2] == [2, 0xfe]);
        }
        assert!(matches!(
            hosts.create(&NewHost::of("a")),
            Err(HostError::Exists(known)) if known == index
        ));
        let other = hosts
            .create(&NewHost {
                rx_queues: 2,
                ..NewHost::of("b")
            })
            .unwrap();
        for index in [index, other] {
            interfaces.set_admin(index, true).unwrap();
        }
        bed.run();
        let frame = crate::testing::frame([0xff; 6], [2, 1, 1, 1, 1, 1], 0x88b5, &[7; 50]);
        let tx = interfaces.hw_of(index).unwrap().tx_node;
        let name = bed
            .control()
            .nodes()
            .into_iter()
            .find(|node| node.id == tx)
            .unwrap()
            .name;
        bed.inject(&name, TestPacket::new(frame));
        bed.run();
        bed.control().on_thread(0, {
            let input = bed.node("af-packet-input");
            move |thread| thread.wake(input)
        });
        bed.run();
        let counters: crate::interface::InterfaceCounters = bed.table();
        let received = counters
            .combined(crate::interface::Combined::Rx)
            .sum(other.0);
        assert!(received.packets >= 1, "{received:?}");
        hosts.delete("a").unwrap();
        hosts.delete("b").unwrap();
        bed.run();
        assert!(hosts.by_link("a").is_none() && interfaces.by_name("host-a").is_none());
        assert!(
            !netlink.link("a").unwrap().unwrap().admin_up,
            "down with its interface"
        );
        bed.assert_conserved();
    });
}

#[test]
fn queues_are_served_as_usual_and_used_by_the_threads_that_they_are_given_to() {
    with_cable(|netlink| {
        let b = netlink.link("b").unwrap().unwrap().index;
        netlink.change_link(b, LinkChange::new().up()).unwrap();
        let mut bed = bed();
        let (hosts, interfaces): (Hosts, Interfaces) = (bed.table(), bed.table());
        interfaces.set_default_rx_mode(RxMode::Polling);
        let index = match hosts.create(&NewHost::of("a")) {
            Ok(index) => index,
            Err(error) => return println!("skipped: no packet socket: {error}"),
        };
        let (hw, tx) = {
            let hw = interfaces.hw_of(index).unwrap();
            assert_eq!(hw.rx[0].mode, RxMode::Polling);
            (hw.index, hw.tx_node)
        };
        interfaces.set_admin(index, true).unwrap();
        interfaces.place_tx(hw, 0, &[]).unwrap();
        bed.run();
        let nodes = bed.control().nodes();
        let name = &nodes.iter().find(|node| node.id == tx).unwrap().name;
        let frame = crate::testing::frame([0xff; 6], [2, 1, 1, 1, 1, 1], 0x88b5, &[7; 50]);
        bed.inject(name, TestPacket::new(frame.clone()));
        bed.run();
        let counters: crate::interface::InterfaceCounters = bed.table();
        let errors = || {
            counters
                .simple(crate::interface::Simple::TxError)
                .sum(index.0)
        };
        assert_eq!(errors(), 1, "no thread has a queue");
        interfaces.place_tx(hw, 0, &[0]).unwrap();
        bed.run();
        bed.inject(name, TestPacket::new(frame));
        bed.run();
        assert_eq!(errors(), 1, "this one has it again");
        assert_eq!(
            interfaces.place_tx(hw, 1, &[0]).unwrap_err().retval(),
            crate::interface::InterfaceError::NoSuchQueue.retval()
        );
        hosts.delete("a").unwrap();
        bed.run();
        bed.assert_conserved();
    });
}
