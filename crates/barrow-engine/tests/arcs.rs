//! Feature arcs on the data path.

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_engine::{
    ArcHandle, BufferExt, BuildError, Constraint, NextNodes, NoErrors, NoNext, PacketContext,
    PacketNode, Vector,
};

#[derive(Clone, Copy, Debug, NextNodes)]
enum Next {
    #[next_node = "end"]
    End,
}

/// Starts the arc `in` for each packet by its receiving interface.
struct Start(ArcHandle);

impl PacketNode for Start {
    type NextNodes = Next;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let end = cx.next(Next::End);
        let nexts: Vec<_> = vector
            .packets()
            .map(|mut packet| cx.arc_start(self.0, packet.rx_sw_if_index, &mut packet, end))
            .collect();
        cx.enqueue(vector, &nexts);
    }
}

/// Appends its letter, and the words it was configured with.
struct Letter(u8);

impl PacketNode for Letter {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        for mut buffer in vector.drain() {
            let mut packet = buffer.packet();
            assert!(packet.append_bytes(&[self.0]));
            let config: Vec<u8> = (0..)
                .map_while(|i| cx.feature_config(&packet, i))
                .map(|word| word as u8)
                .collect();
            assert!(packet.append_bytes(&config));
            let next = cx.next_feature(&mut packet);
            cx.push(buffer, next);
        }
    }
}

fn bed() -> Testbed {
    Testbed::with(|engine| {
        let arc = engine.arc("in", &["start"], "end")?;
        engine.node("start", move |_| Start(arc))?;
        for (name, letter) in [
            ("feature-a", b'a'),
            ("feature-b", b'b'),
            ("feature-c", b'c'),
        ] {
            engine.node(name, move |_| Letter(letter))?;
        }
        engine.feature_on_arc("in", "feature-c", []);
        engine.feature_on_arc("in", "feature-b", [Constraint::before("feature-c")]);
        let a = [
            Constraint::before("feature-b"),
            Constraint::after("unheard-of"),
        ];
        engine.feature_on_arc("in", "feature-a", a);
        Ok(())
    })
}

fn send(bed: &mut Testbed, interfaces: &[u32]) -> Vec<String> {
    let packets = interfaces
        .iter()
        .map(|rx| TestPacket::new(rx.to_string()).rx(*rx));
    bed.inject_all("start", packets.collect::<Vec<_>>());
    bed.run();
    let seen = bed.take("end");
    seen.into_iter()
        .map(|packet| String::from_utf8(packet.bytes).expect("letters"))
        .collect()
}

#[test]
fn features_run_in_their_order_on_the_interfaces_where_they_are_enabled() {
    let mut bed = bed();
    assert_eq!(send(&mut bed, &[1, 2]), ["1", "2"]);
    let arcs = bed.control().arcs().clone();
    for feature in ["feature-c", "feature-a", "feature-b"] {
        arcs.enable("in", feature, 1, true, &[]).unwrap();
    }
    arcs.enable("in", "feature-b", 2, true, &[]).unwrap();
    let mut seen = send(&mut bed, &[1, 2, 3]);
    seen.sort();
    assert_eq!(seen, ["1abc", "2b", "3"]);
    arcs.enable("in", "feature-b", 1, false, &[]).unwrap();
    assert_eq!(send(&mut bed, &[1]), ["1ac"]);
    bed.assert_conserved();
}

#[test]
fn a_feature_gets_the_configuration_of_its_interface() {
    let mut bed = bed();
    let arcs = bed.control().arcs().clone();
    arcs.enable(
        "in",
        "feature-a",
        1,
        true,
        &[u32::from(b'x'), u32::from(b'y')],
    )
    .unwrap();
    arcs.enable("in", "feature-a", 2, true, &[u32::from(b'z')])
        .unwrap();
    arcs.enable("in", "feature-c", 2, true, &[]).unwrap();
    let mut seen = send(&mut bed, &[1, 2]);
    seen.sort();
    assert_eq!(seen, ["1axy", "2azc"]);
}

#[test]
fn unknown_names_in_an_order_warn_and_cycles_are_fatal() {
    let bed = bed();
    let log = bed.control().log().entries();
    let warned = |text: &str| log.iter().any(|entry| entry.text.contains(text));
    assert!(warned("unheard-of"), "{log:?}");

    let cycle = Testbed::builder().register(|engine| {
        engine.arc("in", &[], "end")?;
        engine.feature_on_arc("in", "x", [Constraint::before("y")]);
        engine.feature_on_arc("in", "y", [Constraint::before("x")]);
        Ok(())
    });
    assert!(matches!(cycle.build(), Err(BuildError::Arc(_))));
}

#[test]
fn switching_while_packets_flow_neither_loses_nor_misorders() {
    let mut bed = bed();
    let arcs = bed.control().arcs().clone();
    let mut sent = 0u32;
    let mut seen = Vec::new();
    // A deterministic mixture: between any two turns anything may be switched.
    let mut state = 1u32;
    for _ in 0..400 {
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let feature = ["feature-a", "feature-b", "feature-c"][(state >> 8) as usize % 3];
            let config = [state >> 24];
            let on = state & 0x10000 != 0;
            arcs.enable("in", feature, 1, on, if on { &config } else { &[] })
                .unwrap();
        }
        let burst = state % 300;
        let packets = (0..burst).map(|i| TestPacket::new((sent + i).to_be_bytes()).rx(1));
        bed.inject_all("start", packets.collect::<Vec<_>>());
        sent += burst;
        bed.round();
        seen.extend(bed.take("end"));
    }
    bed.run();
    seen.extend(bed.take("end"));
    let numbers: Vec<_> = seen
        .iter()
        .map(|p| u32::from_be_bytes(p.bytes[..4].try_into().unwrap()))
        .collect();
    assert_eq!(numbers, (0..sent).collect::<Vec<_>>());
    bed.assert_conserved();
}

#[test]
fn dropped_packets_pass_the_features_of_the_drop_arc() {
    let mut bed = Testbed::with(|engine| {
        engine.node("witness", |_| Letter(b'w'))?;
        engine.feature_on_arc("error-drop", "witness", []);
        Ok(())
    });
    bed.control()
        .arcs()
        .enable("error-drop", "witness", 4, true, &[])
        .unwrap();
    let packets = [3, 4, 4].map(|rx| TestPacket::new(b"x").rx(rx));
    bed.inject_all("error-drop", packets);
    bed.run();
    let runtime = bed.control().node_runtime(0, bed.node("witness"));
    assert_eq!(runtime.vectors, 2);
    assert_eq!(bed.error("null-node", "blackholed packets"), 3);
    bed.assert_conserved();
}

#[test]
fn an_interface_that_goes_takes_its_features_along() {
    let mut bed = bed();
    let arcs = bed.control().arcs().clone();
    arcs.enable("in", "feature-a", 1, true, &[]).unwrap();
    arcs.forget_interface(1);
    assert_eq!(send(&mut bed, &[1]), ["1"]);
}
