//! How packets travel from node to node: §16's checklist on frames, queues and next nodes.

mod nodes;

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_engine::{NodeId, NodeOptions, VECTOR};
use nodes::{Alternate, Choice, Counting, Next, Nexts3};
use std::sync::{Arc, Mutex};

fn numbered(n: std::ops::Range<u32>) -> impl Iterator<Item = TestPacket> {
    n.map(|i| TestPacket::new(i.to_be_bytes()))
}

fn numbers(packets: &[barrow_engine::testing::Captured]) -> Vec<u32> {
    packets
        .iter()
        .map(|p| u32::from_be_bytes(p.bytes[..4].try_into().expect("four bytes")))
        .collect()
}

#[test]
fn a_vector_reaches_the_next_node_whole_and_in_order() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..256));
    bed.run();
    assert_eq!(numbers(&bed.take("a")), (0..256).collect::<Vec<_>>());
    let a = bed.node("a");
    assert_eq!(
        bed.control().node_runtime(0, a).calls,
        1,
        "one vector, one dispatch"
    );
    bed.assert_conserved();
}

#[test]
fn packets_for_one_node_keep_their_order_through_split_and_merge() {
    for classes in [2, 3, 4, 5, 7] {
        let mut bed = Testbed::with(move |engine| {
            engine.node("in", move |_| Alternate { classes })?;
            for i in 0..classes {
                engine.node(format!("m{i}").as_str(), |_| Choice(Next::A))?;
            }
            Ok(())
        });
        bed.inject_all("in", numbered(0..200));
        bed.run();
        let seen = numbers(&bed.take("a"));
        assert_eq!(seen.len(), 200);
        for class in 0..classes as u32 {
            let flow: Vec<_> = seen
                .iter()
                .copied()
                .filter(|n| n % classes as u32 == class)
                .collect();
            assert!(
                flow.is_sorted(),
                "flow {class} of {classes} is out of order"
            );
        }
        bed.assert_conserved();
    }
}

#[test]
fn more_than_a_vector_for_a_node_is_dispatched_in_several_in_the_same_turn() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..1000));
    bed.run();
    assert_eq!(numbers(&bed.take("a")), (0..1000).collect::<Vec<_>>());
    let calls = bed.control().node_runtime(0, bed.node("a")).calls;
    assert_eq!(calls, 1000u64.div_ceil(VECTOR as u64));
    bed.assert_conserved();
}

#[test]
fn half_vectors_of_two_nodes_are_merged_before_the_next_one_runs() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Alternate { classes: 2 })?;
        engine.node("m0", |_| Choice(Next::A))?;
        engine.node("m1", |_| Choice(Next::A))?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..200));
    bed.run();
    let runtime = bed.control().node_runtime(0, bed.node("a"));
    assert_eq!((runtime.calls, runtime.vectors), (1, 200));
}

#[test]
fn a_node_may_enqueue_to_itself_and_to_one_that_ran_before() {
    let mut bed = Testbed::with(|engine| {
        engine.node("loop", |_| Counting {
            rounds: 5,
            via: "loop",
        })?;
        engine.node("forth", |_| Counting {
            rounds: 3,
            via: "back",
        })?;
        engine.node("back", |_| Choice(Next::Forth))?;
        Ok(())
    });
    bed.inject_all("loop", numbered(0..10));
    bed.inject_all("forth", numbered(10..20));
    bed.run();
    assert_eq!(bed.take("a").len(), 20);
    bed.assert_conserved();
}

#[test]
fn an_empty_vector_is_never_dispatched() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        Ok(())
    });
    let node = bed.node("a");
    bed.control().on_thread(0, move |thread| thread.wake(node));
    bed.run();
    assert_eq!(bed.control().node_runtime(0, node).calls, 0);
}

#[test]
fn packets_left_in_a_vector_are_freed_and_counted_as_a_bug() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| nodes::Lazy)?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..7));
    bed.run();
    assert_eq!(bed.error("null-node", "left in vector"), 7);
    assert_eq!(bed.buffers_in_use(), 0);
}

#[test]
fn a_node_that_panics_fails_alone_and_its_packets_are_dropped_and_counted() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| nodes::Panics)?;
        engine.node("other", |_| Choice(Next::A))?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..7));
    bed.inject_all("other", numbered(0..3));
    bed.run();
    assert_eq!(bed.take("a").len(), 3);
    bed.inject_all("in", numbered(0..2));
    bed.run();
    assert_eq!(bed.error("null-node", "node gone"), 9);
    assert_eq!(bed.control().panics(0), 1);
    bed.assert_conserved();
}

#[test]
fn next_slots_are_stable_and_adding_an_arc_twice_gives_the_same_slot() {
    let bed = Testbed::with(|engine| {
        engine.node("in", |_| Alternate { classes: 1 })?;
        engine.node(NodeOptions::new("twin").sibling_of("in"), |_| Alternate {
            classes: 1,
        })?;
        Ok(())
    });
    let control = bed.control();
    let (node, twin, a) = (bed.node("in"), bed.node("twin"), bed.node("drop"));
    let declared = Nexts3::COUNT;
    assert_eq!(control.connect(node, a).unwrap(), declared);
    assert_eq!(control.connect(node, a).unwrap(), declared);
    assert_eq!(
        control.connect(twin, a).unwrap(),
        declared,
        "siblings share slots"
    );
    assert_eq!(control.node(twin).unwrap().nexts[declared].1, Some(a));
    let first = control.node(node).unwrap().nexts[0].1.unwrap();
    assert_eq!(
        control.connect(node, first).unwrap(),
        0,
        "a declared one keeps its slot"
    );
}

#[test]
fn a_node_added_and_removed_at_run_time_takes_effect_without_stopping_anything() {
    let mut bed = Testbed::with(|engine| {
        engine.node(NodeOptions::new("in").lazy_nexts(), |_| Choice(Next::Late))?;
        engine.node("sink-maker", |_| Choice(Next::A))?;
        Ok(())
    });
    // "late" exists as a sink of the testbed; take it out first.
    let late = bed.node("late");
    bed.control().remove_node(late).unwrap();
    bed.inject_all("in", numbered(0..3));
    bed.run();
    assert_eq!(bed.error("null-node", "blackholed packets"), 3);
    let seen = Arc::new(Mutex::new(0));
    let counter = seen.clone();
    let added = bed
        .control()
        .add_node("late", move |_| nodes::Tally(counter.clone()))
        .unwrap();
    assert_ne!(added, late, "an index rests before it is used again");
    bed.inject_all("in", numbered(0..4));
    bed.run();
    assert_eq!(*seen.lock().unwrap(), 4);
    bed.control().remove_node(added).unwrap();
    bed.control().on_thread(0, move |thread| {
        let mut frame = barrow_engine::Frame::new();
        let buffer = thread.packets().cache().alloc_one().unwrap();
        frame.push(buffer).unwrap();
        thread.inject(added, &mut frame);
    });
    bed.run();
    assert_eq!(bed.error("null-node", "node gone"), 1);
    bed.assert_conserved();
}

#[test]
fn a_node_keeps_its_packets_and_counters_under_another_name() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        engine.node("bad", |_| nodes::Drops(nodes::Why::Second))?;
        Ok(())
    });
    let (inn, bad) = (bed.node("in"), bed.node("bad"));
    bed.inject("bad", b"abc");
    bed.run();
    bed.control().rename_node(bad, "worse").unwrap();
    assert_eq!(bed.control().node_by_name("bad"), None);
    assert_eq!(bed.node("worse"), bad);
    assert_eq!(bed.error("worse", "second_reason"), 1);
    let stats = bed.control().stats();
    assert!(
        stats.find("/err/worse/second_reason").is_some()
            && stats.find("/err/bad/second_reason").is_none()
    );
    bed.control().rename_node(bad, "worse").unwrap();
    // The former name is free; a name in use and an index of nobody are refused.
    bed.control().rename_node(inn, "bad").unwrap();
    for (node, name) in [(inn, "worse"), (inn, "a b"), (NodeId::NONE, "x")] {
        assert!(bed.control().rename_node(node, name).is_err(), "{name}");
    }
    bed.inject("bad", b"abc");
    bed.run();
    assert_eq!(bed.take("a").len(), 1);
    bed.control().remove_node(bad).unwrap();
    assert_eq!(bed.control().node_by_name("worse"), None);
}

#[test]
fn a_node_with_an_unknown_next_node_is_refused_at_run_time() {
    let bed = Testbed::with(|_| Ok(()));
    let error = bed
        .control()
        .add_node("x", |_| Choice(Next::A))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "node x has next node a, which does not exist"
    );
    assert!(bed.control().node_by_name("x").is_none());
    assert!(
        bed.control().add_node("drop", |_| nodes::Lazy).is_err(),
        "the name is taken"
    );
    assert!(
        bed.control().add_node("a b", |_| nodes::Lazy).is_err(),
        "no name"
    );
}

#[test]
fn errors_are_counted_for_the_node_that_set_them_though_the_drop_node_is_shared() {
    let mut bed = Testbed::with(|engine| {
        engine.node("one", |_| nodes::Drops(nodes::Why::First))?;
        engine.node("two", |_| nodes::Drops(nodes::Why::Second))?;
        Ok(())
    });
    assert_eq!(
        bed.error("one", "first_reason"),
        0,
        "visible from the start"
    );
    bed.inject_all("one", numbered(0..5));
    bed.inject_all("two", numbered(0..9));
    bed.inject_all("drop", numbered(0..2));
    bed.run();
    assert_eq!(
        (
            bed.error("one", "first_reason"),
            bed.error("one", "second_reason")
        ),
        (5, 0)
    );
    assert_eq!(
        (
            bed.error("two", "first_reason"),
            bed.error("two", "second_reason")
        ),
        (0, 9)
    );
    assert_eq!(bed.error("null-node", "blackholed packets"), 2);
    let stats = bed.control().stats();
    assert!(stats.find("/err/two/second_reason").is_some());
    bed.control().errors().clear();
    assert_eq!(bed.error("two", "second_reason"), 0);
    bed.assert_conserved();
}

#[test]
fn the_counters_of_a_removed_node_are_gone_and_a_new_node_starts_at_zero() {
    let mut bed = Testbed::with(|engine| {
        engine.node("one", |_| nodes::Drops(nodes::Why::First))?;
        Ok(())
    });
    bed.inject_all("one", numbered(0..5));
    bed.run();
    let one = bed.node("one");
    bed.control().remove_node(one).unwrap();
    assert!(
        bed.control()
            .stats()
            .find("/err/one/first_reason")
            .is_none()
    );
    bed.control()
        .add_node("uno", |_| nodes::Drops(nodes::Why::First))
        .unwrap();
    assert_eq!(bed.error("uno", "first_reason"), 0);
}

#[test]
fn chained_packets_travel_are_freed_and_are_counted_as_one() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        engine.node("one", |_| nodes::Drops(nodes::Why::First))?;
        Ok(())
    });
    let bytes: Vec<u8> = (0..9000u32).map(|i| i as u8).collect();
    bed.inject("in", TestPacket::new(&bytes).segments_of(1000));
    bed.inject("one", TestPacket::new(&bytes));
    bed.run();
    let seen = bed.take("a");
    assert_eq!(seen[0].bytes, bytes);
    assert_eq!(seen[0].segments, [1000; 9]);
    assert_eq!(bed.error("one", "first_reason"), 1);
    bed.assert_conserved();
}

#[test]
fn runtime_counts_calls_and_packets_and_clears_without_the_thread_s_help() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        Ok(())
    });
    bed.inject_all("in", numbered(0..10));
    bed.run();
    let node = bed.node("in");
    let before = bed.control().node_runtime(0, node);
    assert_eq!((before.calls, before.vectors), (1, 10));
    assert!(before.clocks > 0 && before.max_clocks > 0 && before.max_vectors == 10);
    bed.control().clear_runtime();
    assert_eq!(bed.control().node_runtime(0, node).calls, 0);
    bed.inject_all("in", numbered(0..4));
    bed.run();
    let after = bed.control().node_runtime(0, node);
    assert_eq!((after.calls, after.vectors, after.max_vectors), (1, 4, 4));
}

#[test]
fn the_engine_s_own_nodes_have_the_indices_that_nodes_rely_on() {
    let bed = Testbed::with(|_| Ok(()));
    for (name, id) in [
        ("null-node", NodeId::NULL),
        ("error-drop", NodeId::ERROR_DROP),
        ("drop", NodeId::DROP),
        ("error-punt", NodeId::ERROR_PUNT),
        ("punt", NodeId::PUNT),
        ("punt-dispatch", NodeId::PUNT_DISPATCH),
    ] {
        assert_eq!(bed.node(name), id, "{name}");
    }
}
