//! Proxy ARP by message, by command, and on the wire.

use crate::testing::{Router, frame, host_mac, own_mac};
use barrow_messages::arp::{
    ProxyArp, ProxyArpAddDel, ProxyArpDump, ProxyArpIntfcDump, ProxyArpIntfcEnableDisable,
};
use barrow_messages::interface_types::InterfaceIndex;

fn range(is_add: bool, table_id: u32, low: &str, hi: &str) -> ProxyArpAddDel {
    let proxy = ProxyArp {
        table_id,
        low: low.parse().unwrap(),
        hi: hi.parse().unwrap(),
    };
    ProxyArpAddDel { is_add, proxy }
}

fn answer(index: u32, enable: bool) -> ProxyArpIntfcEnableDisable {
    ProxyArpIntfcEnableDisable {
        sw_if_index: InterfaceIndex(index),
        enable,
    }
}

/// A question for an address from 10.0.0.2.
fn question(target: [u8; 4]) -> Vec<u8> {
    let mut ask = vec![0, 1, 8, 0, 6, 4, 0, 1];
    ask.extend_from_slice(&host_mac(1));
    ask.extend_from_slice(&[10, 0, 0, 2]);
    ask.extend_from_slice(&[0; 6]);
    ask.extend_from_slice(&target);
    frame([0xff; 6], host_mac(1), 0x0806, &ask)
}

#[test]
fn ranges_are_added_dumped_and_deleted() {
    let mut router = Router::new(1);
    for _ in 0..2 {
        assert_eq!(
            router.bed.retval(&range(true, 0, "6.0.0.1", "6.0.0.11")),
            0,
            "twice is once"
        );
    }
    let details = router.bed.dump(&ProxyArpDump {});
    assert_eq!(details.len(), 1);
    assert_eq!(
        details[0].proxy,
        range(true, 0, "6.0.0.1", "6.0.0.11").proxy
    );
    assert_eq!(
        router.bed.retval(&range(false, 0, "6.0.0.1", "6.0.0.11")),
        0
    );
    assert!(router.bed.dump(&ProxyArpDump {}).is_empty());
    // vpp:src/vnet/arp/arp_proxy.c, arp_api.c
    assert_eq!(
        router.bed.retval(&range(false, 0, "6.0.0.1", "6.0.0.11")),
        -6
    );
    assert_eq!(
        router.bed.retval(&range(true, 4242, "6.0.0.1", "6.0.0.11")),
        -3
    );
}

#[test]
fn interfaces_that_answer_are_dumped() {
    let mut router = Router::new(2);
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    assert_eq!(router.bed.retval(&answer(9999, true)), -2);
    for index in [second, first, second] {
        assert_eq!(router.bed.retval(&answer(index, true)), 0);
    }
    let answering = |router: &mut Router| {
        let details = router.bed.dump(&ProxyArpIntfcDump {});
        details
            .iter()
            .map(|details| details.sw_if_index)
            .collect::<Vec<_>>()
    };
    assert_eq!(answering(&mut router), [first, second]);
    assert_eq!(router.bed.retval(&answer(first, false)), 0);
    assert_eq!(answering(&mut router), [second]);
}

#[test]
fn who_asks_for_an_address_of_a_range_gets_the_routers() {
    let mut router = Router::new(1);
    let index = router.wires[0].0;
    router.address(0, [10, 0, 0, 1], 24);
    router.bed.request(&range(true, 0, "6.0.0.1", "6.0.0.11"));
    router.receive(0, [question([6, 0, 0, 7])]);
    assert!(router.sent().is_empty(), "not enabled there");
    router.bed.request(&answer(index, true));
    router.receive(0, [question([6, 0, 0, 7]), question([6, 0, 0, 12])]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].bytes[20..22], [0, 2], "a reply");
    assert_eq!(sent[0].bytes[22..28], own_mac(0));
    assert_eq!(sent[0].bytes[28..32], [6, 0, 0, 7]);
    router.bed.assert_conserved();
}

#[test]
fn commands_set_and_show_ranges() {
    let mut router = Router::new(1);
    let mut run = |command: &str| router.bed.command(command);
    assert_eq!(
        run("set arp proxy table-id 0 start 6.0.0.1 end 6.0.0.11").retval,
        0
    );
    assert_eq!(
        run("show arp proxy").text,
        "Proxy arps enabled for:\nFib_index 0   6.0.0.1 - 6.0.0.11 \n"
    );
    assert_eq!(
        run("set arp proxy del table-id 0 start 6.0.0.1 end 6.0.0.11").retval,
        0
    );
    assert_eq!(run("show arp proxy").text, "");
    assert_eq!(
        run("set arp proxy table-id 9 start 6.0.0.1 end 6.0.0.2").text,
        "set arp proxy: no such table: 9\n"
    );
    assert_eq!(run("set interface proxy-arp test0 enable").retval, 0);
    assert_eq!(run("set interface proxy-arp test0 disable").retval, 0);
    assert!(
        run("set interface proxy-arp nowhere")
            .text
            .contains("unknown input `nowhere'")
    );
}
