//! Commands as people see them. Texts without another source are those of `cli-captures.json`, captured
//! from VPP 26.06.

use crate::interface::test_device::{Plan, features, node, take};
use crate::interface::{
    Combined, Framing, InterfaceCounters, Interfaces, RxMode, Simple, SwIfIndex,
};
use crate::testing::router_features;
use barrow_engine::config::{Config, Source};
use barrow_engine::testing::Testbed;

const HEADER: &str = "              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     \n";

fn run(bed: &mut Testbed, command: &str) -> (i32, String) {
    let ran = bed.command(command);
    (ran.retval, ran.text)
}

/// Runs commands that succeed and say nothing.
fn quietly(bed: &mut Testbed, commands: &[&str]) {
    for command in commands {
        assert_eq!(run(bed, command), (0, String::new()), "{command}");
    }
}

fn fails(bed: &mut Testbed, command: &str, text: &str) {
    assert_eq!(run(bed, command), (-1, format!("{text}\n")), "{command}");
}

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
fn queues_are_shown_by_thread_and_moved() {
    let mut bed = features().workers(2).build().unwrap();
    let plan = Plan {
        queues: 2,
        ..Plan::ethernet("eth0")
    };
    let (eth, _) = plan.add(&bed);
    Plan::ethernet("eth1").add(&bed);
    quietly(
        &mut bed,
        &[
            "set interface rx-placement eth0 queue 1 worker 1",
            "set interface rx-placement eth1 main",
            "set interface rx-mode eth0 queue 1 adaptive",
            "set interface tx-queue eth0 queue 1 threads 0-2",
        ],
    );
    let shown = run(&mut bed, "show interface rx-placement").1;
    let lines: Vec<_> = shown
        .lines()
        .filter(|line| !line.starts_with(" node "))
        .collect();
    assert_eq!(
        lines,
        [
            "Thread 0 (vpp_main):",
            "    eth0 queue 0 (polling)",
            "    eth1 queue 0 (polling)",
            "Thread 2 (vpp_wk_1):",
            "    eth0 queue 1 (adaptive)",
        ]
    );
    assert_eq!(
        shown
            .lines()
            .filter(|line| line.starts_with(" node "))
            .count(),
        2
    );
    let one = run(&mut bed, "show interface eth1 rx-placement").1;
    assert!(one.contains("eth1") && !one.contains("eth0"), "{one}");
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.hw_of(eth).unwrap().tx, [vec![0], vec![0, 1, 2]]);
}

#[test]
fn queues_that_do_not_exist_are_not_moved() {
    let mut bed = node();
    Plan::ethernet("eth0").add(&bed);
    // vpp:src/vnet/interface_cli.c
    let path = "set interface rx-placement";
    let nobody = format!("{path}: please specify valid interface name");
    fails(&mut bed, &format!("{path} main"), &nobody);
    let nowhere = format!("{path}: please specify valid worker thread or main");
    fails(&mut bed, &format!("{path} eth0"), &nowhere);
    fails(&mut bed, &format!("{path} eth0 worker 7"), &nowhere);
    let text = format!("{path}: unknown queue 9 on interface eth0");
    fails(&mut bed, &format!("{path} eth0 queue 9 main"), &text);
    fails(
        &mut bed,
        &format!("{path} nosuch"),
        &format!("{path}: parse error: `nosuch'"),
    );
    let path = "set interface rx-mode";
    let text = format!("{path}: please specify valid rx-mode");
    fails(&mut bed, &format!("{path} eth0"), &text);
    let text = format!("{path}: unknown queue 9 on interface eth0");
    fails(&mut bed, &format!("{path} eth0 queue 9 polling"), &text);
    let path = "set interface tx-queue";
    let text = format!("{path}: please specify valid thread(s) - last thread index 5");
    fails(&mut bed, &format!("{path} eth0 queue 0 threads 5"), &text);
    let text = format!("{path}: unknown queue 9 on interface eth0");
    fails(&mut bed, &format!("{path} eth0 queue 9 threads 0"), &text);
}

#[test]
fn the_default_receive_mode_is_set_and_shown() {
    let mut bed = node();
    let told = run(&mut bed, "set interface default rx-mode adaptive").1;
    assert_eq!(told, "Default interface rx-mode set to adaptive\n");
    let told = run(&mut bed, "show interface default rx-mode").1;
    assert_eq!(told, "Default interface rx-mode: adaptive\n");
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.default_rx_mode(), RxMode::Adaptive);
    let path = "set interface default rx-mode";
    let text = format!("{path}: parse error: expected polling|interrupt|adaptive");
    fails(&mut bed, &format!("{path} never"), &text);
}

#[test]
fn the_default_receive_mode_is_configured() {
    let config = |text: &str| Config::parse(Source::file("test.conf", text)).unwrap();
    let builder = features().config(config("interface { default-rx-mode polling }"));
    let interfaces: Interfaces = builder.build().unwrap().table();
    assert_eq!(interfaces.default_rx_mode(), RxMode::Polling);
    let builder = features().config(config("interface { default-rx-mode never }"));
    assert!(builder.build().is_err());
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

#[test]
fn hardware_is_shown_as_vpp_shows_it() {
    let mut bed = node();
    let header = "              Name                Idx   Link  Hardware\n";
    let local = "local0                             0    down  local0\n  \
                 Link speed: unknown\n  local\n";
    let shown = run(&mut bed, "show hardware-interfaces");
    assert_eq!(shown, (0, format!("{header}{local}")));
    run(&mut bed, "create loopback interface");
    quietly(&mut bed, &["set interface state loop0 up"]);
    let looped = "loop0                              1     up   loop0\n  \
                  Link speed: unknown\n  Ethernet address de:ad:00:00:00:00\n";
    assert_eq!(
        run(&mut bed, "sh hard").1,
        format!("{header}{local}{looped}")
    );
    let shown = run(&mut bed, "show hardware-interfaces loop0 verbose").1;
    assert_eq!(shown, format!("{header}{looped}"));
    let text = "show hardware-interfaces: unknown input `nosuch'";
    fails(&mut bed, "show hardware-interfaces nosuch", text);
}

#[test]
fn a_device_tells_its_queues_and_more_in_detail() {
    let mut bed = node();
    let (_, asked) = Plan::ethernet("eth0").add(&bed);
    quietly(&mut bed, &["set interface name eth0 wan"]);
    let brief = "wan                                1    down  eth0\n  \
                 Link speed: 1 Gbps\n  RX Queues:\n    queue thread         mode      \n    \
                 0     main (0)       polling   \n  TX Queues:\n    \
                 queue shared thread(s)      \n    0     no     0\n";
    let header = "              Name                Idx   Link  Hardware\n";
    let shown = run(&mut bed, "show hardware-interfaces wan brief").1;
    assert_eq!(shown, format!("{header}{brief}"));
    let verbose = format!("{header}{brief}  Ethernet address 02:fe:00:00:00:01\n  a test device\n");
    assert_eq!(run(&mut bed, "show hardware-interfaces 1").1, verbose);
    let detail = run(&mut bed, "show hardware-interfaces wan detail").1;
    assert_eq!(detail, format!("{verbose}    in detail\n"));
    quietly(
        &mut bed,
        &["clear hardware-interfaces wan", "clear hardware-interfaces"],
    );
    assert_eq!(take(&asked), ["clear", "clear"]);
    fails(
        &mut bed,
        "clear hardware-interfaces x",
        "clear hardware-interfaces: unknown input `x'",
    );
}

#[test]
fn a_device_without_ethernet_tells_its_class() {
    let mut bed = node();
    let plan = Plan {
        framing: Framing::Ip4,
        ..Plan::ethernet("bare0")
    };
    plan.add(&bed);
    let shown = run(&mut bed, "show hardware-interfaces bare0").1;
    assert!(shown.ends_with("\n  test\n  a test device\n"), "{shown}");
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
