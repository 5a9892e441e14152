//! What the feature `trace` registers.

use super::{Snapshots, api, cli, graph};
use barrow_engine::{About, EngineBuilder, Feature, RegisterError};

/// Packet traces and the graph, as commands and messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceFeature;

impl Feature for TraceFeature {
    fn about(&self) -> About {
        About::new(
            "trace",
            "Packet traces, streaming dump of traces, graph of nodes",
        )
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let control = engine.control().clone();
        let prefix = engine.settings().cpu.thread_prefix.clone();
        cli::register(engine.cli(), &control, &prefix)?;
        let snapshots = Snapshots::new(&control, engine.api().clients());
        api::register(engine.api(), &control, &snapshots)?;
        graph::register(engine.api(), &control)?;
        Ok(())
    }
}
