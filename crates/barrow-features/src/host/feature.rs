//! What the feature `host` registers.

use super::Hosts;
use super::ring::RxRing;
use crate::interface::{InterfaceCounters, InterfaceWords, Interfaces};
use crate::linkwatch::{self, LinkWatch};
use crate::virtio::{DeviceInput, QueueContext};
use barrow_engine::{About, EngineBuilder, Feature, NodeThread, RegisterError};

/// Host interfaces, their messages and commands. Provides [`Hosts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HostFeature;

impl Feature for HostFeature {
    fn about(&self) -> About {
        About::new("host", "Interfaces on links that the kernel has already")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let counters: InterfaceCounters = engine.table()?;
        let words: InterfaceWords = engine.table()?;
        let links = LinkWatch::new(interfaces.clone(), engine.logger("link-watch"));
        linkwatch::register(engine, &links)?;
        let arc = engine.control().arcs().handle("device-input")?;
        let rows = counters.clone();
        let input = engine.input_node("af-packet-input", move |thread: NodeThread| {
            let rows = rows.rows(thread.thread).expect("every thread has its rows");
            DeviceInput::<RxRing>::new(arc, words.clone(), rows)
        })?;
        let log = engine.logger("af_packet");
        let context = QueueContext::new(engine.control().clone(), input, log);
        let hosts = Hosts::new(interfaces.clone(), counters, context, links);
        super::api::register(engine.api(), &hosts)?;
        super::commands::register(engine.cli(), &hosts, &interfaces)?;
        let own = hosts.clone();
        engine.running_config(move |config| own.write(config));
        engine.provide(hosts)
    }
}
