//! The three nodes that look at packets while a trace runs.

use super::filter::Direction;
use super::recorder::Recorder;
use barrow_engine::{NoErrors, NoNext, NodeId, Packet, PacketContext, PacketNode, Vector};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The texts of drop reasons by counter, as they are appended to dropped packets.
#[derive(Clone, Default)]
pub(super) struct Reasons(Arc<RwLock<Vec<String>>>);

impl Reasons {
    /// Replaces all of them.
    pub(super) fn set(&self, texts: Vec<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = texts;
    }

    fn get(&self, error: u16) -> String {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        texts.get(usize::from(error)).cloned().unwrap_or_default()
    }
}

/// A feature of an arc: keeps the packets that the trace takes, and hands all of them on.
pub(super) struct Tap {
    direction: Direction,
    recorder: Recorder,
    reasons: Reasons,
    nexts: Vec<NodeId>,
}

impl Tap {
    pub(super) fn new(direction: Direction, recorder: Recorder, reasons: Reasons) -> Self {
        Self {
            direction,
            recorder,
            reasons,
            nexts: Vec::with_capacity(256),
        }
    }

    /// What a dropped packet's bytes are followed by: who dropped it, and why.
    fn note(&self, packet: &Packet<'_>) -> String {
        match self.direction {
            Direction::Rx | Direction::Tx => String::new(),
            Direction::Drop => self.reasons.get(packet.error),
        }
    }
}

impl PacketNode for Tap {
    type NextNodes = NoNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let at = wall_clock();
        self.recorder
            .record(at, self.direction, vector.packets(), |packet| {
                self.note(packet)
            });
        self.nexts.clear();
        for mut packet in vector.packets() {
            self.nexts.push(cx.next_feature(&mut packet));
        }
        cx.enqueue(vector, &self.nexts);
    }
}

/// The time of day, since 1970.
pub(crate) fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}
