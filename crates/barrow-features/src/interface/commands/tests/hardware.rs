//! `show hardware-interfaces` and `clear hardware-interfaces`.

use super::{fails, quietly, run};
use crate::interface::Framing;
use crate::interface::test_device::{Plan, node, take};

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
