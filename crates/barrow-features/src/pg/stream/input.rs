//! `pg-input`: makes the packets of the streams of its thread.

use super::run::{Flow, Run, Step};
use crate::interface::{Combined, InterfaceRows};
use crate::pg::trace::InputRecord;
use barrow_engine::{
    BufferExt, ErrorCounters, Frame, InputContext, InputNode, NoNext, Polled, VECTOR,
};
use std::fmt;

/// What it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ErrorCounters)]
pub(in crate::pg) enum InputError {
    /// Packets that were due and not made.
    #[error_counter(
        name = "no buffers",
        description = "packets not generated for want of buffers",
        severity = WARN
    )]
    NoBuffers,
}

/// The node; one instance a thread. Ready while a run wants a turn; a run with a rate is made ready by the
/// main thread's timer.
pub(in crate::pg) struct PgInput {
    runs: Vec<Run>,
    frame: Frame,
    rows: InterfaceRows,
}

impl PgInput {
    pub(in crate::pg) fn new(rows: InterfaceRows) -> Self {
        Self {
            runs: Vec::new(),
            frame: Frame::new(),
            rows,
        }
    }

    /// Takes a run up.
    pub(super) fn start(&mut self, run: Run) {
        let at = self.runs.partition_point(|known| known.slot <= run.slot);
        self.runs.insert(at, run);
    }

    /// Changes what a run sends, without stopping it.
    pub(super) fn change(&mut self, slot: usize, flow: Flow) {
        let mut runs = self.runs.iter_mut();
        if let Some(run) = runs.find(|run| run.slot == slot && run.state.is_running()) {
            run.flow = flow;
        }
    }
}

impl InputNode for PgInput {
    type NextNodes = NoNext;
    type Errors = InputError;

    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let waiting = if self.runs.iter().any(Run::is_waiting) {
            cx.waiting()
        } else {
            0
        };
        let mut polled = Polled::NONE;
        let mut i = 0;
        while let Some(run) = self.runs.get_mut(i) {
            match run.step(cx.now(), waiting) {
                Step::Over => {
                    self.runs.remove(i);
                }
                Step::Send { packets, again } => {
                    if packets > 0 {
                        let made = send(run, cx, &mut self.frame, &self.rows, packets);
                        polled.packets += made as u32;
                    }
                    polled.more |= again;
                    i += 1;
                }
            }
        }
        polled
    }
}

/// Makes up to `packets` packets of a run and hands them on; returns how many there were buffers for.
fn send(
    run: &mut Run,
    cx: &mut InputContext<'_, PgInput>,
    frame: &mut Frame,
    rows: &InterfaceRows,
    packets: usize,
) -> usize {
    debug_assert!(frame.is_empty() && packets <= VECTOR);
    let wanted = packets.min(VECTOR);
    let got = cx.alloc(frame, wanted);
    let (mut made, mut bytes) = (0, 0);
    for buffer in frame.buffers_mut() {
        let mut packet = buffer.packet();
        let data = run.flow.cursor.packet();
        if let Some(room) = packet.room_mut().get_mut(..data.len()) {
            room.copy_from_slice(data);
            packet.set_len(data.len());
        } else if !packet.extend(data, cx.cache()) {
            // Longer than a buffer, and there are not enough for a chain.
            break;
        }
        packet.rx_sw_if_index = run.rx;
        packet.tx_sw_if_index = run.tx;
        bytes += data.len() as u64;
        made += 1;
        run.flow.cursor.advance();
    }
    for _ in made..got {
        if let Some(unused) = frame.pop() {
            cx.free_one(unused);
        }
    }
    if made < wanted {
        cx.count(InputError::NoBuffers, (wanted - made) as u64);
    }
    if made == 0 {
        return 0;
    }
    run.count(made);
    rows.count_bytes(Combined::Rx, run.rx, made as u64, bytes);
    if let Some(marker) = run.marker {
        frame
            .buffers_mut()
            .iter_mut()
            .for_each(|buffer| marker.apply(&mut buffer.packet()));
    }
    if cx.tracing() {
        for buffer in frame.buffers_mut() {
            let (name, target) = (&run.name, &run.target_name);
            cx.trace_new(&mut buffer.packet(), |packet| {
                InputRecord::new(name, target, packet)
            });
        }
    }
    let mut next = run.target;
    if let Some(arc) = run.arc {
        let entry = cx.arc_entry(arc, run.rx);
        if !entry.is_empty() {
            for buffer in frame.buffers_mut() {
                next = cx.arc_begin(entry, &mut buffer.packet(), run.target);
            }
        }
    }
    cx.enqueue_all(frame.vector(), next);
    made
}

impl fmt::Debug for PgInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgInput")
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}
