//! `set interface`, sub-interfaces, names, the link.

use super::{fails, quietly, run};
use crate::interface::test_device::{Plan, node, take};
use crate::interface::{Interfaces, SwIfIndex};

#[test]
fn state_goes_up_and_down() {
    let mut bed = node();
    let (eth, asked) = Plan::ethernet("eth0").add(&bed);
    run(&mut bed, "create sub-interfaces eth0 5");
    let below = "set interface state: super-interface eth0 must be up";
    fails(&mut bed, "set interface state eth0.5 up", below);
    quietly(
        &mut bed,
        &["set interface state eth0 up", "set int st eth0.5 up"],
    );
    let interfaces: Interfaces = bed.table();
    assert!(interfaces.is_up(eth) && interfaces.is_up(SwIfIndex(2)));
    quietly(&mut bed, &["set interface state eth0 down"]);
    assert!(!interfaces.is_up(eth));
    assert_eq!(take(&asked), ["admin true", "admin false"]);
    let unknown = "set interface state: unknown interface `nosuch up'";
    fails(&mut bed, "set interface state nosuch up", unknown);
    // vpp:src/vnet/interface_cli.c, set_state
    let flags = "set interface state: unknown flags `sideways'";
    fails(&mut bed, "set interface state eth0 sideways", flags);
}

#[test]
fn a_state_of_punting_is_down_and_shown() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    run(&mut bed, "create sub-interfaces eth0 5");
    // vpp:src/vnet/interface.c, vnet_sw_interface_set_flags_helper
    let above = "set interface state: super-interface eth0 must be down/punt";
    fails(&mut bed, "set interface state eth0.5 punt", above);
    quietly(
        &mut bed,
        &[
            "set interface state eth0 up",
            "set interface state eth0 punt",
        ],
    );
    let interfaces: Interfaces = bed.table();
    assert!(!interfaces.is_up(eth));
    let shown = |bed: &mut _| run(bed, "show interface eth0").1;
    assert!(shown(&mut bed).contains("down/punt"));
    quietly(&mut bed, &["set interface state eth0.5 punt"]);
    for state in ["enable", "down"] {
        quietly(&mut bed, &["set interface state eth0 punt"]);
        quietly(&mut bed, &[&format!("set interface state eth0 {state}")]);
        assert!(!shown(&mut bed).contains("punt"), "{state}");
    }
}

#[test]
fn nodes_and_their_counters_are_called_as_their_interface() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    Plan::ethernet("eth1").add(&bed);
    let (output, tx) = (bed.node("eth0-output"), bed.node("eth0-tx"));
    quietly(&mut bed, &["set interface name eth0 wan"]);
    assert_eq!((bed.node("wan-output"), bed.node("wan-tx")), (output, tx));
    assert_eq!(bed.control().node_by_name("eth0-output"), None);
    let nexts = bed.control().node(output).unwrap().nexts;
    assert!(nexts.contains(&("wan-tx".to_owned(), Some(tx))));
    assert_eq!(bed.error("wan-output", "interface is down"), 0);
    let stats = bed.control().stats();
    assert!(stats.find("/err/wan-output/interface is down").is_some());
    assert!(stats.find("/err/eth0-output/interface is down").is_none());
    // The former name is free, for a device with nodes of its own.
    Plan::ethernet("eth0").add(&bed);
    let taken = "set interface name: interface exists already";
    fails(&mut bed, "set interface name wan eth1", taken);
    let interfaces: Interfaces = bed.table();
    interfaces.delete(eth).unwrap();
    assert_eq!(bed.control().node_by_name("wan-tx"), None);
}

#[test]
fn mtus_are_the_devices_or_a_protocols() {
    let mut bed = node();
    let (eth, asked) = Plan::ethernet("eth0").add(&bed);
    run(&mut bed, "create loopback interface");
    quietly(
        &mut bed,
        &[
            "set interface mtu 1400 eth0",
            "set interface mtu ip4 1300 eth0",
        ],
    );
    let interfaces: Interfaces = bed.table();
    let mtu = |index| interfaces.sw(index).unwrap().mtu;
    assert_eq!(interfaces.hw_of(eth).unwrap().mtu, 1400);
    assert_eq!((mtu(eth).l3, mtu(eth).ip4), (0, 1300));
    quietly(
        &mut bed,
        &[
            "set interface mtu ip6 1280 eth0",
            "set interface mtu mpls 9 eth0",
        ],
    );
    assert_eq!(
        (mtu(eth).ip6, mtu(eth).mpls),
        (0, 9),
        "the others are forgotten"
    );
    quietly(&mut bed, &["set interface mtu packet 1300 loop0"]);
    assert_eq!(mtu(SwIfIndex(2)).l3, 1300);
    assert_eq!(take(&asked), ["mtu 1400"]);
    let unsupported = "set interface mtu: \
        Unsupported (underlying driver doesn't support changing Max Frame Size)";
    fails(&mut bed, "set interface mtu 1400 loop0", unsupported);
    // vpp:src/vnet/interface_cli.c, mtu_cmd
    fails(
        &mut bed,
        "set interface mtu 1400 local0",
        "set interface mtu: not supported",
    );
    let unknown = "set interface mtu: unknown input `ip4 1400 nosuch'";
    fails(&mut bed, "set interface mtu ip4 1400 nosuch", unknown);
}

#[test]
fn mac_addresses_and_promiscuous_mode_are_set() {
    let mut bed = node();
    let (eth, asked) = Plan::ethernet("eth0").add(&bed);
    run(&mut bed, "create loopback interface");
    quietly(
        &mut bed,
        &[
            "set interface mac address eth0 02:00:00:00:00:09",
            "set interface promiscuous on eth0",
        ],
    );
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.hw_of(eth).unwrap().mac.0, [2, 0, 0, 0, 0, 9]);
    assert!(interfaces.hw_of(eth).unwrap().promiscuous);
    quietly(&mut bed, &["set interface promiscuous off eth0"]);
    assert!(!interfaces.hw_of(eth).unwrap().promiscuous);
    assert_eq!(
        take(&asked),
        [
            "mac 02:00:00:00:00:09",
            "promiscuous true",
            "promiscuous false"
        ]
    );
    // vpp:src/vnet/interface_cli.c, set_interface_mac_address, promiscuous_cmd
    let path = "set interface mac address";
    fails(
        &mut bed,
        &format!("{path} nosuch 1"),
        &format!("{path}: unknown interface `nosuch 1'"),
    );
    fails(
        &mut bed,
        &format!("{path} eth0 zz"),
        &format!("{path}: expected mac address `zz'"),
    );
    let path = "set interface promiscuous";
    fails(
        &mut bed,
        &format!("{path} on local0"),
        &format!("{path}: not supported"),
    );
    fails(
        &mut bed,
        &format!("{path} on loop0"),
        &format!("{path}: not supported by this interface"),
    );
    fails(
        &mut bed,
        &format!("{path} eth0"),
        &format!("{path}: unknown input `eth0'"),
    );
}

#[test]
fn names_change() {
    let mut bed = node();
    let (eth, asked) = Plan::ethernet("eth0").add(&bed);
    run(&mut bed, "create loopback interface");
    quietly(&mut bed, &["set interface name eth0 wan"]);
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.name(eth), Some("wan".to_owned()));
    quietly(&mut bed, &["renumber interface wan 7"]);
    assert_eq!(interfaces.name(eth), Some("test7".to_owned()));
    assert_eq!(take(&asked), ["number 7"]);
    // vpp:src/vnet/interface_cli.c, set_interface_name, renumber_interface_command_fn
    let path = "set interface name";
    let text = format!("{path}: please specify valid interface name");
    fails(&mut bed, &format!("{path} nosuch x"), &text);
    fails(&mut bed, &format!("{path} test7"), &text);
    fails(
        &mut bed,
        &format!("{path} test7 loop0"),
        &format!("{path}: interface exists already"),
    );
    let path = "renumber interface";
    let text = format!("{path}: unknown hardware interface `nosuch 1'");
    fails(&mut bed, &format!("{path} nosuch 1"), &text);
    fails(
        &mut bed,
        &format!("{path} test7"),
        &format!("{path}: new dev instance missing"),
    );
    fails(
        &mut bed,
        &format!("{path} loop0 1"),
        &format!("{path}: not supported by this interface"),
    );
}

#[test]
fn the_link_state_can_be_played_with() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let interfaces: Interfaces = bed.table();
    quietly(&mut bed, &["test interface link-state eth0 up"]);
    assert!(interfaces.hw_of(eth).unwrap().link_up);
    quietly(&mut bed, &["test interface link-state eth0 down"]);
    assert!(!interfaces.hw_of(eth).unwrap().link_up);
    // vpp:src/plugins/unittest/interface_test.c
    let text = "test interface link-state: unknown interface `nosuch up'";
    fails(&mut bed, "test interface link-state nosuch up", text);
}

#[test]
fn sub_interfaces_are_made_one_by_one_or_in_a_row() {
    let mut bed = node();
    Plan::ethernet("eth0").add(&bed);
    assert_eq!(
        run(&mut bed, "create sub-interfaces eth0 100").1,
        "eth0.100\n"
    );
    let row = run(&mut bed, "create sub-interfaces eth0 99-101").1;
    assert_eq!(
        row, "eth0.99\neth0.101\n",
        "those that exist are passed over"
    );
    let forms = "create sub-interfaces eth0 7 dot1ad 5 inner-dot1q any";
    assert_eq!(run(&mut bed, forms).1, "eth0.7\n");
    assert_eq!(
        run(&mut bed, "create sub-interfaces eth0 8 untagged").1,
        "eth0.8\n"
    );
    assert_eq!(
        run(&mut bed, "create sub-interfaces eth0 9 default").1,
        "eth0.9\n"
    );
    quietly(&mut bed, &["delete sub-interface eth0.100"]);
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.by_name("eth0.100"), None);
    // vpp:src/vnet/interface_cli.c, create_sub_interfaces; ethernet/node.c, ethernet/interface.c
    let path = "create sub-interfaces";
    fails(
        &mut bed,
        &format!("{path} nosuch 1"),
        &format!("{path}: unknown interface `nosuch 1'"),
    );
    let text = format!("{path}: expected ID or ID MIN-MAX, got `x'");
    fails(&mut bed, &format!("{path} eth0 x"), &text);
    let text = format!("{path}: vlan is already in use");
    fails(&mut bed, &format!("{path} eth0 5 dot1q 99"), &text);
    let path = "delete sub-interface";
    fails(
        &mut bed,
        &format!("{path} nosuch"),
        &format!("{path}: interface doesn't exist"),
    );
    fails(
        &mut bed,
        &format!("{path} eth0"),
        &format!("{path}: not a sub-interface"),
    );
}
