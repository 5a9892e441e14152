//! The node on Barrow's host: a feature with a command.

use crate::node::{BACKLOG, Event, NAME, Napper};
use barrow_core::Backoff;
use barrow_engine::{About, EngineBuilder, Feature, RegisterError, Restart};
use std::time::Duration;

/// The node `napper` and the command `napper`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NapperFeature;

impl Feature for NapperFeature {
    fn about(&self) -> About {
        About::new("napper", "Example of a process node")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let events = engine.control().spawner().inbox::<Event>(NAME, BACKLOG);
        let events = events.map_err(RegisterError::other)?;
        let backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        engine.process(Restart::AfterBackoff(backoff), || Napper {})?;
        let help = "napper {tick | nap <milliseconds> | panic | quit}";
        Ok(engine.cli().command("napper", help, move |_, args| {
            let event = Event::parse(args.line()).ok_or("tick, nap MS, panic or quit")?;
            events.try_send(event).map_err(|error| error.to_string())?;
            Ok(())
        })?)
    }
}
