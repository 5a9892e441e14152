//! Packet traces: exact limits, walks, filters, handoffs.

mod nodes;

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_engine::{
    Filter, InputContext, InputNode, NextNodes, NoErrors, PacketContext, PacketNode, Polled, Vector,
};
use nodes::{Choice, Drops, Next, Why};

fn bed() -> Testbed {
    Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        engine.node("bad", |_| Drops(Why::Second))?;
        engine.name_interfaces(|index| format!("eth{index}"));
        Ok(())
    })
}

#[test]
fn exactly_as_many_packets_are_traced_as_were_asked_for() {
    let mut bed = bed();
    let node = bed.node("in");
    assert!(bed.control().trace().add(node, 5));
    for burst in [3, 1, 200] {
        bed.inject_all("in", (0..burst).map(|i: u8| [i; 10]));
        bed.run();
    }
    assert_eq!(bed.traces().len(), 5);
    assert_eq!(bed.control().trace().left(node), 0);
    assert!(bed.control().trace().add(node, 2));
    bed.inject_all("in", (0..10).map(|i: u8| [i; 10]));
    bed.run();
    assert_eq!(bed.traces().len(), 7);
}

#[test]
fn a_trace_is_a_walk_with_times_nodes_and_reasons() {
    let mut bed = bed();
    bed.advance(std::time::Duration::from_micros(3_725_000_042));
    let (inn, bad) = (bed.node("in"), bed.node("bad"));
    bed.control().trace().add(inn, 1);
    bed.control().trace().add(bad, 1);
    bed.inject("in", b"abc");
    bed.run();
    bed.inject("bad", TestPacket::new(b"abc").rx(7));
    bed.run();
    let [walk, drop] = &bed.traces()[..] else {
        panic!("two traces")
    };
    assert_eq!(
        walk,
        "01:02:05:000042: in\n  3 bytes\n01:02:05:000042: a\n  3 bytes\n"
    );
    let expected =
        "01:02:05:000042: error-drop\n  rx:eth7\n01:02:05:000042: drop\n  bad: the second reason\n";
    assert_eq!(drop, expected);
}

#[test]
fn filters_keep_walks_with_or_without_a_node() {
    let mut bed = bed();
    let (inn, bad) = (bed.node("in"), bed.node("bad"));
    for node in [inn, bad] {
        bed.control().trace().add(node, 3);
    }
    for _ in 0..3 {
        bed.inject("in", b"abc");
        bed.inject("bad", b"abc");
    }
    bed.run();
    let drop = bed.node("drop");
    let trace = bed.control().trace().clone();
    trace.set_filter(Filter::Include {
        node: drop,
        count: 10,
    });
    assert_eq!(trace.packets().len(), 3);
    trace.set_filter(Filter::Exclude {
        node: drop,
        count: 2,
    });
    let kept = trace.packets();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|packet| !packet.visits(drop)));
    trace.set_filter(Filter::None);
    assert_eq!(trace.packets().len(), 6);
}

#[test]
fn clearing_forgets_traces_and_what_was_asked_for_also_for_packets_on_their_way() {
    let mut bed = bed();
    let node = bed.node("in");
    bed.control().trace().add(node, 10);
    bed.inject("in", b"abc");
    bed.run();
    bed.control().trace().clear();
    assert!(bed.traces().is_empty());
    bed.inject("in", b"abc");
    bed.run();
    assert!(bed.traces().is_empty());
}

#[test]
fn a_node_that_does_not_exist_or_gets_no_packets_cannot_be_traced() {
    let bed = bed();
    assert!(
        !bed.control()
            .trace()
            .add(barrow_engine::NodeId::from_index(9999).unwrap(), 1)
    );
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum ToOther {
    #[next_node = "target"]
    Target,
}

/// Hands packets to node `target` of another thread.
struct Away(usize);

impl PacketNode for Away {
    type NextNodes = ToOther;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let away = self.0;
        cx.trace_each(&mut vector, |_| format!("handoff to thread {away}"));
        cx.handoff(vector, away, cx.next(ToOther::Target));
    }
}

#[test]
fn a_packet_keeps_its_trace_when_it_goes_to_another_thread() {
    let mut bed = Testbed::builder()
        .workers(2)
        .register(|engine| {
            engine.node("away", |_| Away(2))?;
            engine.node("target", |_| Choice(Next::A))?;
            Ok(())
        })
        .build()
        .unwrap();
    bed.control().trace().add(bed.node("away"), 1);
    bed.inject_on(1, "away", [b"abc", b"def"]);
    bed.run();
    let packets = bed.control().trace().packets();
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].thread, 1, "it began there");
    let walk: Vec<_> = packets[0]
        .entries
        .iter()
        .map(|entry| {
            (
                bed.control().node_name(entry.node).to_string(),
                entry.thread,
            )
        })
        .collect();
    assert_eq!(
        walk,
        [("away".into(), 1), ("target".into(), 2), ("a".into(), 2)]
    );
    assert_eq!(bed.take("a").len(), 2);
    bed.assert_conserved();
}

/// Brings in packets, and says so in their traces.
struct Source {
    left: u32,
    frame: barrow_engine::Frame,
}

impl InputNode for Source {
    type NextNodes = Next;
    type Errors = NoErrors;
    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let n = cx.alloc(&mut self.frame, self.left as usize);
        self.left -= n as u32;
        let mut vector = self.frame.vector();
        for mut packet in vector.packets() {
            assert!(packet.append_bytes(b"made here"));
            if cx.tracing() {
                cx.trace_new(&mut packet, |packet| format!("{} new bytes", packet.len()));
            }
        }
        cx.enqueue_all(vector, cx.next(Next::A));
        Polled {
            packets: n as u32,
            more: self.left > 0,
        }
    }
}

#[test]
fn an_input_node_starts_traces_with_its_own_record() {
    let mut bed = Testbed::with(|engine| {
        let source = |_| Source {
            left: 0,
            frame: barrow_engine::Frame::default(),
        };
        engine.input_node("source", source)?;
        Ok(())
    });
    let node = bed.node("source");
    bed.control().trace().add(node, 3);
    bed.control()
        .with_node(0, node, |source: &mut Source| source.left = 600);
    bed.control().interrupt(0, node).unwrap().raise();
    bed.run();
    assert_eq!(bed.take("a").len(), 600);
    let traces = bed.traces();
    assert_eq!(traces.len(), 3);
    assert!(traces[0].starts_with("00:00:00:000000: source\n  9 new bytes\n"));
    bed.assert_conserved();
}
