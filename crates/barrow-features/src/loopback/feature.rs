//! What the feature `loopback` registers.

use super::Loopbacks;
use crate::interface::Interfaces;
use barrow_engine::{About, EngineBuilder, Feature, RegisterError};

/// Loopback interfaces. Provides [`Loopbacks`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopbackFeature;

impl Feature for LoopbackFeature {
    fn about(&self) -> About {
        About::new("loopback", "Loopback interfaces")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let loopbacks = Loopbacks::new(interfaces.clone());
        super::api::register(engine.api(), &loopbacks)?;
        super::cli::register(engine.cli(), &interfaces, &loopbacks)?;
        let own = loopbacks.clone();
        engine.running_config(move |config| own.write(config));
        engine.provide(loopbacks)
    }
}
