//! What the feature `pcap` registers.

use super::filter::Direction;
use super::node::{Reasons, Tap};
use super::recorder::Recorder;
use super::{PcapTrace, api, cli};
use crate::interface::Interfaces;
use barrow_engine::{About, EngineBuilder, Feature, RegisterError};
use std::path::PathBuf;

/// `pcap trace`: what interfaces receive, send and drop, to a file. Provides [`PcapTrace`].
#[derive(Clone, Debug)]
pub struct PcapFeature {
    directory: PathBuf,
}

impl Default for PcapFeature {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/tmp"),
        }
    }
}

impl PcapFeature {
    /// Writes its files into another directory than `/tmp`.
    #[must_use]
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }
}

impl Feature for PcapFeature {
    fn about(&self) -> About {
        About::new("pcap", "Captures of received, sent and dropped packets")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let (recorder, reasons) = (Recorder::default(), Reasons::default());
        for direction in [Direction::Rx, Direction::Tx, Direction::Drop] {
            let (arc, node) = direction.feature();
            let (recorder, reasons) = (recorder.clone(), reasons.clone());
            engine.node(node, move |_| {
                Tap::new(direction, recorder.clone(), reasons.clone())
            })?;
            engine.feature_on_arc(arc, node, []);
        }
        let control = engine.control().clone();
        let trace = PcapTrace::new(
            control,
            interfaces.clone(),
            recorder,
            reasons,
            self.directory,
        );
        let log = engine.logger("pcap");
        interfaces.subscribe({
            let (trace, log) = (trace.clone(), log.clone());
            move |event| {
                if let Err(error) = trace.follow(event) {
                    log.error(format_args!("interface {}: {error}", event.index()));
                }
            }
        });
        cli::register(engine.cli(), &trace, &interfaces)?;
        api::register(engine.api(), &trace, &interfaces, &log)?;
        engine.provide(trace)
    }
}
