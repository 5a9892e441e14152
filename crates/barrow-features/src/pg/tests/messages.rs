//! Messages, by value and with their error numbers.

use super::*;

#[test]
fn messages_make_interfaces_and_find_them_again() {
    let mut node = Node::new();
    let v3 = PgCreateInterfaceV3 {
        interface_id: InterfaceIndex(0),
        pg_flags: PgInterfaceFlags::PG_API_FLAG_GSO,
        gso_size: 1448,
        mode: PgInterfaceMode::PG_API_MODE_ETHERNET,
    };
    let first = node.bed.request(&v3);
    assert_eq!((first.retval, first.sw_if_index.0), (0, 1));
    // retvals.json: the same id again is no error.
    assert_eq!(node.bed.request(&v3), first);
    let v2 = PgCreateInterfaceV2 {
        interface_id: InterfaceIndex(5),
        mode: PgInterfaceMode::PG_API_MODE_IP4,
        ..PgCreateInterfaceV2::default()
    };
    assert_eq!(node.bed.request(&v2).sw_if_index.0, 2);
    let v1 = PgCreateInterface {
        interface_id: InterfaceIndex(6),
        ..PgCreateInterface::default()
    };
    assert_eq!(node.bed.request(&v1).sw_if_index.0, 3);
    assert_eq!(node.interfaces().name(SwIfIndex(3)).as_deref(), Some("pg6"));
    let bad = PgCreateInterfaceV2 {
        mode: PgInterfaceMode(3),
        interface_id: InterfaceIndex(9),
        ..v2
    };
    assert_eq!(node.bed.retval(&bad), -7);
    let coalesce = |index, on| PgInterfaceEnableDisableCoalesce {
        sw_if_index: InterfaceIndex(index),
        coalesce_enabled: on,
    };
    // vpp:src/vnet/pg/pg_api.c: only with GSO.
    assert_eq!(node.bed.retval(&coalesce(1, true)), 0);
    assert_eq!(node.bed.retval(&coalesce(2, true)), -100);
    assert_eq!(node.bed.retval(&coalesce(0, true)), -54);
    assert_eq!(node.bed.retval(&coalesce(9999, true)), -2);
    let delete = |index| PgDeleteInterface {
        sw_if_index: InterfaceIndex(index),
    };
    assert_eq!(node.bed.retval(&delete(2)), 0);
    assert_eq!(node.bed.retval(&delete(2)), -2);
    assert_eq!(node.bed.retval(&delete(0)), -2);
    assert_eq!(node.bed.retval(&delete(9999)), -2); // retvals.json
}

#[test]
fn messages_capture_and_switch_streams() {
    let mut node = Node::new();
    node.route();
    let capture = |node: &Node, id, name: &str, is_enabled| PgCapture {
        interface_id: InterfaceIndex(id),
        is_enabled,
        count: 0,
        pcap_file_name: node.path(name).display().to_string().into(),
    };
    let [taken, fresh] = ["taken.pcap", "fresh.pcap"];
    std::fs::write(node.path(taken), "").unwrap();
    let message = capture(&node, 1, taken, true);
    assert_eq!(node.bed.retval(&message), -93);
    let message = capture(&node, 77, fresh, true);
    assert_eq!(node.bed.retval(&message), -2);
    let message = capture(&node, 1, fresh, true);
    assert_eq!(node.bed.retval(&message), 0);
    let switch = |name: &str, on| PgEnableDisable {
        is_enabled: on,
        stream_name: name.into(),
    };
    node.generator()
        .define(&format!(
            "name s limit 2 size 100-100 interface pg0 node ethernet-input data {{ {UDP} }}"
        ))
        .unwrap();
    assert_eq!(node.bed.retval(&switch("nosuch", true)), -6);
    assert_eq!(node.bed.retval(&switch("s", true)), 0);
    node.bed.run();
    assert_eq!(node.captured(fresh).len(), 2);
    assert_eq!(node.bed.retval(&switch("", true)), 0);
    assert_eq!(node.bed.retval(&switch("", false)), 0);
    assert!(!node.generator().streams()[0].enabled);
    let message = capture(&node, 1, "", false);
    assert_eq!(node.bed.retval(&message), 0);
    assert_eq!(node.bed.retval(&message), 0);
}
