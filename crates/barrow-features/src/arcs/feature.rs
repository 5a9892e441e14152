//! What the feature `arcs` registers.

use super::switches::Switches;
use crate::interface::Interfaces;
use barrow_engine::{About, EngineBuilder, Feature, RegisterError};

/// Messages and commands that switch features of arcs on and off.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArcsFeature;

impl Feature for ArcsFeature {
    fn about(&self) -> About {
        About::new("arcs", "Feature arcs: switching features on and off")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let arcs = engine.control().arcs().clone();
        let switches = Switches::new(arcs.clone(), interfaces.clone());
        super::api::register(engine.api(), &arcs, &switches, &interfaces)?;
        super::cli::register(engine.cli(), &arcs, &switches, &interfaces)?;
        engine.running_config(move |config| switches.write(config));
        Ok(())
    }
}
