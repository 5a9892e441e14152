//! What the engine itself costs: clocks a packet and node for nodes that do nothing but hand on.
//!
//! `cargo bench -p barrow-engine --bench dispatch`. Five nodes in a row between a generator and a sink;
//! generator and sink are not counted. Each figure is the least of eight windows, in clocks of the
//! time-stamp counter. What varies: packets a vector, and how a node enqueues:
//!
//! * `whole`: one call for the vector;
//! * `each`: a next node for each packet, all the same;
//! * `two`, `four`: next nodes alternate packet by packet between so many nodes.

use barrow_engine::testing::Testbed;
use barrow_engine::{
    BufferExt, Frame, InputContext, InputMode, InputNode, NextNodes, NoErrors, NoNext, NodeId,
    NodeOptions, PacketContext, PacketNode, Polled, VECTOR, Vector,
};

#[derive(Clone, Copy, NextNodes)]
enum First {
    #[next_node = "n0"]
    First,
}

/// Makes vectors of a size.
struct Generator {
    size: usize,
    frame: Frame,
}

impl InputNode for Generator {
    type NextNodes = First;
    type Errors = NoErrors;
    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let n = cx.alloc(&mut self.frame, self.size);
        for buffer in self.frame.buffers_mut() {
            buffer.packet().set_len(60);
        }
        cx.enqueue_all(self.frame.vector(), cx.next(First::First));
        Polled::drained(n as u32)
    }
}

/// Frees.
struct Sink;

impl PacketNode for Sink {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        cx.free(vector);
    }
}

#[derive(Clone, Copy)]
enum Way {
    Whole,
    Each,
    Alternate(usize),
}

/// Hands on to nodes that it was told of by index.
struct Pass {
    way: Way,
    /// For each packet; made beforehand, because choosing is not what is measured.
    nexts: [NodeId; VECTOR],
}

impl Pass {
    fn new(way: Way, after: &[NodeId]) -> Self {
        let width = if let Way::Alternate(n) = way { n } else { 1 };
        Self {
            way,
            nexts: std::array::from_fn(|i| after[i % width % after.len()]),
        }
    }
}

impl PacketNode for Pass {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let n = vector.len();
        match self.way {
            Way::Whole => cx.enqueue_all(vector, self.nexts[0]),
            Way::Each | Way::Alternate(_) => cx.enqueue(vector, &self.nexts[..n]),
        }
    }
}

/// Nodes in a row.
const STAGES: usize = 5;

/// Clocks a packet over all stages.
fn measure(way: Way, size: usize) -> f64 {
    let mut bed = Testbed::with(move |engine| {
        let options = NodeOptions::new("generator").mode(InputMode::Disabled);
        engine.input_node(options, move |_| Generator {
            size,
            frame: Frame::new(),
        })?;
        engine.node("sink", |_| Sink)?;
        // From the end, so that each knows the next; a stage that splits is followed by as many twins.
        let mut after = vec![engine.control().node_by_name("sink").expect("just added")];
        let width = if let Way::Alternate(n) = way { n } else { 1 };
        for stage in (0..STAGES).rev() {
            let twins = if stage == 0 { 1 } else { width };
            let mut here = Vec::new();
            for twin in 0..twins {
                let name = if twin == 0 {
                    format!("n{stage}")
                } else {
                    format!("n{stage}-{twin}")
                };
                let after = after.clone();
                here.push(engine.node(name.as_str(), move |_| Pass::new(way, &after))?);
            }
            for (from, to) in here
                .iter()
                .flat_map(|from| after.iter().map(move |to| (from, to)))
            {
                engine.control().connect(*from, *to)?;
            }
            after = here;
        }
        Ok(())
    });
    let control = bed.control().clone();
    let node = bed.node("generator");
    control.set_input_mode(0, node, InputMode::Polling);
    let mut least = f64::MAX;
    for _ in 0..8 {
        control.clear_runtime();
        for _ in 0..40 {
            bed.round();
        }
        let runtime = control.runtime().swap_remove(0);
        let stages = runtime
            .nodes
            .iter()
            .filter(|node| node.name.starts_with('n') && !node.name.starts_with("null"));
        let clocks: u64 = stages.map(|node| node.runtime.clocks).sum();
        let packets = control.node_runtime(0, bed.node("sink")).vectors;
        least = least.min(clocks as f64 / packets as f64);
    }
    least
}

fn main() {
    println!("{}", barrow_runtime::sys::cpu::model_name());
    println!("clocks a packet over {STAGES} nodes; in brackets, a node and vector");
    println!(
        "{:>8} {:>18} {:>18} {:>18} {:>18}",
        "vector", "whole", "each", "two", "four"
    );
    for size in [1, 16, 63, 64, 256] {
        let ways = [Way::Whole, Way::Each, Way::Alternate(2), Way::Alternate(4)];
        let figures = ways.map(|way| {
            let clocks = measure(way, size);
            format!("{clocks:.1} ({:.0})", clocks * size as f64 / STAGES as f64)
        });
        let [whole, each, two, four] = figures;
        println!("{size:>8} {whole:>18} {each:>18} {two:>18} {four:>18}");
    }
}
