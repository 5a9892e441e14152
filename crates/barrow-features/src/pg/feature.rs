//! What the feature `pg` registers.

use super::port::Ports;
use super::stream::PgInput;
use super::{PacketGenerator, api, cli};
use crate::interface::{InterfaceCounters, Interfaces};
use barrow_engine::{About, Control, EngineBuilder, Feature, NodeId, NodeThread, RegisterError};

/// The packet generator. Provides [`PacketGenerator`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PgFeature;

impl Feature for PgFeature {
    fn about(&self) -> About {
        About::new("pg", "Packet generator and captures of its interfaces")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let counters: InterfaceCounters = engine.table()?;
        let input = engine.input_node("pg-input", {
            let counters = counters.clone();
            move |at: NodeThread| {
                PgInput::new(counters.rows(at.thread).expect("every thread has its rows"))
            }
        })?;
        let control = engine.control().clone();
        let log = engine.logger("pg");
        let ports = Ports::new(control.clone(), interfaces.clone(), counters, log.clone());
        let generator = PacketGenerator::new(control, interfaces.clone(), ports.clone(), input);
        let own = ports.clone();
        engine.running_config(move |config| own.write(config));
        interfaces.subscribe({
            let generator = generator.clone();
            move |event| {
                generator.follow(event);
                if let Err(error) = ports.follow(event) {
                    log.error(format_args!("interface {}: {error}", event.index()));
                }
            }
        });
        engine.on_start(move |control| lead_to_input_features(control, input));
        cli::register(engine.cli(), &generator)?;
        api::register(engine.api(), &generator)?;
        engine.provide(generator)
    }
}

/// Puts `pg-input` ahead of the features that its packets may meet first, so that they are there in the
/// same turn.
fn lead_to_input_features(control: &Control, input: NodeId) {
    let arcs = control.arcs().list();
    let features = arcs
        .iter()
        .filter(|arc| arc.name == "device-input")
        .flat_map(|a| &a.features);
    for node in features.filter_map(|name| control.node_by_name(name)) {
        if let Err(error) = control.connect(input, node) {
            debug_assert!(false, "both nodes exist: {error}");
        }
    }
}
