//! Interface events.

use crate::interface::test_device::{Plan, node};
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::testing::{TestClient, Testbed};
use barrow_messages::interface::{
    CreateLoopback, DeleteLoopback, SwInterfaceEvent, SwInterfaceSetFlags, WantInterfaceEvents,
};
use barrow_messages::interface_types::IfStatusFlags;

const WANTED: WantInterfaceEvents = WantInterfaceEvents {
    enable_disable: 1,
    pid: 77,
};

/// What came: index, flags, deleted.
fn came(bed: &mut Testbed, client: &mut TestClient) -> Vec<(u32, u32, bool)> {
    bed.run();
    let events: Vec<SwInterfaceEvent> = client.events();
    assert!(events.iter().all(|event| event.pid == 77));
    let seen = events
        .iter()
        .map(|e| (e.sw_if_index.0, e.flags.0, e.deleted));
    seen.collect()
}

#[test]
fn who_asked_is_told_of_creation_state_link_and_deletion() {
    let mut bed = node();
    let mut client = bed.client();
    assert_eq!(client.request(&mut bed, &WANTED).retval, 0);
    let index = bed.request(&CreateLoopback::default()).sw_if_index;
    assert_eq!(came(&mut bed, &mut client), [(1, 0, false)]);
    bed.request(&SwInterfaceSetFlags {
        sw_if_index: index,
        flags: IfStatusFlags(1),
    });
    assert_eq!(came(&mut bed, &mut client), [(1, 3, false)]);
    bed.command("test interface link-state loop0 down");
    assert_eq!(came(&mut bed, &mut client), [(1, 0, false)]);
    bed.command("test interface link-state loop0 up");
    assert_eq!(came(&mut bed, &mut client), [(1, 2, false)]);
    bed.request(&DeleteLoopback { sw_if_index: index });
    assert_eq!(came(&mut bed, &mut client), [(1, 0, true)]);
}

#[test]
fn a_link_that_changes_outside_is_told_too() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let mut client = bed.client();
    client.request(&mut bed, &WANTED);
    let interfaces: Interfaces = bed.table();
    let hw = interfaces.hw_of(eth).unwrap().index;
    interfaces.set_link(hw, true).unwrap();
    assert_eq!(came(&mut bed, &mut client), [(eth.0, 2, false)]);
    interfaces.set_link(hw, true).unwrap();
    assert_eq!(came(&mut bed, &mut client), [], "nothing changed");
}

#[test]
fn asking_twice_or_stopping_twice_is_refused() {
    let mut bed = node();
    let stop = WantInterfaceEvents {
        enable_disable: 0,
        pid: 77,
    };
    assert_eq!(bed.retval(&stop), -31);
    assert_eq!(bed.retval(&WANTED), 0);
    assert_eq!(bed.retval(&WANTED), -31);
    assert_eq!(bed.retval(&stop), 0);
    assert_eq!(bed.retval(&stop), -31);
    bed.request(&CreateLoopback::default());
    bed.run();
    assert_eq!(bed.events::<SwInterfaceEvent>(), []);
}

#[test]
fn sub_interfaces_are_told_before_the_interface_they_go_with() {
    let mut bed = node();
    Plan::ethernet("eth0").add(&bed);
    bed.command("create sub-interfaces eth0 5");
    let mut client = bed.client();
    client.request(&mut bed, &WANTED);
    let interfaces: Interfaces = bed.table();
    interfaces.delete(SwIfIndex(1)).unwrap();
    assert_eq!(came(&mut bed, &mut client), [(2, 0, true), (1, 0, true)]);
}
