//! What holds of the table whoever changes it.

use super::test_device::{Plan, node};
use super::{Interfaces, SwIfIndex};
use barrow_engine::testing::Testbed;
use barrow_messages::interface::{
    CreateLoopback, CreateVlanSubif, DeleteLoopback, SwInterfaceSetInterfaceName,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_stats::reader::{Reader, Value};
use std::cell::RefCell;
use std::rc::Rc;

fn create(bed: &mut Testbed) -> InterfaceIndex {
    bed.request(&CreateLoopback::default()).sw_if_index
}

/// `/if/names` and the names in `/interfaces`, as a reader of the segment sees them.
fn published(bed: &Testbed) -> (Vec<String>, Vec<String>) {
    let mut reader = Reader::map(bed.control().stats().descriptor()).unwrap();
    let names = match reader.get("/if/names").unwrap() {
        Some(Value::Names(names)) => names.into_iter().flatten().collect(),
        other => panic!("/if/names is {other:?}"),
    };
    let entries = reader.list().unwrap();
    let links = entries.iter().filter_map(|entry| {
        let name = entry.name.strip_prefix("/interfaces/")?;
        Some(name.strip_suffix("/rx")?.to_owned())
    });
    (names, links.collect())
}

#[test]
fn indexes_are_used_again_lowest_first() {
    let mut bed = node();
    let all: Vec<_> = (0..4).map(|_| create(&mut bed).0).collect();
    assert_eq!(all, [1, 2, 3, 4]);
    for index in [3, 1] {
        let delete = DeleteLoopback {
            sw_if_index: InterfaceIndex(index),
        };
        assert_eq!(bed.retval(&delete), 0);
    }
    let again: Vec<_> = (0..3).map(|_| create(&mut bed).0).collect();
    assert_eq!(again, [1, 3, 5]);
}

#[test]
fn an_index_that_is_used_again_has_nothing_of_its_former_owner() {
    let mut bed = node();
    let first = create(&mut bed);
    bed.command("set interface state loop0 up");
    bed.command("set interface tag loop0 old");
    bed.command("set interface mtu packet 1300 loop0");
    let counters: super::InterfaceCounters = bed.table();
    let rows = counters.rows(0).unwrap();
    rows.count(super::Simple::Drops, first.0, 5);
    bed.retval(&DeleteLoopback { sw_if_index: first });
    assert_eq!(create(&mut bed), first);
    let interfaces: Interfaces = bed.table();
    let sw = interfaces.sw(first.into()).unwrap();
    assert_eq!((sw.admin_up, sw.tag.as_str(), sw.mtu.l3), (false, "", 9000));
    assert!(!interfaces.words().get(first.into()).is_up());
    assert_eq!(counters.simple(super::Simple::Drops).sum(first.0), 0);
}

#[test]
fn statistics_follow_before_the_reply() {
    let mut bed = node();
    let looped = create(&mut bed);
    let (names, links) = published(&bed);
    assert_eq!(names, ["local0", "loop0"]);
    assert_eq!(links, ["local0", "loop0"]);
    bed.request(&CreateVlanSubif {
        sw_if_index: looped,
        vlan_id: 5,
    });
    bed.request(&SwInterfaceSetInterfaceName {
        sw_if_index: looped,
        name: "wan/1".try_into().unwrap(),
    });
    let (names, mut links) = published(&bed);
    assert_eq!(names, ["local0", "wan/1", "wan/1.5"]);
    links.sort();
    assert_eq!(links, ["local0", "wan_1", "wan_1.5"]);
    bed.request(&DeleteLoopback {
        sw_if_index: looped,
    });
    let (names, links) = published(&bed);
    assert_eq!(names, ["local0", "deleted", "deleted"]);
    assert_eq!(links, ["local0"]);
}

#[test]
fn deletion_takes_sub_interfaces_along_and_tells_each() {
    let bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let interfaces: Interfaces = bed.table();
    for id in [5, 6] {
        let sub = super::SubInterface {
            parent: eth,
            id: id.into(),
            vlan: super::VlanMatch::dot1q(id),
        };
        interfaces.create_sub(sub).unwrap();
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    interfaces.subscribe({
        let told = Rc::clone(&told);
        move |event| {
            if let super::InterfaceEvent::Deleted(index) = event {
                told.borrow_mut().push(index);
            }
        }
    });
    interfaces.delete(eth).unwrap();
    assert_eq!(*told.borrow(), [SwIfIndex(2), SwIfIndex(3), SwIfIndex(1)]);
    let left: Vec<_> = interfaces.iter_indexes().collect();
    assert_eq!(left, [SwIfIndex::LOCAL0]);
    assert!(bed.control().node_by_name("eth0-output").is_none());
    assert!(bed.control().node_by_name("eth0-tx").is_none());
}

#[test]
fn local0_cannot_be_deleted() {
    let bed = node();
    let interfaces: Interfaces = bed.table();
    assert!(interfaces.delete(SwIfIndex::LOCAL0).is_err());
    assert_eq!(
        interfaces.name(SwIfIndex::LOCAL0),
        Some("local0".to_owned())
    );
}
