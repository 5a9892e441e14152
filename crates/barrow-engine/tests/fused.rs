//! Groups of nodes that run as one: what the engine promises about them.

mod nodes;

use barrow_engine::testing::{Captured, TestPacket, Testbed};
use barrow_engine::{BufferExt, FusedContext, FusedGroup, NodeId, Vector};
use nodes::{Choice, Next};

/// Sends what `in` and `mid` would send to `a`: packets of even numbers, up to a number.
struct Evens {
    a: NodeId,
    until: u8,
}

impl FusedGroup for Evens {
    fn run(&mut self, _: &mut FusedContext<'_>, vector: &mut Vector<'_>, nexts: &mut Vec<NodeId>) {
        for buffer in vector.buffers_mut() {
            let [number, ..] = *buffer.packet().data() else {
                panic!("as the test asked");
            };
            if number >= self.until {
                return;
            }
            nexts.push(if number.is_multiple_of(2) {
                self.a
            } else {
                NodeId::NONE
            });
        }
    }
}

/// `in` and `mid`, which hand everything on to `a`, and a group of both.
fn bed(until: u8) -> Testbed {
    Testbed::builder()
        .sink("a")
        .register(move |engine| {
            engine.node("in", |_| Middle)?;
            engine.node("mid", |_| Choice(Next::A))?;
            let control = engine.control().clone();
            engine.fuse("evens", &["in", "mid"], move |_| Evens {
                a: control.node_by_name("a").expect("a sink"),
                until,
            });
            Ok(())
        })
        .build()
        .expect("the test registers a graph with sense")
}

#[derive(Clone, Copy, barrow_engine::NextNodes)]
enum MiddleNext {
    #[next_node = "mid"]
    Mid,
}

struct Middle;

impl barrow_engine::PacketNode for Middle {
    type NextNodes = MiddleNext;
    type Errors = barrow_engine::NoErrors;
    fn dispatch(&mut self, cx: &mut barrow_engine::PacketContext<'_, Self>, vector: Vector<'_>) {
        cx.enqueue_all(vector, cx.next(MiddleNext::Mid));
    }
}

fn send(bed: &mut Testbed, numbers: std::ops::Range<u8>) -> Vec<u8> {
    bed.inject_all("in", numbers.map(|number| TestPacket::new([number])));
    bed.run();
    bed.assert_conserved();
    let seen: Vec<Captured> = bed.take("a");
    seen.iter().map(|packet| packet.bytes[0]).collect()
}

/// Packets that went through the group, and those that `in` and `mid` count.
fn counted(bed: &Testbed) -> [u64; 3] {
    let vectors = |name| bed.control().node_runtime(0, bed.node(name)).vectors;
    [
        bed.control().fused()[0].packets,
        vectors("in"),
        vectors("mid"),
    ]
}

#[test]
fn what_a_group_leaves_goes_through_its_nodes_in_order_behind_what_it_sends() {
    let mut bed = bed(6);
    assert_eq!(send(&mut bed, 0..10), [0, 2, 4, 1, 3, 5, 6, 7, 8, 9]);
    assert_eq!(counted(&bed), [3, 10, 10]);
    let sent = bed.control().sent(bed.node("in"), bed.node("mid"));
    assert_eq!(sent, 10, "as if all had gone there");
}

#[test]
fn a_group_that_is_switched_off_does_not_run_and_one_that_is_on_again_does() {
    let mut bed = bed(100);
    bed.control().set_fusing(false);
    assert_eq!(send(&mut bed, 0..4), [0, 1, 2, 3]);
    assert_eq!(counted(&bed), [0, 4, 4]);
    bed.control().set_fusing(true);
    assert_eq!(send(&mut bed, 0..4), [0, 2, 1, 3]);
    assert_eq!(counted(&bed), [2, 8, 8]);
}

#[test]
fn a_vector_with_packets_to_trace_goes_through_the_single_nodes() {
    for node in ["in", "mid"] {
        let mut bed = bed(100);
        bed.control().trace().add(bed.node(node), 1);
        assert_eq!(send(&mut bed, 0..4), [0, 1, 2, 3]);
        assert_eq!(counted(&bed)[0], 0);
        assert_eq!(bed.traces().len(), 1);
        assert_eq!(send(&mut bed, 0..4), [0, 2, 1, 3]);
    }
}

#[test]
fn a_group_that_panics_loses_its_vector_and_is_not_asked_again() {
    let mut bed = bed(100);
    bed.inject("in", TestPacket::new([]));
    bed.run();
    assert_eq!(bed.control().panics(0), 1);
    bed.advance(std::time::Duration::from_secs(10));
    assert_eq!(
        send(&mut bed, 0..4),
        [0, 1, 2, 3],
        "its first node is made anew"
    );
    assert_eq!(counted(&bed)[0], 0);
}

#[test]
fn a_group_of_a_node_that_does_not_exist_is_refused() {
    let built = Testbed::builder()
        .sink("a")
        .register(|engine| {
            engine.node("in", |_| Choice(Next::A))?;
            let a = NodeId::DROP;
            engine.fuse("evens", &["in", "nosuch"], move |_| Evens { a, until: 0 });
            Ok(())
        })
        .build();
    let error = built.expect_err("nosuch is nowhere").to_string();
    assert!(
        error.contains("nosuch") && error.contains("evens"),
        "{error}"
    );
}
