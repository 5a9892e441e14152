//! `sw_interface_dump`.

use crate::interface::test_device::{Plan, node};
use barrow_engine::testing::Testbed;
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::interface::{CreateLoopback, CreateSubif, SwInterfaceDump};
use barrow_messages::interface_types::{IfStatusFlags, IfType, InterfaceIndex, SubIfFlags};

fn names(bed: &mut Testbed, request: &SwInterfaceDump) -> Vec<String> {
    let all = bed.dump(request);
    all.iter()
        .map(|one| one.interface_name.to_string())
        .collect()
}

fn filter(text: &str) -> SwInterfaceDump {
    SwInterfaceDump {
        name_filter_valid: true,
        name_filter: text.into(),
        ..SwInterfaceDump::default()
    }
}

fn index(index: u32) -> SwInterfaceDump {
    SwInterfaceDump {
        sw_if_index: InterfaceIndex(index),
        ..SwInterfaceDump::default()
    }
}

#[test]
fn an_index_gives_that_one_or_none_and_0_or_all_ones_give_all() {
    let mut bed = node();
    Plan::ethernet("eth0").add(&bed);
    bed.request(&CreateLoopback::default());
    assert_eq!(
        names(&mut bed, &index(u32::MAX)),
        ["local0", "eth0", "loop0"]
    );
    assert_eq!(names(&mut bed, &index(0)), ["local0", "eth0", "loop0"]);
    assert_eq!(names(&mut bed, &index(2)), ["loop0"]);
    assert_eq!(names(&mut bed, &index(3)), [""; 0]);
}

#[test]
fn a_filter_is_a_part_of_the_name_in_any_case() {
    let mut bed = node();
    Plan::ethernet("Eth0").add(&bed);
    Plan::ethernet("eth10").add(&bed);
    assert_eq!(names(&mut bed, &filter("TH")), ["Eth0", "eth10"]);
    assert_eq!(names(&mut bed, &filter("10")), ["eth10"]);
    assert_eq!(names(&mut bed, &filter("nosuch")), [""; 0]);
    assert_eq!(names(&mut bed, &filter("")), ["local0", "Eth0", "eth10"]);
    let both = SwInterfaceDump {
        sw_if_index: InterfaceIndex(1),
        ..filter("eth1")
    };
    assert_eq!(names(&mut bed, &both), ["eth10"]);
}

#[test]
fn every_field_of_a_device_carries_its_value() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    bed.command("set interface state eth0 up");
    bed.command("test interface link-state eth0 up");
    bed.command("set interface mtu ip4 1400 eth0");
    bed.command("set interface tag eth0 uplink");
    let [details] = bed.dump(&index(eth.0)).try_into().unwrap();
    assert_eq!(details.sw_if_index, InterfaceIndex::from(eth));
    assert_eq!(details.sup_sw_if_index, eth.0);
    assert_eq!(details.l2_address, MacAddress([2, 0xfe, 0, 0, 0, 1]));
    assert_eq!(details.flags, IfStatusFlags(3));
    assert_eq!(details.r#type, IfType::IF_API_TYPE_HARDWARE);
    assert_eq!(details.link_speed, 1_000_000);
    assert_eq!((details.link_mtu, details.mtu), (1500, [0, 1400, 0, 0]));
    assert_eq!(details.interface_name, "eth0");
    assert_eq!(details.interface_dev_type, "test");
    assert_eq!(details.tag, "uplink");
    assert_eq!((details.sub_id, details.sub_number_of_tags), (0, 0));
    assert_eq!((details.link_duplex.0, details.vtr_op), (0, 0));
}

#[test]
fn a_sub_interface_shows_its_tags_and_its_parent() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let two_tags = SubIfFlags::SUB_IF_API_FLAG_TWO_TAGS | SubIfFlags::SUB_IF_API_FLAG_EXACT_MATCH;
    let flags = two_tags | SubIfFlags::SUB_IF_API_FLAG_DOT1AD;
    bed.request(&CreateSubif {
        sw_if_index: eth.into(),
        sub_id: 7,
        sub_if_flags: flags,
        outer_vlan_id: 100,
        inner_vlan_id: 200,
    });
    let [details] = bed.dump(&filter("eth0.7")).try_into().unwrap();
    assert_eq!((details.sw_if_index.0, details.sup_sw_if_index), (2, 1));
    assert_eq!(details.r#type, IfType::IF_API_TYPE_SUB);
    assert_eq!((details.sub_id, details.sub_number_of_tags), (7, 2));
    assert_eq!(
        (details.sub_outer_vlan_id, details.sub_inner_vlan_id),
        (100, 200)
    );
    assert_eq!(details.sub_if_flags, flags);
    assert_eq!(details.l2_address, MacAddress::default());
    assert_eq!((details.flags, details.mtu), (IfStatusFlags::EMPTY, [0; 4]));
    assert_eq!(details.interface_dev_type, "test");
}

#[test]
fn local0_is_there_from_the_start() {
    let mut bed = node();
    let [local] = bed.dump(&index(0)).try_into().unwrap();
    assert_eq!(local.sw_if_index, InterfaceIndex(0));
    assert_eq!(local.interface_name, "local0");
    assert_eq!(local.interface_dev_type, "local");
    assert_eq!((local.flags, local.link_mtu), (IfStatusFlags::EMPTY, 0));
}
