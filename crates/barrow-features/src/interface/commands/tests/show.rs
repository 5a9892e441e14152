//! `show interface` in all its forms.

use super::{fails, quietly, run};
use crate::interface::test_device::{Plan, node, take};
use crate::interface::{Combined, InterfaceCounters, Simple};
use crate::testing::router_features;

const HEADER: &str = "              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     \n";

#[test]
fn show_interface_has_the_columns_of_vpp() {
    let mut bed = node();
    let local = "local0                            0     down          0/0/0/0       \n";
    assert_eq!(
        run(&mut bed, "show interface"),
        (0, format!("{HEADER}{local}"))
    );
    run(&mut bed, "create loopback interface");
    quietly(
        &mut bed,
        &[
            "set interface state loop0 up",
            "set interface mtu packet 1300 loop0",
        ],
    );
    run(&mut bed, "create loopback interface instance 10");
    run(&mut bed, "create sub-interfaces loop0 100");
    let looped = "loop0                             1      up          1300/0/0/0     \n";
    let sub = "loop0.100                         3     down          0/0/0/0       \n";
    let ten = "loop10                            2     down         9000/0/0/0     \n";
    let all = format!("{HEADER}{local}{looped}{sub}{ten}");
    assert_eq!(run(&mut bed, "sh int"), (0, all));
    assert_eq!(
        run(&mut bed, "show interface loop0"),
        (0, format!("{HEADER}{looped}"))
    );
    let two = format!("{HEADER}{ten}{looped}");
    assert_eq!(run(&mut bed, "show interface loop10 1"), (0, two));
}

#[test]
fn counters_that_are_not_0_stand_beside_the_interface() {
    let mut bed = node();
    run(&mut bed, "create loopback interface");
    let counters: InterfaceCounters = bed.table();
    let rows = counters.rows(0).unwrap();
    rows.count_bytes(Combined::Rx, 1, 7, 700);
    rows.count_bytes(Combined::Tx, 1, 1, 42);
    rows.count(Simple::Drops, 1, 4);
    rows.count(Simple::Ip4, 1, 7);
    let row = "loop0                             1     down         9000/0/0/0     ";
    let blank = " ".repeat(68);
    let counted = format!(
        "{HEADER}{row}rx packets                     7\n\
         {blank}rx bytes                     700\n\
         {blank}tx packets                     1\n\
         {blank}tx bytes                      42\n\
         {blank}drops                          4\n\
         {blank}ip4                            7\n"
    );
    assert_eq!(run(&mut bed, "show interface loop0"), (0, counted));
    quietly(&mut bed, &["clear interfaces"]);
    assert_eq!(
        run(&mut bed, "show interface loop0"),
        (0, format!("{HEADER}{row}\n"))
    );
}

#[test]
fn show_interface_says_what_it_does_not_know() {
    let mut bed = node();
    fails(
        &mut bed,
        "show interface nosuch",
        "show interface: unknown input `nosuch'",
    );
    fails(
        &mut bed,
        "show interface tag",
        "show interface: Interface not specified...",
    );
    fails(
        &mut bed,
        "show interface features",
        "show interface: Interface not specified...",
    );
    // vpp:src/vnet/interface_cli.c, show_sw_interfaces
    fails(
        &mut bed,
        "show interface 77",
        "show interface: unknown interface index `77'",
    );
}

#[test]
fn tags_and_further_addresses_are_shown() {
    let mut bed = node();
    let (_, asked) = Plan::ethernet("eth0").add(&bed);
    assert_eq!(run(&mut bed, "show interface tag eth0").1, "eth0: (none)\n");
    quietly(
        &mut bed,
        &[
            "set interface tag eth0 uplink",
            "set interface secondary-mac-address eth0 02:00:00:00:00:09 add",
        ],
    );
    assert_eq!(take(&asked), ["further mac 02:00:00:00:00:09 true"]);
    assert_eq!(run(&mut bed, "show interface eth0 tag").1, "eth0: uplink\n");
    let further = "eth0 (dn):\n  02:00:00:00:00:09\n";
    assert_eq!(
        run(&mut bed, "show interface secondary-mac-address eth0").1,
        further
    );
    let all = run(&mut bed, "show interface secondary-mac-address").1;
    assert_eq!(all, format!("{further}local0 (dn):\n"));
    quietly(&mut bed, &["clear interface tag eth0"]);
    assert_eq!(run(&mut bed, "show interface eth0 tag").1, "eth0: (none)\n");
    assert_eq!(
        run(&mut bed, "show interface eth0 vtr").1,
        "eth0:  VTR none\n"
    );
    let path = "set interface secondary-mac-address";
    let text = format!("{path}: must choose one of add or del");
    fails(&mut bed, &format!("{path} eth0 02:00:00:00:00:09"), &text);
    let text = format!("{path}: expected mac address `zz'");
    fails(&mut bed, &format!("{path} eth0 zz"), &text);
    fails(
        &mut bed,
        "set interface tag nosuch x",
        "set interface tag: unknown input `nosuch x'",
    );
    fails(
        &mut bed,
        "clear interface tag nosuch",
        "clear interface tag: unknown input `nosuch'",
    );
}

#[test]
fn features_are_shown_by_arc() {
    let mut bed = node();
    let (retval, text) = run(&mut bed, "show interface features local0");
    assert_eq!(retval, 0);
    assert!(
        text.starts_with("Feature paths configured on local0...\n\n"),
        "{text}"
    );
    assert!(
        text.contains("\ninterface-output:\n  none configured\n"),
        "{text}"
    );
    assert!(
        text.contains("\ndevice-input:\n  none configured\n"),
        "{text}"
    );
}

#[test]
fn addresses_need_the_feature_that_keeps_them() {
    let mut bed = node();
    fails(
        &mut bed,
        "show interface address",
        "show interface: the node has no IP",
    );
}

#[test]
fn addresses_are_shown_with_their_table_and_their_lender() {
    let mut bed = router_features().build().unwrap();
    Plan::ethernet("eth0").add(&bed);
    Plan::ethernet("eth1").add(&bed);
    let setup = [
        "ip table add 7",
        "set interface state eth0 up",
        "set interface ip address eth0 10.0.0.1/24",
        "set interface ip table eth1 7",
        "set interface ip address eth1 10.0.1.1/24",
    ];
    for command in setup {
        assert_eq!(run(&mut bed, command).0, 0, "{command}");
    }
    let shown = run(&mut bed, "show interface addr").1;
    let eth1 = shown.strip_prefix("eth0 (up):\n  L3 10.0.0.1/24\neth1 (dn):\n");
    let eth1 = eth1.unwrap_or_else(|| panic!("{shown}"));
    assert!(
        eth1.starts_with("  L3 10.0.1.1/24 ip4 table-id 7 fib-idx "),
        "{shown}"
    );
    assert!(eth1.ends_with("\nlocal0 (dn):\n"), "{shown}");
    run(&mut bed, "create loopback interface");
    assert_eq!(
        run(&mut bed, "set interface unnumbered loop0 use eth0").0,
        0
    );
    let shown = run(&mut bed, "show interface loop0 address").1;
    assert_eq!(
        shown,
        "loop0 (dn):\n  unnumbered, use eth0\n  L3 10.0.0.1/24\n"
    );
}
