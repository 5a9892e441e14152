//! Receive modes and placement.

use super::{fails, quietly, run};
use crate::interface::test_device::{Plan, features, node};
use crate::interface::{Interfaces, RxMode};
use barrow_engine::config::{Config, Source};

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
