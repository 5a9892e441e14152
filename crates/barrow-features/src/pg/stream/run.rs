//! One go of a stream, on the thread that makes its packets.

use super::offload::Marker;
use super::pace::Pace;
use super::source::Cursor;
use barrow_engine::{ArcHandle, Instant, NodeId};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Turns for which a run that has sent everything waits, at most, for its thread to be quiet: others may
/// keep it busy for ever, and a packet seldom goes back in the graph more than twice.
const LONGEST_WAIT: u32 = 64;

/// What the main thread and the run share.
#[derive(Debug)]
pub(super) struct RunState {
    running: AtomicBool,
    sent: AtomicU64,
}

impl RunState {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            running: AtomicBool::new(true),
            sent: AtomicU64::new(0),
        })
    }

    /// Whether it goes on. When not, what it sent has been through the graph of its thread, unless it was
    /// stopped.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Acquire)
    }

    /// Ends the run, from either side.
    pub(super) fn stop(&self) {
        self.running.store(false, Release);
    }

    /// Packets sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }
}

/// What may change while a run goes on.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) cursor: Cursor,
    pub(super) pace: Pace,
    /// Packets in all; 0 for no end.
    pub(super) limit: u64,
}

/// A run.
#[derive(Debug)]
pub(super) struct Run {
    /// The stream's place in the table, in the order of which runs take their turns.
    pub(super) slot: usize,
    pub(super) state: Arc<RunState>,
    pub(super) flow: Flow,
    pub(super) maxframe: usize,
    pub(super) rx: u32,
    pub(super) tx: u32,
    pub(super) target: NodeId,
    /// The arc that packets start on their way to the target.
    pub(super) arc: Option<ArcHandle>,
    pub(super) marker: Option<Marker>,
    /// For traces.
    pub(super) name: Arc<str>,
    pub(super) target_name: Arc<str>,
    pub(super) waited: Option<u32>,
}

/// What a run does in a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It is over.
    Over,
    /// It sends so many packets, maybe none; `again` says that it wants the next turn too.
    Send { packets: usize, again: bool },
}

impl Run {
    /// What to do now, when `waiting` packets were on their way back in the graph as the poll began.
    pub(super) fn step(&mut self, now: Instant, waiting: usize) -> Step {
        if !self.state.is_running() {
            return Step::Over;
        }
        let left = match self.flow.limit {
            0 => u64::MAX,
            limit => limit.saturating_sub(self.state.sent()),
        };
        if left == 0 {
            return self.wait(waiting);
        }
        let most = left.min(self.maxframe as u64);
        let packets = self.flow.pace.due(now, most) as usize;
        let again = self.flow.pace.is_polled(self.maxframe) || packets as u64 == left;
        Step::Send { packets, again }
    }

    /// Everything is sent: the run ends in a turn that found the thread quiet.
    fn wait(&mut self, waiting: usize) -> Step {
        let waited = self.waited.get_or_insert(0);
        *waited += 1;
        if waiting == 0 || *waited > LONGEST_WAIT {
            self.state.stop();
            return Step::Over;
        }
        Step::Send {
            packets: 0,
            again: true,
        }
    }

    /// Counts what was sent.
    #[inline]
    pub(super) fn count(&self, packets: usize) {
        // The only writer is the run's own thread.
        self.state
            .sent
            .store(self.state.sent() + packets as u64, Relaxed);
    }

    /// Whether everything is sent.
    pub(super) fn is_waiting(&self) -> bool {
        self.flow.limit != 0 && self.state.sent() >= self.flow.limit
    }
}
