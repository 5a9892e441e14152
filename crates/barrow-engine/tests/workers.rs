//! Several threads: handoff, run-time changes, and the real thing.

mod nodes;

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_engine::{
    About, ArcHandle, BufferExt, Engine, EngineBuilder, Feature, Frame, InputContext, InputMode,
    InputNode, NextNodes, NoErrors, NoNext, NodeOptions, PacketContext, PacketNode, Polled,
    RegisterError, Vector,
};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, NextNodes)]
enum Next {
    #[next_node = "collect"]
    Collect,
}

/// Hands packets to the thread that their first byte names.
struct Spread;

impl PacketNode for Spread {
    type NextNodes = Next;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let threads: Vec<_> = vector
            .packets()
            .map(|packet| usize::from(packet.data()[0]))
            .collect();
        cx.handoff_each(vector, &threads, cx.next(Next::Collect));
    }
}

fn spread(workers: usize) -> Testbed {
    let bed = Testbed::builder()
        .workers(workers)
        .sink("collect")
        .register(|engine| {
            engine.node("spread", |_| Spread)?;
            Ok(())
        });
    bed.build().expect("a graph with sense")
}

#[test]
fn each_packet_reaches_its_thread_and_flows_keep_their_order() {
    let mut bed = spread(3);
    for start in [1, 2] {
        let packets = (0..1000u16).map(|i| {
            let [high, low] = i.to_be_bytes();
            TestPacket::new([(i % 4) as u8, start, high, low])
        });
        bed.inject_on(start.into(), "spread", packets.collect::<Vec<_>>());
    }
    bed.run();
    let seen = bed.take("collect");
    assert_eq!(seen.len(), 2000);
    for thread in 0..4 {
        for start in [1, 2] {
            let flow: Vec<_> = seen
                .iter()
                .filter(|p| p.bytes[0] == thread && p.bytes[1] == start)
                .inspect(|p| assert_eq!(p.thread, usize::from(thread)))
                .map(|p| u16::from_be_bytes([p.bytes[2], p.bytes[3]]))
                .collect();
            assert_eq!(flow.len(), 250);
            assert!(flow.is_sorted(), "flow to {thread} from {start}");
        }
    }
    bed.assert_conserved();
}

#[test]
fn a_full_ring_drops_and_counts_and_loses_no_buffer() {
    let mut settings = barrow_engine::config::Settings::default();
    settings.buffers.buffers_per_numa = Some(32_768);
    let bed = Testbed::builder()
        .workers(1)
        .settings(settings)
        .sink("collect");
    let bed = bed.register(|engine| {
        engine.node("spread", |_| Spread)?;
        Ok(())
    });
    let mut bed = bed.build().unwrap();
    // All in one turn of thread 0, so that thread 1 takes nothing meanwhile: its ring holds 64 frames.
    let frames = 70;
    let one = || TestPacket::new([1]);
    bed.inject_all(
        "spread",
        std::iter::repeat_with(one)
            .take(frames * 256)
            .collect::<Vec<_>>(),
    );
    bed.run();
    let arrived = bed.take("collect").len() as u64;
    let dropped = bed.error("worker-handoff", "congestion drop");
    assert_eq!(arrived + dropped, frames as u64 * 256);
    assert!(dropped > 0);
    bed.assert_conserved();
}

#[test]
fn a_node_added_at_run_time_is_there_on_every_thread_before_packets_are_sent_to_it() {
    let mut bed = spread(2);
    let seen = Arc::new(Mutex::new(0));
    let tally = seen.clone();
    let threads = Arc::new(Mutex::new(Vec::new()));
    let made = threads.clone();
    let make = move |at: barrow_engine::NodeThread| {
        made.lock().unwrap().push((at.thread, at.threads));
        nodes::Tally(tally.clone())
    };
    bed.control().add_node("late", make).unwrap();
    assert_eq!(*threads.lock().unwrap(), [(0, 3), (1, 3), (2, 3)]);
    for thread in 0..3 {
        bed.inject_on(thread, "late", [[0u8; 4], [1; 4]]);
    }
    bed.run();
    assert_eq!(*seen.lock().unwrap(), 6);
    bed.assert_conserved();
}

#[test]
fn answers_come_back_from_every_thread_and_synchronising_waits_for_all() {
    let mut bed = spread(2);
    let done = Arc::new(AtomicU64::new(0));
    let counter = done.clone();
    let control = bed.control().clone();
    bed.control().spawner().spawn_task(async move {
        for thread in 0..control.thread_count() {
            let answer = control
                .call(thread, |thread| thread.thread())
                .await
                .unwrap();
            assert_eq!(answer, thread);
            counter.fetch_add(1, SeqCst);
        }
        assert!(control.call(99, |_| ()).await.is_err());
        control.synchronize().await;
        counter.fetch_add(10, SeqCst);
    });
    bed.run();
    assert_eq!(done.load(SeqCst), 13);
}

// ---- real threads ----

/// Makes numbered packets of a flow for as long as it is asked to.
struct Generator {
    flow: u8,
    next: u32,
    limit: u32,
    frame: Frame,
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum ToRelay {
    #[next_node = "relay"]
    Relay,
}

impl InputNode for Generator {
    type NextNodes = ToRelay;
    type Errors = NoErrors;
    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let wanted = (self.limit - self.next).min(64) as usize;
        let n = cx.alloc(&mut self.frame, wanted);
        for buffer in self.frame.buffers_mut() {
            let mut packet = buffer.packet();
            assert!(packet.append_bytes(&[self.flow]));
            assert!(packet.append_bytes(&self.next.to_be_bytes()));
            self.next += 1;
        }
        cx.enqueue_all(self.frame.vector(), cx.next(ToRelay::Relay));
        Polled {
            packets: n as u32,
            more: self.next < self.limit,
        }
    }
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum ToCheck {
    #[next_node = "check"]
    Check,
}

/// Hands everything to the other worker.
struct Relay;

impl PacketNode for Relay {
    type NextNodes = ToCheck;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let other = 3 - cx.thread();
        cx.handoff(vector, other, cx.next(ToCheck::Check));
    }
}

#[derive(Default)]
struct Seen {
    packets: AtomicU64,
    out_of_order: AtomicU64,
}

/// Looks at the order of each flow.
struct Check {
    seen: Arc<Seen>,
    last: [i64; 4],
}

impl PacketNode for Check {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |_| "checked");
        for packet in vector.packets() {
            let flow = usize::from(packet.data()[0]);
            let number = i64::from(u32::from_be_bytes(packet.read(1).expect("a number")));
            if number <= self.last[flow] {
                self.seen.out_of_order.fetch_add(1, SeqCst);
            }
            self.last[flow] = number;
        }
        self.seen.packets.fetch_add(vector.len() as u64, SeqCst);
        cx.free(vector);
    }
}

struct Flows(Arc<Seen>);

const PACKETS: u32 = 20_000;

impl Feature for Flows {
    fn about(&self) -> About {
        About::new("flows", "two workers that feed each other")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        engine.input_node(
            NodeOptions::new("generator").mode(InputMode::Disabled),
            |at| Generator {
                flow: at.thread as u8,
                next: 0,
                limit: PACKETS,
                frame: Frame::new(),
            },
        )?;
        engine.node("relay", |_| Relay)?;
        engine.node("check", move |_| Check {
            seen: self.0.clone(),
            last: [-1; 4],
        })?;
        Ok(())
    }
}

#[test]
fn two_workers_that_feed_each_other_lose_nothing_but_what_they_count_and_keep_flows_in_order() {
    let mut settings = barrow_engine::config::Settings::default();
    settings.cpu.workers = barrow_engine::config::WorkerCount::Count(2);
    settings.buffers.buffers_per_numa = Some(32_768);
    let seen = Arc::new(Seen::default());
    let builder = Engine::builder()
        .settings(settings)
        .quiet()
        .feature(Flows(seen.clone()));
    let mut engine = builder.build().unwrap();
    let control = engine.control();
    let node = control.node_by_name("generator").unwrap();
    let relay = control.node_by_name("relay").unwrap();
    control.trace().add(relay, 2);
    engine.start().unwrap();
    for thread in [1, 2] {
        control.set_input_mode(thread, node, InputMode::Interrupt);
        control.interrupt(thread, node).unwrap().raise();
    }
    let errors = control.clone();
    let dropped = || {
        errors
            .errors()
            .get("worker-handoff", "congestion drop")
            .unwrap()
    };
    while seen.packets.load(SeqCst) + dropped() < u64::from(2 * PACKETS) {
        engine.turn(Duration::from_millis(1)).unwrap();
    }
    assert_eq!(seen.out_of_order.load(SeqCst), 0);
    let traces = control.trace().packets();
    assert_eq!(traces.len(), 2);
    engine.shutdown().unwrap();
    assert_eq!(
        control.pool().stats().owned,
        0,
        "{:?}",
        control.pool().stats()
    );
}

/// Starts the arc `in` and ends it in `check`.
struct Gate(ArcHandle);

impl PacketNode for Gate {
    type NextNodes = ToCheck;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let end = cx.next(ToCheck::Check);
        let entry = cx.arc_entry(self.0, 1);
        let nexts: Vec<_> = vector
            .packets()
            .map(|mut packet| cx.arc_begin(entry, &mut packet, end))
            .collect();
        cx.enqueue(vector, &nexts);
    }
}

/// A feature that does nothing but take its time.
struct Detour;

impl PacketNode for Detour {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let nexts: Vec<_> = vector
            .packets()
            .map(|mut packet| cx.next_feature(&mut packet))
            .collect();
        cx.enqueue(vector, &nexts);
    }
}

struct Switched(Arc<Seen>);

impl Feature for Switched {
    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let arc = engine.arc("in", &["relay"], "check")?;
        engine.input_node(
            NodeOptions::new("generator").mode(InputMode::Disabled),
            |at| Generator {
                flow: at.thread as u8,
                next: 0,
                limit: PACKETS,
                frame: Frame::new(),
            },
        )?;
        engine.node("relay", move |_| Gate(arc))?;
        for name in ["detour-1", "detour-2", "detour-3"] {
            engine.node(name, |_| Detour)?;
            engine.feature_on_arc("in", name, []);
        }
        engine.node("check", move |_| Check {
            seen: self.0.clone(),
            last: [-1; 4],
        })?;
        Ok(())
    }
}

#[test]
fn features_are_switched_under_the_traffic_of_workers_without_loss_or_disorder() {
    let mut settings = barrow_engine::config::Settings::default();
    settings.cpu.workers = barrow_engine::config::WorkerCount::Count(2);
    let seen = Arc::new(Seen::default());
    let builder = Engine::builder()
        .settings(settings)
        .quiet()
        .feature(Switched(seen.clone()));
    let mut engine = builder.build().unwrap();
    let control = engine.control();
    engine.start().unwrap();
    let node = control.node_by_name("generator").unwrap();
    for thread in [1, 2] {
        control.set_input_mode(thread, node, InputMode::Interrupt);
        control.interrupt(thread, node).unwrap().raise();
    }
    let mut switched = 0u32;
    // Every kind of switch at least once, also on a machine that is done before the first.
    while switched <= 3 || seen.packets.load(SeqCst) < u64::from(2 * PACKETS) {
        switched += 1;
        let feature = format!("detour-{}", switched % 3 + 1);
        control
            .arcs()
            .enable("in", &feature, 1, (switched / 3).is_multiple_of(2), &[])
            .unwrap();
        engine.turn(Duration::from_micros(20)).unwrap();
    }
    assert_eq!(seen.out_of_order.load(SeqCst), 0);
    assert_eq!(seen.packets.load(SeqCst), u64::from(2 * PACKETS));
    engine.shutdown().unwrap();
    assert_eq!(
        control.pool().stats().owned,
        0,
        "{:?}",
        control.pool().stats()
    );
}

#[test]
fn a_sleeping_worker_wakes_for_closures_interrupts_descriptors_and_the_clock() {
    struct Ready(Arc<AtomicU64>);
    impl InputNode for Ready {
        type NextNodes = NoNext;
        type Errors = NoErrors;
        fn poll(&mut self, _: &mut InputContext<'_, Self>) -> Polled {
            self.0.fetch_add(1, SeqCst);
            Polled::NONE
        }
    }
    struct One(Arc<AtomicU64>);
    impl Feature for One {
        fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
            engine.input_node("ready", move |_| Ready(self.0.clone()))?;
            Ok(())
        }
    }
    let mut settings = barrow_engine::config::Settings::default();
    settings.cpu.workers = barrow_engine::config::WorkerCount::Count(1);
    let polls = Arc::new(AtomicU64::new(0));
    let builder = Engine::builder()
        .settings(settings)
        .quiet()
        .feature(One(polls.clone()));
    let mut engine = builder.build().unwrap();
    let control = engine.control();
    engine.start().unwrap();
    let node = control.node_by_name("ready").unwrap();
    let mut until = |what: &str, reached: &dyn Fn() -> bool| {
        for _ in 0..20_000 {
            if reached() {
                return;
            }
            engine.turn(Duration::from_millis(1)).unwrap();
        }
        panic!("{what} did not happen");
    };
    let ran = Arc::new(AtomicU64::new(0));
    let counter = ran.clone();
    control.on_thread(1, move |_| {
        counter.fetch_add(1, SeqCst);
    });
    until("the closure", &|| ran.load(SeqCst) == 1);
    let before = polls.load(SeqCst);
    control.interrupt(1, node).unwrap().raise();
    until("the interrupt", &|| polls.load(SeqCst) > before);

    let (reader, writer) = std::os::unix::net::UnixDatagram::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    let watch = control.watch_fd(1, &reader, node).unwrap();
    let turned = Arc::new(AtomicU64::new(0));
    let settle = |turned: &Arc<AtomicU64>| {
        let counter = turned.clone();
        control.on_thread(1, move |_| {
            counter.fetch_add(1, SeqCst);
        });
    };
    settle(&turned);
    until("the watch", &|| turned.load(SeqCst) == 1);
    settle(&turned);
    until("the first look", &|| turned.load(SeqCst) == 2);
    let before = polls.load(SeqCst);
    writer.send(b"x").unwrap();
    until("the descriptor", &|| polls.load(SeqCst) > before);
    drop(watch);
    settle(&turned);
    until("the end of the watch", &|| turned.load(SeqCst) == 3);
    engine.shutdown().unwrap();
}
