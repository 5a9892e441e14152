//! Numbers without another source are those of `retvals.json`, captured from VPP 26.06.

use super::ArcsFeature;
use crate::interface::test_device::{Plan, features};
use crate::interface::{InterfaceEvent, Interfaces};
use barrow_engine::Constraint;
use barrow_engine::testing::{TestPacket, Testbed};
use barrow_messages::feature::{FeatureEnableDisable, FeatureIsEnabled};
use barrow_messages::interface_types::InterfaceIndex;
use std::cell::Cell;
use std::rc::Rc;

/// A node with `eth0`, and two features on the arc `interface-output`, which are sinks.
fn node() -> Testbed {
    let builder = features().feature(ArcsFeature).register(|engine| {
        engine.feature_on_arc("interface-output", "second", [Constraint::after("first")]);
        engine.feature_on_arc("interface-output", "first", []);
        Ok(())
    });
    let bed = builder.build().unwrap();
    Plan::ethernet("eth0").add(&bed);
    bed
}

fn enable(feature: &str, enable: bool) -> FeatureEnableDisable {
    FeatureEnableDisable {
        sw_if_index: InterfaceIndex(1),
        enable,
        arc_name: "interface-output".try_into().unwrap(),
        feature_name: feature.try_into().unwrap(),
    }
}

fn is_enabled(bed: &mut Testbed, feature: &str) -> (i32, bool) {
    let reply = bed.request(&FeatureIsEnabled {
        arc_name: "interface-output".try_into().unwrap(),
        feature_name: feature.try_into().unwrap(),
        sw_if_index: InterfaceIndex(1),
    });
    (reply.retval, reply.is_enabled)
}

#[test]
fn a_feature_is_switched_on_and_off_by_message() {
    let mut bed = node();
    let interfaces: Interfaces = bed.table();
    let told = Rc::new(Cell::new(0));
    interfaces.subscribe({
        let told = Rc::clone(&told);
        move |event| {
            if matches!(event, InterfaceEvent::Features(_)) {
                told.set(told.get() + 1);
            }
        }
    });
    assert_eq!(is_enabled(&mut bed, "first"), (0, false));
    assert_eq!(bed.retval(&enable("first", true)), 0);
    assert_eq!(is_enabled(&mut bed, "first"), (0, true));
    assert_eq!(is_enabled(&mut bed, "second"), (0, false));
    assert_eq!(bed.retval(&enable("first", false)), 0);
    assert_eq!(is_enabled(&mut bed, "first"), (0, false));
    assert_eq!(told.get(), 2, "adjacencies learn of it");
}

#[test]
fn what_does_not_exist_is_not_switched() {
    let mut bed = node();
    let mut request = enable("nosuch", true);
    assert_eq!(bed.retval(&request), -7);
    request.arc_name = "nosuch".try_into().unwrap();
    assert_eq!(bed.retval(&request), -7);
    let mut request = enable("first", true);
    request.sw_if_index = InterfaceIndex(9999);
    assert_eq!(bed.retval(&request), -2);
}

#[test]
fn what_does_not_exist_counts_as_enabled() {
    let mut bed = node();
    // vpp:src/vnet/feature/feature_api.c: the handler stores the error number in its bool, and answers 0.
    assert_eq!(is_enabled(&mut bed, "nosuch"), (0, true));
    let mut request = FeatureIsEnabled {
        arc_name: "nosuch".try_into().unwrap(),
        ..FeatureIsEnabled::default()
    };
    let reply = bed.request(&request);
    assert_eq!((reply.retval, reply.is_enabled), (0, true));
    request.sw_if_index = InterfaceIndex(9999);
    assert_eq!(bed.retval(&request), -2);
}

#[test]
fn a_feature_is_switched_on_and_off_by_command() {
    let mut bed = node();
    let command = "set interface feature eth0 second arc interface-output";
    assert_eq!(bed.command(command).retval, 0);
    assert_eq!(is_enabled(&mut bed, "second"), (0, true));
    let shown = bed.command("show interface features eth0").text;
    assert!(shown.contains("\ninterface-output:\n  second\n"), "{shown}");
    let shown = bed.command("show interface features eth0 verbose").text;
    let verbose = "\ninterface-output:\n  [ 1] second\n  [end] interface-tx\n";
    assert!(shown.contains(verbose), "{shown}");
    assert_eq!(bed.command(&format!("{command} disable")).retval, 0);
    assert_eq!(is_enabled(&mut bed, "second"), (0, false));
}

#[test]
fn a_command_says_what_it_does_not_know() {
    let mut bed = node();
    let mut fails = |arguments: &str, text: &str| {
        let ran = bed.command(&format!("set interface feature {arguments}"));
        let text = format!("set interface feature: {text}");
        assert_eq!((ran.retval, ran.text.trim_end()), (-1, text.as_str()));
    };
    // vpp:src/vnet/feature/feature.c, set_interface_features_command_fn
    fails("eth0 first arc nosuch", "Unknown arc name (nosuch)...");
    fails("disable", "Both feature name and arc required...");
    fails(
        "nosuch first arc interface-output",
        // Of what is left, 30 characters are shown (vpp:src/vppinfra/unformat.c, format_unformat_error).
        "unknown input `nosuch first arc interface-out...'",
    );
    fails(
        "eth0 nosuch arc interface-output",
        "Feature (nosuch) not registered to arc (interface-output)... \
         See 'show features verbose' for valid feature/arc combinations.",
    );
}

#[test]
fn arcs_are_shown_with_their_features() {
    let mut bed = node();
    let shown = bed.command("show features").text;
    assert!(shown.starts_with("Available feature paths\n"), "{shown}");
    assert!(shown.contains("interface-output:\n  first\n  second\n"));
    let shown = bed.command("show features verbose").text;
    assert!(
        shown.contains("interface-output:\n  [ 0]: first\n  [ 1]: second\n"),
        "{shown}"
    );
}

#[test]
fn packets_go_where_the_features_are() {
    let mut bed = node();
    bed.command("set interface state eth0 up");
    let send = |bed: &mut Testbed| {
        bed.inject("eth0-output", TestPacket::new([0; 64]).tx(1));
        bed.run();
        ["first", "second", "wire"].map(|sink| bed.take(sink).len())
    };
    assert_eq!(send(&mut bed), [0, 0, 1]);
    assert_eq!(bed.retval(&enable("second", true)), 0);
    assert_eq!(send(&mut bed), [0, 1, 0]);
    assert_eq!(bed.retval(&enable("first", true)), 0);
    assert_eq!(send(&mut bed), [1, 0, 0]);
    assert_eq!(bed.retval(&enable("first", false)), 0);
    assert_eq!(bed.retval(&enable("second", false)), 0);
    assert_eq!(send(&mut bed), [0, 0, 1]);
    bed.assert_conserved();
}
