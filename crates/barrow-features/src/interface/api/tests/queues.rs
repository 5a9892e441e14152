//! Receive modes and placement.

use super::NOBODY;
use crate::interface::test_device::{Asked, Plan, features, node, take};
use barrow_engine::testing::Testbed;
use barrow_messages::interface::*;
use barrow_messages::interface_types::{InterfaceIndex, RxMode};

/// Two workers, `eth0` with two queues each way, `loop0` without any.
fn with_queues() -> (Testbed, InterfaceIndex, InterfaceIndex, Asked) {
    let mut bed = features().workers(2).build().unwrap();
    let plan = Plan {
        queues: 2,
        ..Plan::ethernet("eth0")
    };
    let (eth, asked) = plan.add(&bed);
    let looped = bed.request(&CreateLoopback::default()).sw_if_index;
    (bed, eth.into(), looped, asked)
}

fn placements(bed: &mut Testbed, sw_if_index: InterfaceIndex) -> Vec<(u32, u32, u32, u32)> {
    let all = bed.dump(&SwInterfaceRxPlacementDump { sw_if_index });
    let seen = all
        .iter()
        .map(|p| (p.sw_if_index.0, p.queue_id, p.worker_id, p.mode.0));
    seen.collect()
}

#[test]
fn a_receive_mode_is_that_of_one_queue_or_all() {
    let (mut bed, eth, looped, asked) = with_queues();
    let set = |sw_if_index, queue: Option<u32>, mode| SwInterfaceSetRxMode {
        sw_if_index,
        queue_id_valid: queue.is_some(),
        queue_id: queue.unwrap_or(0),
        mode,
    };
    let interrupt = RxMode::RX_MODE_API_INTERRUPT;
    assert_eq!(bed.retval(&set(eth, Some(1), interrupt)), 0);
    assert_eq!(placements(&mut bed, eth), [(1, 0, 0, 1), (1, 1, 0, 2)]);
    assert_eq!(bed.retval(&set(eth, None, RxMode::RX_MODE_API_ADAPTIVE)), 0);
    assert_eq!(placements(&mut bed, eth), [(1, 0, 0, 3), (1, 1, 0, 3)]);
    assert_eq!(
        take(&asked),
        ["queue 1 interrupt", "queue 0 adaptive", "queue 1 adaptive"]
    );
    assert_eq!(bed.retval(&set(eth, None, RxMode::RX_MODE_API_DEFAULT)), 0);
    assert_eq!(placements(&mut bed, eth), [(1, 0, 0, 2), (1, 1, 0, 2)]);
    // retvals.json: a pg interface of VPP has no queue; nothing is changed, and 0 is answered.
    assert_eq!(bed.retval(&set(looped, None, interrupt)), 0);
    assert_eq!(
        bed.retval(&set(looped, None, RxMode::RX_MODE_API_UNKNOWN)),
        0
    );
    assert_eq!(bed.retval(&set(NOBODY, None, interrupt)), -2);
    // vpp:src/vnet/interface_api.c: UNIMPLEMENTED for a queue that does not exist.
    assert_eq!(bed.retval(&set(eth, Some(2), interrupt)), -9);
    assert_eq!(bed.retval(&set(eth, None, RxMode::RX_MODE_API_UNKNOWN)), -7);
}

#[test]
fn the_default_receive_mode_is_set_and_got() {
    let mut bed = node();
    let set = |mode| SwInterfaceSetDefaultRxMode { mode };
    assert_eq!(bed.retval(&set(RxMode::RX_MODE_API_ADAPTIVE)), 0);
    let got = bed.request(&SwInterfaceGetDefaultRxMode {});
    assert_eq!((got.retval, got.mode), (0, RxMode::RX_MODE_API_ADAPTIVE));
    // vpp:src/vnet/interface_api.c: INVALID_VALUE.
    assert_eq!(bed.retval(&set(RxMode::RX_MODE_API_DEFAULT)), -7);
    assert_eq!(bed.retval(&set(RxMode::RX_MODE_API_UNKNOWN)), -7);
}

#[test]
fn a_queue_moves_to_a_worker_and_back_to_main() {
    let (mut bed, eth, _, asked) = with_queues();
    let place = |sw_if_index, queue_id, worker: Option<u32>| SwInterfaceSetRxPlacement {
        sw_if_index,
        queue_id,
        worker_id: worker.unwrap_or(0),
        is_main: worker.is_none(),
    };
    assert_eq!(bed.retval(&place(eth, 1, Some(1))), 0);
    assert_eq!(placements(&mut bed, eth), [(1, 0, 0, 1), (1, 1, 2, 1)]);
    assert_eq!(bed.retval(&place(eth, 1, None)), 0);
    assert_eq!(bed.retval(&place(eth, 1, None)), 0, "it is there");
    assert_eq!(take(&asked), ["queue 1 on thread 2", "queue 1 on thread 0"]);
    assert_eq!(bed.retval(&place(NOBODY, 0, None)), -2);
    assert_eq!(bed.retval(&place(eth, 0, Some(7))), -9);
    assert_eq!(bed.retval(&place(eth, 0, Some(u32::MAX))), -9);
    assert_eq!(bed.retval(&place(eth, 9, None)), -9);
    let sub = CreateVlanSubif {
        sw_if_index: eth,
        vlan_id: 5,
    };
    let sub = bed.request(&sub).sw_if_index;
    // vpp:src/vnet/interface_api.c: INVALID_VALUE.
    assert_eq!(bed.retval(&place(sub, 0, None)), -7);
}

#[test]
fn placements_are_dumped_of_one_device_or_all() {
    let (mut bed, eth, looped, _) = with_queues();
    let (other, _) = Plan::ethernet("eth1").add(&bed);
    let all = placements(&mut bed, InterfaceIndex(u32::MAX));
    assert_eq!(all, [(1, 0, 0, 1), (1, 1, 0, 1), (3, 0, 0, 1)]);
    assert_eq!(placements(&mut bed, other.into()), [(3, 0, 0, 1)]);
    assert_eq!(placements(&mut bed, looped), []);
    assert_eq!(placements(&mut bed, NOBODY), []);
    bed.command("create sub-interfaces eth0 7");
    let sub = bed.command("show interface eth0.7").text;
    assert!(sub.contains("eth0.7"), "{sub}");
    assert_eq!(
        placements(&mut bed, InterfaceIndex(4)),
        [],
        "a sub-interface"
    );
    assert_eq!(placements(&mut bed, eth).len(), 2);
}

#[test]
fn transmit_queues_are_placed_and_told() {
    let (mut bed, eth, looped, asked) = with_queues();
    let place = |sw_if_index, queue_id, threads: &[u32]| SwInterfaceSetTxPlacement {
        sw_if_index,
        queue_id,
        threads: threads.to_vec(),
    };
    assert_eq!(bed.retval(&place(eth, 1, &[2, 0])), 0);
    assert_eq!(take(&asked), ["tx queue 1 for [0, 2]"]);
    let get = |sw_if_index| SwInterfaceTxPlacementGet {
        cursor: 0,
        sw_if_index,
    };
    let (details, reply) = bed.cursor(&get(InterfaceIndex(u32::MAX)));
    let seen: Vec<_> = details
        .iter()
        .map(|d| (d.sw_if_index.0, d.queue_id, d.shared, d.threads.as_slice()))
        .collect();
    assert_eq!(seen, [(1, 0, 0, &[0][..]), (1, 1, 1, &[0, 2])]);
    assert_eq!((reply.retval, reply.cursor), (0, u32::MAX));
    let (details, reply) = bed.cursor(&get(looped));
    assert_eq!((details.len(), reply.retval), (0, 0));
    assert_eq!(bed.cursor(&get(NOBODY)).1.retval, -2);
    assert_eq!(bed.retval(&place(NOBODY, 0, &[0])), -2);
    // vpp:src/vnet/interface_cli.c, set_hw_interface_tx_queue: INVALID_VALUE, INVALID_QUEUE.
    assert_eq!(bed.retval(&place(eth, 0, &[3])), -7);
    assert_eq!(bed.retval(&place(eth, 9, &[0])), -125);
    let sub = CreateVlanSubif {
        sw_if_index: eth,
        vlan_id: 5,
    };
    let sub = bed.request(&sub).sw_if_index;
    // vpp:src/vnet/interface_api.c: INVALID_VALUE, INVALID_INTERFACE.
    assert_eq!(bed.retval(&place(sub, 0, &[0])), -7);
    assert_eq!(bed.cursor(&get(sub)).1.retval, -71);
}

#[test]
fn a_node_without_transmit_queues_says_so() {
    let mut bed = node();
    let get = SwInterfaceTxPlacementGet {
        cursor: 0,
        sw_if_index: InterfaceIndex(u32::MAX),
    };
    // vpp:src/vnet/interface_api.c: NO_SUCH_ENTRY.
    assert_eq!(bed.cursor(&get).1.retval, -6);
}

#[test]
fn a_cursor_goes_on_where_the_last_run_ended() {
    let mut bed = node();
    for n in 0..3 {
        let name = format!("eth{n}");
        let plan = Plan {
            queues: 100,
            ..Plan::ethernet(&name)
        };
        plan.add(&bed);
    }
    let mut request = SwInterfaceTxPlacementGet {
        cursor: 0,
        sw_if_index: InterfaceIndex(u32::MAX),
    };
    let (first, reply) = bed.cursor(&request);
    assert_eq!((first.len(), reply.retval), (256, -165), "EAGAIN");
    request.cursor = reply.cursor;
    let (rest, reply) = bed.cursor(&request);
    assert_eq!((rest.len(), reply.retval, reply.cursor), (44, 0, u32::MAX));
    assert_eq!((rest[0].sw_if_index.0, rest[0].queue_id), (3, 56));
}
