//! Traces and the graph through commands and messages.

use super::*;
use barrow_engine::testing::{Ran, TestPacket, Testbed};
use barrow_engine::{
    InputContext, InputNode, NextNodes, NoErrors, NoNext, PacketContext, PacketNode, Polled, Vector,
};
use barrow_messages::graph::{GraphNodeGet, NodeFlag};
use barrow_messages::tracedump::{
    TraceCapturePackets, TraceClearCache, TraceClearCapture, TraceDump, TraceFilterFlag,
    TraceSetFilters, TraceV2Dump,
};

#[derive(Clone, Copy, Debug, NextNodes)]
enum ToSink {
    #[next_node = "sink"]
    Sink,
}

/// Hands one packet on at each poll that it is woken for, and traces it.
struct Source(usize);

impl InputNode for Source {
    type NextNodes = ToSink;
    type Errors = NoErrors;

    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let n = std::mem::take(&mut self.0);
        for _ in 0..n {
            let Some(mut buffer) = cx.alloc_one() else {
                break;
            };
            if cx.tracing() {
                use barrow_engine::BufferExt;
                cx.trace_new(&mut buffer.packet(), |_| {
                    "made here\nsecond line".to_owned()
                });
            }
            let next = cx.next(ToSink::Sink);
            cx.push(buffer, next);
        }
        Polled::drained(n as u32)
    }
}

/// Frees what it gets.
struct Inner;

impl PacketNode for Inner {
    type NextNodes = NoNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        cx.free(vector);
    }
}

fn bed() -> Testbed {
    let register = |engine: &mut barrow_engine::EngineBuilder| {
        engine.input_node("source", |_| Source(0))?;
        engine.node("inner", |_| Inner)?;
        Ok(())
    };
    Testbed::builder()
        .feature(TraceFeature)
        .register(register)
        .sink("sink")
        .build()
        .unwrap()
}

/// Lets the source make packets.
fn make(bed: &mut Testbed, packets: usize) {
    let source = bed.node("source");
    bed.control().on_thread(0, move |thread| {
        if let Some(node) = thread.node::<Source, _>(source) {
            node.0 = packets;
        }
        thread.wake(source);
    });
    bed.run();
}

fn ok(bed: &mut Testbed, command: &str) -> String {
    let ran = bed.command(command);
    assert_eq!(ran.retval, 0, "{command}: {}", ran.text);
    ran.text
}

const START: &str = "------------------- Start of thread 0 vpp_main -------------------\n";

#[test]
fn an_empty_trace_is_said_to_be_empty() {
    let mut bed = bed();
    let expected = format!("{START}No packets in trace buffer\n");
    assert_eq!(ok(&mut bed, "show trace"), expected);
    assert_eq!(ok(&mut bed, "show trace max 5"), expected);
}

#[test]
fn traced_packets_are_shown_one_by_one_up_to_the_maximum() {
    let mut bed = bed();
    ok(&mut bed, "trace add source 2");
    make(&mut bed, 3);
    let walk = |n| {
        format!(
            "Packet {n}\n\n00:00:00:000000: source\n  made here\n  second line\n00:00:00:000000: sink\n  0 bytes\n\n"
        )
    };
    assert_eq!(
        ok(&mut bed, "show trace"),
        format!("{START}{}{}", walk(1), walk(2))
    );
    let limit = "Limiting display to 1 packets. To display more specify max.\n";
    assert_eq!(
        ok(&mut bed, "show trace max 1"),
        format!("{limit}{START}{}{limit}", walk(1))
    );
    ok(&mut bed, "clear trace");
    assert_eq!(
        ok(&mut bed, "show trace"),
        format!("{START}No packets in trace buffer\n")
    );
}

#[test]
fn a_filter_keeps_what_went_through_a_node_or_did_not() {
    let mut bed = bed();
    ok(&mut bed, "trace add source 9");
    // A new filter ends what was being traced.
    ok(&mut bed, "trace filter include sink 2");
    make(&mut bed, 1);
    assert!(bed.traces().is_empty());
    ok(&mut bed, "trace add source 5 filter verbose");
    make(&mut bed, 4);
    assert_eq!(bed.traces().len(), 2);
    ok(&mut bed, "trace filter exclude sink 2");
    assert!(bed.traces().is_empty());
    ok(&mut bed, "trace filter none");
    assert_eq!(bed.traces().len(), 4);
}

#[test]
fn wrong_trace_commands_say_what_they_expect() {
    let mut bed = bed();
    for (command, text) in [
        (
            "trace add nosuch 5",
            "trace add: expected NODE COUNT, got `nosuch 5'",
        ),
        ("trace add", "trace add: expected NODE COUNT, got `'"),
        (
            "trace add inner 5",
            "trace add: node 'inner' doesn't support per-node tracing. There may be another way to \
             initiate trace on this node.",
        ),
        (
            "trace filter include nosuch 5",
            "trace filter: expected 'include NODE COUNT' or 'exclude NODE COUNT' or 'none', got \
             `include nosuch 5'",
        ),
        ("show trace 5", "show trace: expected 'max COUNT', got `5'"),
    ] {
        assert_eq!(
            bed.command(command),
            Ran {
                retval: -1,
                text: format!("{text}\n")
            }
        );
    }
}

#[test]
fn messages_trace_filter_and_clear() {
    let mut bed = bed();
    let [source, inner] = ["source", "inner"].map(|name| bed.node(name).index());
    let capture = |node_index, max_packets| TraceCapturePackets {
        node_index,
        max_packets,
        pre_capture_clear: true,
        ..TraceCapturePackets::default()
    };
    // vpp:src/plugins/tracedump/tracedump.c
    assert_eq!(bed.retval(&capture(60_000, 1)), -63);
    assert_eq!(bed.retval(&capture(u32::MAX, 1)), -63);
    assert_eq!(bed.retval(&capture(inner, 1)), -63);
    assert_eq!(bed.retval(&capture(source, 2)), 0);
    make(&mut bed, 5);
    assert_eq!(bed.traces().len(), 2);
    let filter = |flag, node_index| TraceSetFilters {
        flag,
        node_index,
        count: 10,
        ..TraceSetFilters::default()
    };
    assert_eq!(
        bed.retval(&filter(TraceFilterFlag::TRACE_FF_EXCLUDE_NODE, source)),
        0
    );
    assert!(bed.traces().is_empty());
    assert_eq!(
        bed.retval(&filter(TraceFilterFlag::TRACE_FF_INCLUDE_NODE, 60_000)),
        -63
    );
    assert_eq!(
        bed.retval(&filter(
            TraceFilterFlag::TRACE_FF_INCLUDE_CLASSIFIER,
            source
        )),
        -7
    );
    assert_eq!(
        bed.retval(&filter(TraceFilterFlag::TRACE_FF_NONE, 60_000)),
        0
    );
    assert_eq!(bed.traces().len(), 2);
    assert_eq!(bed.retval(&TraceClearCapture {}), 0);
    assert!(bed.traces().is_empty());
}

fn piece(thread_id: u32, position: u32, max_records: u32) -> TraceDump {
    TraceDump {
        clear_cache: 0,
        thread_id,
        position,
        max_records,
    }
}

#[test]
fn a_trace_is_read_in_pieces_from_one_snapshot() {
    let mut bed = bed();
    let (details, reply) = bed.cursor(&piece(0, 0, 10));
    assert_eq!((details.len(), reply.retval), (0, -6));
    ok(&mut bed, "trace add source 3");
    make(&mut bed, 3);
    let (details, reply) = bed.cursor(&piece(0, 0, 2));
    assert_eq!(
        (
            reply.retval,
            reply.last_position,
            reply.more_this_thread,
            reply.done
        ),
        (0, 1, 1, 0)
    );
    assert_eq!(
        details
            .iter()
            .map(|d| (d.position, d.more_this_thread, d.done))
            .collect::<Vec<_>>(),
        [(0, 0, 0), (1, 1, 0)]
    );
    assert!(
        details[0]
            .trace_data
            .to_string_lossy()
            .starts_with("\n00:00:00:000000: source\n  made here")
    );
    // What is traced meanwhile is not in the snapshot.
    ok(&mut bed, "trace add source 3");
    make(&mut bed, 3);
    let (details, reply) = bed.cursor(&piece(0, 2, 2));
    assert_eq!((details.len(), reply.done, reply.last_position), (1, 1, 2));
    let (_, reply) = bed.cursor(&piece(u32::MAX, u32::MAX, 0));
    assert_eq!((reply.retval, reply.flush_only, reply.done), (0, 1, 1));
    assert_eq!(bed.retval(&TraceClearCache {}), 0);
    let (details, _) = bed.cursor(&piece(0, 0, 100));
    assert_eq!(details.len(), 6);
}

#[test]
fn the_second_kind_of_dump_gives_so_many_of_each_thread() {
    let mut bed = bed();
    let v2 = |thread_id, position, max| TraceV2Dump {
        thread_id,
        position,
        max,
        clear_cache: false,
    };
    assert!(bed.dump(&v2(u32::MAX, 0, 50)).is_empty());
    ok(&mut bed, "trace add source 3");
    make(&mut bed, 3);
    let all = bed.dump(&v2(u32::MAX, 0, 50));
    assert_eq!(
        all.iter()
            .map(|d| (d.thread_id, d.position, d.more))
            .collect::<Vec<_>>(),
        [(0, 0, true), (0, 1, true), (0, 2, false)]
    );
    assert_eq!(bed.dump(&v2(0, 1, 1)).len(), 1);
    assert!(bed.dump(&v2(7, 0, 50)).is_empty());
    assert!(bed.dump(&v2(0, u32::MAX, 50)).is_empty());
}

#[test]
fn a_clients_snapshot_goes_with_the_client() {
    let mut bed = bed();
    ok(&mut bed, "trace add source 1");
    make(&mut bed, 1);
    let mut client = bed.client();
    assert_eq!(client.dump(&TraceV2Dump::default()).len(), 1);
    ok(&mut bed, "clear trace");
    // Its own snapshot still has it; others see nothing.
    assert_eq!(client.dump(&TraceV2Dump::default()).len(), 1);
    assert!(bed.dump(&TraceV2Dump::default()).is_empty());
}

fn all() -> GraphNodeGet {
    GraphNodeGet {
        cursor: u32::MAX,
        index: u32::MAX,
        ..GraphNodeGet::default()
    }
}

#[test]
fn the_graph_lists_every_node_once_with_its_flags_and_arcs() {
    let mut bed = bed();
    let (nodes, reply) = bed.cursor(&GraphNodeGet {
        want_arcs: true,
        ..all()
    });
    assert_eq!((reply.retval, reply.cursor), (0, u32::MAX));
    assert_eq!(nodes.len(), bed.control().nodes().len());
    let source = nodes.iter().find(|node| node.name == "source").unwrap();
    assert_eq!(source.arcs_out, [bed.node("sink").index()]);
    assert_eq!(source.flags, NodeFlag::NODE_FLAG_TRACE_SUPPORTED);
    let (drops, _) = bed.cursor(&GraphNodeGet {
        flags: NodeFlag::NODE_FLAG_IS_DROP,
        ..all()
    });
    assert_eq!(
        drops
            .iter()
            .map(|node| node.name.to_string())
            .collect::<Vec<_>>(),
        ["drop"]
    );
}

#[test]
fn one_node_is_found_by_name_or_index() {
    let mut bed = bed();
    let index = bed.node("source").index();
    let (named, reply) = bed.cursor(&GraphNodeGet {
        name: "source".try_into().unwrap(),
        ..all()
    });
    assert_eq!(
        (named[0].index, reply.retval, reply.cursor),
        (index, 0, u32::MAX)
    );
    let (numbered, _) = bed.cursor(&GraphNodeGet { index, ..all() });
    assert_eq!(numbered, named);
    let (none, reply) = bed.cursor(&GraphNodeGet {
        name: "nosuch".try_into().unwrap(),
        ..all()
    });
    assert_eq!((none.len(), reply.retval), (0, -6));
    let (none, reply) = bed.cursor(&GraphNodeGet {
        index: 60_000,
        ..all()
    });
    assert_eq!((none.len(), reply.retval), (0, -6));
}

#[test]
fn a_long_list_of_nodes_comes_in_runs_that_meet() {
    let mut bed = Testbed::builder()
        .feature(TraceFeature)
        .register(|engine| {
            for n in 0..600 {
                engine.node(format!("node-{n}"), |_| Inner)?;
            }
            Ok(())
        })
        .build()
        .unwrap();
    let wanted = bed.control().nodes().len();
    let (mut names, mut cursor) = (Vec::new(), u32::MAX);
    loop {
        let (nodes, reply) = bed.cursor(&GraphNodeGet { cursor, ..all() });
        names.extend(nodes.into_iter().map(|node| node.name.to_string()));
        if reply.retval == 0 {
            break;
        }
        assert_eq!(reply.retval, -165);
        cursor = reply.cursor;
    }
    assert_eq!(names.len(), wanted);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), wanted);
}

#[test]
fn injected_packets_are_traced_from_where_packets_end() {
    let mut bed = bed();
    ok(&mut bed, "trace add error-drop 1");
    bed.inject("error-drop", TestPacket::new(b"x"));
    bed.run();
    assert!(ok(&mut bed, "show trace").contains(": error-drop\n"));
}
