//! What the feature `tap` registers.

use super::Taps;
use super::device::TapQueue;
use crate::interface::{InterfaceCounters, InterfaceWords, Interfaces};
use crate::virtio::{DeviceInput, QueueContext};
use barrow_engine::{About, EngineBuilder, Feature, NodeThread, RegisterError};

/// Tap interfaces, their messages and commands. Provides [`Taps`].
#[derive(Clone, Copy, Debug, Default)]
pub struct TapFeature;

impl Feature for TapFeature {
    fn about(&self) -> About {
        About::new("tap", "Tap interfaces, made in the kernel by this node")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let counters: InterfaceCounters = engine.table()?;
        let words: InterfaceWords = engine.table()?;
        let arc = engine.control().arcs().handle("device-input")?;
        let rows = counters.clone();
        let input = engine.input_node("virtio-input", move |thread: NodeThread| {
            let rows = rows.rows(thread.thread).expect("every thread has its rows");
            DeviceInput::<TapQueue>::new(arc, words.clone(), rows)
        })?;
        let log = engine.logger("tap");
        let context = QueueContext::new(engine.control().clone(), input, log);
        let taps = Taps::new(interfaces.clone(), counters, context);
        super::api::register(engine, &interfaces, &taps)?;
        super::commands::register(engine, &interfaces, &taps)?;
        let own = taps.clone();
        engine.running_config(move |config| own.write(config));
        engine.provide(taps)
    }
}
