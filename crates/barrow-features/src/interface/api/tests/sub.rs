//! Sub-interfaces.

use super::NOBODY;
use crate::interface::test_device::{Plan, node};
use crate::interface::{Framing, Interfaces};
use barrow_messages::interface::{CreateSubif, CreateVlanSubif, DeleteSubif};
use barrow_messages::interface_types::{InterfaceIndex, SubIfFlags};

const NOTHING: InterfaceIndex = InterfaceIndex(u32::MAX);
const ONE_TAG: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_ONE_TAG;
const EXACT: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_EXACT_MATCH;

#[test]
fn a_vlan_sub_interface_is_named_after_its_tag() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let mut create = |sw_if_index, vlan_id| {
        let reply = bed.request(&CreateVlanSubif {
            sw_if_index,
            vlan_id,
        });
        (reply.retval, reply.sw_if_index)
    };
    assert_eq!(create(eth.into(), 100), (0, InterfaceIndex(2)));
    assert_eq!(
        create(InterfaceIndex(2), 7),
        (0, InterfaceIndex(3)),
        "of its device"
    );
    assert_eq!(create(eth.into(), 100), (-56, NOTHING));
    assert_eq!(create(eth.into(), 0), (-55, NOTHING));
    assert_eq!(create(eth.into(), 4096), (-55, NOTHING));
    assert_eq!(create(eth.into(), 4095).0, 0);
    assert_eq!(create(NOBODY, 5), (-2, NOTHING));
    let interfaces: Interfaces = bed.table();
    assert_eq!(
        interfaces.name(create_index(2)),
        Some("eth0.100".to_owned())
    );
    assert_eq!(interfaces.name(create_index(3)), Some("eth0.7".to_owned()));
}

fn create_index(index: u32) -> crate::interface::SwIfIndex {
    crate::interface::SwIfIndex(index)
}

#[test]
fn a_sub_interface_has_any_id_and_any_tags() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let bare = Plan {
        framing: Framing::Ip4,
        ..Plan::ethernet("bare0")
    };
    let (bare, _) = bare.add(&bed);
    let mut create = |sw_if_index, sub_id, sub_if_flags, outer_vlan_id| {
        let reply = bed.request(&CreateSubif {
            sw_if_index,
            sub_id,
            sub_if_flags,
            outer_vlan_id,
            inner_vlan_id: 0,
        });
        (reply.retval, reply.sw_if_index)
    };
    let eth = InterfaceIndex::from(eth);
    assert_eq!(
        create(eth, 1_000_000, ONE_TAG | EXACT, 100),
        (0, InterfaceIndex(3))
    );
    assert_eq!(create(eth, 1_000_000, ONE_TAG | EXACT, 101), (-56, NOTHING));
    // vpp:src/vnet/ethernet/interface.c, vnet_create_sub_interface: UNSPECIFIED for all else.
    assert_eq!(
        create(eth, 5, ONE_TAG, 100),
        (-1, NOTHING),
        "the tag is taken"
    );
    assert_eq!(create(eth, 5, ONE_TAG, 4096), (-1, NOTHING));
    assert_eq!(create(eth, 5, SubIfFlags::EMPTY, 5), (-1, NOTHING));
    assert_eq!(create(bare.into(), 5, ONE_TAG, 5), (-1, NOTHING));
    assert_eq!(create(InterfaceIndex(3), 5, ONE_TAG, 5), (-1, NOTHING));
    assert_eq!(create(NOBODY, 5, ONE_TAG, 5), (-2, NOTHING));
}

#[test]
fn a_sub_interface_is_deleted_and_its_tag_free_again() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let create = CreateVlanSubif {
        sw_if_index: eth.into(),
        vlan_id: 100,
    };
    let sub = bed.request(&create).sw_if_index;
    let delete = |sw_if_index| DeleteSubif { sw_if_index };
    assert_eq!(bed.retval(&delete(sub)), 0);
    assert_eq!(bed.retval(&delete(sub)), -2);
    assert_eq!(bed.request(&create).sw_if_index, sub);
    // vpp:src/vnet/ethernet/interface.c, vnet_delete_sub_interface: INVALID_SUB_SW_IF_INDEX.
    assert_eq!(bed.retval(&delete(eth.into())), -98);
    assert_eq!(bed.retval(&delete(NOBODY)), -2);
}
