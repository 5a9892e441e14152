//! Flags, MTUs, addresses, names, tags, counters.

use super::NOBODY;
use crate::interface::test_device::{Plan, node, take};
use crate::interface::{Combined, Framing, InterfaceCounters, Interfaces, Simple, SwIfIndex};
use barrow_engine::testing::Testbed;
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::interface::*;
use barrow_messages::interface_types::{IfStatusFlags, InterfaceIndex};

const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);
const UP: IfStatusFlags = IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP;

/// A test device, a loopback, a device without Ethernet, and a sub-interface of the first.
struct Links {
    eth: InterfaceIndex,
    bare: InterfaceIndex,
    sub: InterfaceIndex,
    looped: InterfaceIndex,
}

fn links(bed: &mut Testbed) -> Links {
    let (eth, _) = Plan::ethernet("eth0").add(bed);
    let bare = Plan {
        framing: Framing::Ip4,
        ..Plan::ethernet("bare0")
    };
    let (bare, _) = bare.add(bed);
    let looped = bed.request(&CreateLoopback::default()).sw_if_index;
    let sub = CreateVlanSubif {
        sw_if_index: eth.into(),
        vlan_id: 5,
    };
    let sub = bed.request(&sub).sw_if_index;
    Links {
        eth: eth.into(),
        bare: bare.into(),
        sub,
        looped,
    }
}

fn details(bed: &mut Testbed, sw_if_index: InterfaceIndex) -> SwInterfaceDetails {
    let request = SwInterfaceDump {
        sw_if_index,
        ..SwInterfaceDump::default()
    };
    bed.dump(&request).remove(0)
}

#[test]
fn flags_take_an_interface_up_and_down() {
    let mut bed = node();
    let (eth, asked) = Plan::ethernet("eth0").add(&bed);
    let set = |flags| SwInterfaceSetFlags {
        sw_if_index: eth.into(),
        flags,
    };
    assert_eq!(bed.retval(&set(UP)), 0);
    assert_eq!(details(&mut bed, eth.into()).flags, UP);
    assert_eq!(bed.retval(&set(UP)), 0, "twice is no error");
    assert_eq!(bed.retval(&set(IfStatusFlags::EMPTY)), 0);
    assert_eq!(details(&mut bed, eth.into()).flags, IfStatusFlags::EMPTY);
    assert_eq!(take(&asked), ["admin true", "admin false"]);
    let unknown = SwInterfaceSetFlags {
        sw_if_index: NOBODY,
        flags: UP,
    };
    assert_eq!(bed.retval(&unknown), -2);
}

#[test]
fn a_sub_interface_comes_up_above_one_that_is_up_only() {
    let mut bed = node();
    let Links { eth, sub, .. } = links(&mut bed);
    let up = |sw_if_index| SwInterfaceSetFlags {
        sw_if_index,
        flags: UP,
    };
    // vpp:src/vnet/interface.c, vnet_sw_interface_set_flags_helper: an error, told as -1.
    assert_eq!(bed.retval(&up(sub)), -1);
    assert_eq!(bed.retval(&up(eth)), 0);
    assert_eq!(bed.retval(&up(sub)), 0);
    let interfaces: Interfaces = bed.table();
    assert!(interfaces.words().get(sub.into()).is_up());
    let down = SwInterfaceSetFlags {
        sw_if_index: eth,
        ..SwInterfaceSetFlags::default()
    };
    assert_eq!(bed.retval(&down), 0);
    assert!(!interfaces.words().get(sub.into()).is_up());
    assert_eq!(details(&mut bed, sub).flags, UP, "configured up still");
}

#[test]
fn what_a_device_refuses_is_an_error_and_changes_nothing() {
    let mut bed = node();
    let stubborn = Plan {
        stubborn: true,
        ..Plan::ethernet("eth0")
    };
    let (eth, _) = stubborn.add(&bed);
    let sw_if_index = eth.into();
    let up = SwInterfaceSetFlags {
        sw_if_index,
        flags: UP,
    };
    assert_eq!(bed.retval(&up), -1);
    // vpp:src/vnet/interface_api.c: UNIMPLEMENTED whatever the device says.
    let mac = SwInterfaceSetMacAddress {
        sw_if_index,
        mac_address: MAC,
    };
    assert_eq!(bed.retval(&mac), -9);
    let further = SwInterfaceAddDelMacAddress {
        sw_if_index: eth.0,
        addr: MAC,
        is_add: 1,
    };
    assert_eq!(bed.retval(&further), -9);
    let mtu = HwInterfaceSetMtu {
        sw_if_index,
        mtu: 1400,
    };
    assert_eq!(bed.retval(&mtu), -11);
    let promiscuous = SwInterfaceSetPromisc {
        sw_if_index,
        promisc_on: true,
    };
    assert_eq!(bed.retval(&promiscuous), -11);
    let after = details(&mut bed, sw_if_index);
    assert_eq!((after.flags, after.link_mtu), (IfStatusFlags::EMPTY, 1500));
    assert_eq!(after.l2_address, MacAddress([2, 0xfe, 0, 0, 0, 1]));
    let interfaces: Interfaces = bed.table();
    let hw = interfaces.hw_of(eth).unwrap();
    assert!(hw.secondary_macs.is_empty() && !hw.promiscuous);
}

#[test]
fn an_interface_whose_device_refuses_to_go_down_is_deleted_all_the_same() {
    let bed = node();
    let stubborn = Plan {
        stubborn: true,
        ..Plan::ethernet("eth0")
    };
    let (eth, _) = stubborn.add(&bed);
    let interfaces: Interfaces = bed.table();
    interfaces.change_sw(eth, |sw| sw.admin_up = true).unwrap();
    interfaces.delete(eth).unwrap();
    assert!(interfaces.sw(eth).is_none());
    assert!(!interfaces.words().get(eth).exists());
}

#[test]
fn the_mtu_of_a_device_is_that_of_all_above_it() {
    let mut bed = node();
    let Links {
        eth,
        bare,
        sub,
        looped,
    } = links(&mut bed);
    let set = |sw_if_index, mtu| HwInterfaceSetMtu { sw_if_index, mtu };
    assert_eq!(bed.retval(&set(eth, 1400)), 0);
    let device = details(&mut bed, eth);
    assert_eq!((device.link_mtu, device.mtu), (1400, [1400, 0, 0, 0]));
    assert_eq!(details(&mut bed, sub).mtu, [1400, 0, 0, 0]);
    assert_eq!(bed.retval(&set(NOBODY, 1500)), -2);
    // vpp:src/vnet/interface_api.c: INVALID_VALUE, FEATURE_DISABLED; interface.c: UNSUPPORTED.
    assert_eq!(bed.retval(&set(sub, 1500)), -7);
    assert_eq!(bed.retval(&set(bare, 1400)), -30);
    assert_eq!(bed.retval(&set(looped, 1400)), -126);
    assert_eq!(bed.retval(&set(looped, 9000)), 0, "it has that already");
}

#[test]
fn mtus_by_protocol_are_those_of_the_data_path() {
    let mut bed = node();
    let Links { eth, sub, .. } = links(&mut bed);
    let interfaces: Interfaces = bed.table();
    let words = interfaces.words();
    let set = |sw_if_index, mtu| SwInterfaceSetMtu { sw_if_index, mtu };
    assert_eq!(words.get(sub.into()).mtu(), 1500, "as its parent");
    assert_eq!(bed.retval(&set(eth, [1300, 0, 1280, 7])), 0);
    assert_eq!(details(&mut bed, eth).mtu, [1300, 0, 1280, 7]);
    assert_eq!(words.get(eth.into()).mtu(), 1300);
    assert_eq!(words.get(sub.into()).mtu(), 1300);
    assert_eq!(bed.retval(&set(sub, [0, 1200, 0, 0])), 0);
    assert_eq!(words.get(sub.into()).mtu(), 1200);
    // vpp:src/vnet/interface_funcs.h, vnet_sw_interface_get_mtu.
    assert_eq!(bed.retval(&set(eth, [0; 4])), 0);
    assert_eq!(words.get(eth.into()).mtu(), 9000);
    assert_eq!(bed.retval(&set(NOBODY, [1; 4])), -2);
}

#[test]
fn promiscuous_mode_is_the_devices() {
    let mut bed = node();
    let Links {
        eth,
        bare,
        sub,
        looped,
    } = links(&mut bed);
    let set = |sw_if_index| SwInterfaceSetPromisc {
        sw_if_index,
        promisc_on: true,
    };
    assert_eq!(bed.retval(&set(eth)), 0);
    let interfaces: Interfaces = bed.table();
    assert!(interfaces.hw_of(eth.into()).unwrap().promiscuous);
    assert_eq!(bed.retval(&set(NOBODY)), -2);
    // vpp:src/vnet/interface_api.c: INVALID_VALUE; a device without the operation answers ~0.
    assert_eq!(bed.retval(&set(bare)), -7);
    assert_eq!(bed.retval(&set(sub)), -7);
    assert_eq!(bed.retval(&set(looped)), -1);
}

#[test]
fn mac_addresses_are_set_and_got() {
    let mut bed = node();
    let Links { eth, bare, sub, .. } = links(&mut bed);
    let set = |sw_if_index| SwInterfaceSetMacAddress {
        sw_if_index,
        mac_address: MAC,
    };
    let get = |sw_if_index| SwInterfaceGetMacAddress { sw_if_index };
    assert_eq!(bed.retval(&set(eth)), 0);
    assert_eq!(bed.request(&get(eth)).mac_address, MAC);
    assert_eq!(bed.request(&get(sub)).mac_address, MAC, "its parent's");
    assert_eq!(details(&mut bed, eth).l2_address, MAC);
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.outputs().mac(sub.into()), Some(MAC.0));
    assert_eq!(bed.retval(&set(NOBODY)), -2);
    assert_eq!(bed.retval(&get(NOBODY)), -2);
    // vpp:src/vnet/interface_api.c: UNIMPLEMENTED.
    assert_eq!(bed.retval(&set(bare)), -9);
    assert_eq!(bed.retval(&set(sub)), -9);
}

#[test]
fn a_device_answers_to_further_addresses() {
    let mut bed = node();
    let Links { eth, bare, sub, .. } = links(&mut bed);
    let change = |index: InterfaceIndex, is_add| SwInterfaceAddDelMacAddress {
        sw_if_index: index.0,
        addr: MAC,
        is_add,
    };
    let interfaces: Interfaces = bed.table();
    let further = || interfaces.hw_of(eth.into()).unwrap().secondary_macs.clone();
    assert_eq!(bed.retval(&change(sub, 1)), 0, "its parent's");
    assert_eq!(bed.retval(&change(eth, 1)), 0);
    assert_eq!(further(), [MAC]);
    assert_eq!(bed.retval(&change(eth, 0)), 0);
    assert_eq!(further(), []);
    assert_eq!(bed.retval(&change(NOBODY, 1)), -2);
    assert_eq!(bed.retval(&change(bare, 1)), -9);
}

#[test]
fn a_name_is_changed_with_those_of_the_sub_interfaces() {
    let mut bed = node();
    let Links { eth, sub, .. } = links(&mut bed);
    let set = |sw_if_index, name: &str| SwInterfaceSetInterfaceName {
        sw_if_index,
        name: name.try_into().unwrap(),
    };
    assert_eq!(bed.retval(&set(eth, "wan")), 0);
    assert_eq!(details(&mut bed, eth).interface_name, "wan");
    assert_eq!(details(&mut bed, sub).interface_name, "wan.5");
    let interfaces: Interfaces = bed.table();
    assert_eq!(interfaces.by_name("wan.5"), Some(sub.into()));
    assert_eq!(interfaces.by_name("eth0"), None);
    assert_eq!(bed.retval(&set(eth, "wan")), 0, "its own");
    assert_eq!(bed.retval(&set(NOBODY, "x")), -2);
    assert_eq!(bed.retval(&set(eth, "")), -7);
    assert_eq!(bed.retval(&set(eth, "a b")), -7);
    assert_eq!(bed.retval(&set(sub, "x")), -7);
    assert_eq!(bed.retval(&set(eth, "loop0")), -79, "taken");
}

#[test]
fn devices_that_have_numbers_are_renumbered() {
    let mut bed = node();
    let Links { eth, looped, .. } = links(&mut bed);
    let renumber = |sw_if_index| InterfaceNameRenumber {
        sw_if_index,
        new_show_dev_instance: 3,
    };
    assert_eq!(bed.retval(&renumber(eth)), 0);
    assert_eq!(details(&mut bed, eth).interface_name, "test3");
    assert_eq!(bed.retval(&renumber(NOBODY)), -2);
    // vpp:src/vnet/interface.c, vnet_interface_name_renumber: UNIMPLEMENTED for a loopback.
    assert_eq!(bed.retval(&renumber(looped)), -9);
}

#[test]
fn a_tag_is_a_text_for_clients() {
    let mut bed = node();
    let Links { eth, .. } = links(&mut bed);
    let change = |sw_if_index, is_add, tag: &str| SwInterfaceTagAddDel {
        is_add,
        sw_if_index,
        tag: tag.try_into().unwrap(),
    };
    assert_eq!(bed.retval(&change(eth, true, "to the world")), 0);
    assert_eq!(details(&mut bed, eth).tag, "to the world");
    assert_eq!(bed.retval(&change(eth, false, "")), 0);
    assert_eq!(details(&mut bed, eth).tag, "");
    assert_eq!(bed.retval(&change(eth, false, "")), 0);
    assert_eq!(bed.retval(&change(NOBODY, true, "x")), -2);
    // vpp:src/vnet/interface_api.c: INVALID_VALUE for an empty one.
    assert_eq!(bed.retval(&change(eth, true, "")), -7);
}

#[test]
fn counters_are_cleared_of_one_interface_or_all() {
    let mut bed = node();
    let Links { eth, looped, .. } = links(&mut bed);
    let counters: InterfaceCounters = bed.table();
    let rows = counters.rows(0).unwrap();
    let count = || {
        for index in [eth, looped] {
            rows.count(Simple::Drops, index.0, 3);
            rows.count_bytes(Combined::Rx, index.0, 2, 128);
        }
    };
    let seen = |index: InterfaceIndex| {
        let rx = counters.combined(Combined::Rx).sum(index.0);
        let drops = counters.simple(Simple::Drops).sum(index.0);
        (drops, rx.packets, rx.bytes)
    };
    let clear = |sw_if_index| SwInterfaceClearStats { sw_if_index };
    count();
    assert_eq!(bed.retval(&clear(eth)), 0);
    assert_eq!((seen(eth), seen(looped)), ((0, 0, 0), (3, 2, 128)));
    count();
    assert_eq!(bed.retval(&clear(SwIfIndex::NONE.into())), 0);
    assert_eq!((seen(eth), seen(looped)), ((0, 0, 0), (0, 0, 0)));
    assert_eq!(bed.retval(&clear(NOBODY)), -2);
}

#[test]
fn detailed_statistics_are_for_ethernet_devices() {
    let mut bed = node();
    let Links { eth, bare, sub, .. } = links(&mut bed);
    let collect = |sw_if_index, enable_disable| CollectDetailedInterfaceStats {
        sw_if_index,
        enable_disable,
    };
    let interfaces: Interfaces = bed.table();
    let on = |index: InterfaceIndex| interfaces.words().get(index.into()).has_detailed_stats();
    assert_eq!(bed.retval(&collect(eth, true)), 0);
    assert!(on(eth) && !on(sub));
    assert_eq!(bed.retval(&collect(eth, false)), 0);
    assert!(!on(eth));
    // vpp:src/vnet/interface_stats.c: INVALID_VALUE, FEATURE_DISABLED.
    assert_eq!(bed.retval(&collect(sub, true)), -7);
    assert_eq!(bed.retval(&collect(bare, true)), -30);
    assert_eq!(bed.retval(&collect(NOBODY, true)), -2);
}
