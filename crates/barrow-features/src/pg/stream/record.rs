//! One stream, as the main thread keeps it.

use super::Source;
use super::new::Target;
use super::offload::Marks;
use super::pace::Pace;
use super::run::{Flow, RunState};
use crate::interface::SwIfIndex;
use crate::pg::definition::{Layer, Sizes, Start};
use barrow_core::UnitId;
use std::sync::Arc;

/// One stream, for listings.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is on; see the [module](crate::pg) for when it no longer is.
    pub enabled: bool,
    /// Packets of its latest run.
    pub sent: u64,
    /// Packets in all; 0 for no end.
    pub limit: u64,
    /// Packets a second; 0 for no limit.
    pub rate: f64,
    /// How long its packets are.
    pub sizes: Sizes,
    /// The worker it runs on, as it was asked for.
    pub worker: u32,
    /// Its headers and payload; empty for a replay.
    pub layers: Vec<Layer>,
}

/// A stream as the table has it.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: Arc<str>,
    pub(super) source: Source,
    pub(super) definition: Option<(String, Start)>,
    pub(super) limit: u64,
    pub(super) rate: f64,
    pub(super) maxframe: usize,
    pub(super) worker: u32,
    pub(super) thread: usize,
    pub(super) port: u32,
    pub(super) rx: SwIfIndex,
    pub(super) tx: Option<SwIfIndex>,
    pub(super) target: Target,
    pub(super) marks: Marks,
    /// The latest run.
    pub(super) run: Option<Arc<RunState>>,
    /// What makes the node look at a run with a rate.
    pub(super) pacer: Option<UnitId>,
}

impl Stream {
    /// Whether its latest run goes on.
    pub(super) fn is_on(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_running())
    }

    /// What a run of it sends, from the first packet on.
    pub(super) fn flow(&self) -> Flow {
        let cursor = self.source.start(&self.name);
        Flow {
            cursor,
            pace: Pace::new(self.rate),
            limit: self.limit,
        }
    }

    /// The stream, for listings.
    pub(super) fn info(&self) -> StreamInfo {
        let (min, max) = self.source.lengths();
        let (random, layers) = match &self.source {
            Source::Program(program) => (program.sizes().random, program.layers().to_vec()),
            Source::Replay(_) => (false, Vec::new()),
        };
        StreamInfo {
            name: self.name.clone(),
            enabled: self.is_on(),
            sent: self.run.as_ref().map_or(0, |run| run.sent()),
            limit: self.limit,
            rate: self.rate,
            // Random between equal sizes is not shown as such.
            sizes: Sizes {
                min,
                max,
                random: random && min < max,
            },
            worker: self.worker,
            layers,
        }
    }
}
