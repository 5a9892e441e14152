//! Packets for somebody else.

mod nodes;

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_engine::{BufferExt, NoErrors, NoNext, PacketContext, PacketNode, PuntReason, Vector};

struct Punts(PuntReason);

impl PacketNode for Punts {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        for mut buffer in vector.drain() {
            let next = self.0.punt(&mut buffer.packet());
            cx.push(buffer, next);
        }
    }
}

#[test]
fn punted_packets_are_counted_by_reason_given_to_all_who_registered_and_dropped_when_nobody_did() {
    let mut bed = Testbed::builder()
        .sink("first")
        .sink("second")
        .register(|engine| {
            let reason = engine.control().punt().reason("unknown-thing")?;
            engine.node("punts", move |_| Punts(reason))?;
            Ok(())
        })
        .build()
        .unwrap();
    let punt = bed.control().punt().clone();
    let reason = punt.reason("unknown-thing").unwrap();
    bed.inject_all("punts", [[1; 10], [2; 10]]);
    bed.run();
    assert_eq!(punt.count(reason), 2);
    assert_eq!(bed.error("punt-dispatch", "no registrations"), 2);
    let (first, second) = (bed.node("first"), bed.node("second"));
    punt.register(reason, first);
    punt.register(reason, second);
    bed.inject("punts", TestPacket::new([3; 3000]).segments_of(1000));
    bed.run();
    for sink in ["first", "second"] {
        assert_eq!(bed.take(sink)[0].bytes, [3; 3000]);
    }
    punt.unregister(reason, first);
    punt.unregister(reason, second);
    bed.inject("punts", [4; 10]);
    bed.run();
    assert_eq!(bed.error("punt-dispatch", "no registrations"), 3);
    assert_eq!(punt.count(reason), 4);
    bed.assert_conserved();
}
