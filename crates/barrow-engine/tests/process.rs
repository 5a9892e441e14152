//! What the control plane does with packets, and what becomes of nodes that fail.

mod nodes;

use barrow_engine::testing::Testbed;
use barrow_engine::{
    BufferExt, NextNodes, NoErrors, NoNext, PacketContext, PacketNode, PacketOut, PacketOutError,
    ProcessContext, ProcessError, ProcessNode, Restart, Vector,
};
use nodes::{Choice, Next};
use std::ffi::CStr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, NextNodes)]
enum To {
    #[next_node = "a"]
    A,
    #[next_node = "gone"]
    Gone,
}

/// Sends a packet a second.
struct Sender;

impl ProcessNode for Sender {
    const NAME: &'static CStr = c"sender";
    type NextNodes = To;
    type Errors = NoErrors;
    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        for number in 0..3u8 {
            let control = cx.control().ok_or("no packets here")?;
            let mut buffer = control.alloc().ok_or("no buffer")?;
            assert!(control.with_cache(|cache| buffer.packet().extend(&[number; 3000], cache)));
            if let Err((error, buffer)) = cx.enqueue(To::A, buffer) {
                control.free(buffer);
                return Err(error.into());
            }
            cx.sleep(Duration::from_secs(1)).await;
        }
        let control = cx.control().ok_or("no packets here")?;
        let buffer = control.alloc().ok_or("no buffer")?;
        let Err((error, buffer)) = cx.enqueue(To::Gone, buffer) else {
            return Ok(());
        };
        control.free(buffer);
        Err(error.into())
    }
}

#[test]
fn a_process_node_sends_packets_to_its_next_nodes() {
    let mut bed = Testbed::with(|engine| {
        engine.process(Restart::Never, || Sender)?;
        Ok(())
    });
    let gone = bed.node("gone");
    bed.control().remove_node(gone).unwrap();
    bed.advance(Duration::from_secs(10));
    let seen: Vec<_> = bed
        .take("a")
        .into_iter()
        .map(|p| (p.bytes[0], p.bytes.len()))
        .collect();
    assert_eq!(seen, [(0, 3000), (1, 3000), (2, 3000)]);
    let status = bed
        .control()
        .node(bed.node("sender"))
        .unwrap()
        .process
        .unwrap();
    let exit = status.last_exit().unwrap().to_string();
    assert_eq!(exit, format!("failed: {}", PacketOutError::UnknownNode));
    bed.assert_conserved();
}

#[test]
fn what_waits_for_the_graph_is_bounded_and_in_order() {
    let mut bed = Testbed::with(|engine| {
        engine.node("in", |_| Choice(Next::A))?;
        Ok(())
    });
    let control = bed.control().clone();
    let node = bed.node("in");
    let mut refused = 0;
    for number in 0..1500u32 {
        let mut buffer = control.alloc().unwrap();
        assert!(buffer.packet().append_bytes(&number.to_be_bytes()));
        if let Err((error, buffer)) = control.send(node, buffer) {
            assert_eq!(error, PacketOutError::Full);
            control.free(buffer);
            refused += 1;
        }
    }
    assert_eq!(refused, 1500 - 1024);
    bed.run();
    let seen = bed.take("a");
    let numbers: Vec<_> = seen
        .iter()
        .map(|p| u32::from_be_bytes(p.bytes[..4].try_into().unwrap()))
        .collect();
    assert_eq!(numbers, (0..1024).collect::<Vec<_>>());
    bed.assert_conserved();
}

/// Panics at a packet that begins with 255; others go on, with the number of packets seen.
#[derive(Default)]
struct Fragile(u8);

impl PacketNode for Fragile {
    type NextNodes = Next;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        for mut packet in vector.packets() {
            self.0 += 1;
            if packet.data()[0] == 255 {
                std::panic::resume_unwind(Box::new("as the test asked".to_owned()));
            }
            packet.data_mut()[0] = self.0;
        }
        cx.enqueue_all(vector, cx.next(Next::A));
    }
}

#[test]
fn a_node_that_panicked_is_made_anew_after_a_moment_and_the_log_says_why() {
    let mut bed = Testbed::with(|engine| {
        engine.node("fragile", |_| Fragile::default())?;
        Ok(())
    });
    bed.inject_all("fragile", [[1], [2]]);
    bed.run();
    bed.inject_all("fragile", [[3], [255], [5]]);
    bed.run();
    bed.inject("fragile", [6]);
    bed.run();
    assert_eq!(bed.take("a").len(), 2);
    assert_eq!(bed.error("null-node", "node gone"), 4);
    bed.advance(Duration::from_secs(1));
    bed.inject("fragile", [7]);
    bed.run();
    assert_eq!(bed.take("a")[0].bytes, [1], "a fresh instance");
    let log = bed.control().log().entries();
    assert!(
        log.iter()
            .any(|entry| entry.text.contains("node fragile panicked")),
        "{log:?}"
    );
    bed.assert_conserved();
}

/// Holds what it gets.
struct Holds(barrow_engine::Frame);

impl PacketNode for Holds {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        for buffer in vector.drain() {
            if let Err(buffer) = self.0.push(buffer) {
                cx.free_one(buffer);
            }
        }
    }
}

#[test]
fn packets_held_in_frames_of_a_node_that_is_removed_are_freed() {
    let mut bed = Testbed::with(|engine| {
        engine.node("holds", |_| Holds(barrow_engine::Frame::new()))?;
        Ok(())
    });
    bed.inject_all("holds", [[1], [2], [3]]);
    bed.run();
    assert_eq!(bed.buffers_in_use(), 3);
    let node = bed.node("holds");
    bed.control().remove_node(node).unwrap();
    bed.run();
    assert_eq!(bed.error("null-node", "node gone"), 3);
    bed.assert_conserved();
}

#[test]
fn a_node_that_ends_gives_every_buffer_back() {
    let mut bed = Testbed::with(|engine| {
        engine.node("holds", |_| Holds(barrow_engine::Frame::new()))?;
        Ok(())
    });
    bed.inject_all("holds", [[1], [2], [3]]);
    bed.run();
    bed.inject_all("holds", [[4]]);
    let pool = bed.control().pool().clone();
    assert_eq!(pool.stats().owned, 4);
    drop(bed);
    assert_eq!(pool.stats().owned, 0, "{:?}", pool.stats());
}

/// Panics at once.
struct Crashes;

impl ProcessNode for Crashes {
    const NAME: &'static CStr = c"crashes";
    type NextNodes = NoNext;
    type Errors = NoErrors;
    async fn run(self, _: ProcessContext<Self>) -> Result<(), ProcessError> {
        std::panic::resume_unwind(Box::new("as the test asked".to_owned()))
    }
}

#[test]
fn a_process_node_that_panics_is_in_the_log_and_in_listings() {
    let mut bed = Testbed::with(|engine| {
        engine.process(Restart::Never, || Crashes)?;
        Ok(())
    });
    bed.advance(Duration::from_secs(1));
    let log = bed.control().log().entries();
    let told = |entry: &&barrow_engine::log::Entry| {
        entry.text.contains("crashes panicked: as the test asked")
    };
    assert_eq!(log.iter().filter(told).count(), 1, "{log:?}");
    let node = bed.node("crashes");
    assert_eq!(bed.control().node_state(node), "done");
}
