//! What the feature `dhcp` registers.

use super::clients::{Clients, Plant};
use super::detect::{ArpDetect, Detect, Guards, Watch};
use super::message::CLIENT_PORT;
use super::{api, cli, process};
use crate::interface::{InterfaceEvent, Interfaces};
use crate::ip4::local::Listeners;
use barrow_engine::{About, Constraint, EngineBuilder, Feature, RegisterError};

/// DHCPv4 clients of interfaces. Provides [`Clients`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DhcpFeature;

impl Feature for DhcpFeature {
    fn about(&self) -> About {
        About::new("dhcp", "Dynamic Host Configuration Protocol (DHCP)")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let listeners: Listeners = engine.table()?;
        let watch = Watch {
            guards: Guards::default(),
            events: process::inbox(engine)?,
        };
        let clients = Clients::new(Plant {
            control: engine.control().clone(),
            interfaces: interfaces.clone(),
            addresses: engine.table()?,
            fib: engine.table()?,
            guards: watch.guards.clone(),
            events: watch.events.clone(),
        });
        let of_arc = watch.clone();
        engine.node("ip4-dhcp-client-detect", move |_| {
            Detect::new(of_arc.clone(), true)
        })?;
        engine.feature_on_arc(
            "ip4-unicast",
            "ip4-dhcp-client-detect",
            [Constraint::before("ip4-not-enabled")],
        );
        let of_port = watch.clone();
        let input = engine.node("dhcp-client-input", move |_| {
            Detect::new(of_port.clone(), false)
        })?;
        listeners.register_udp_port(CLIENT_PORT, Some(input));
        engine.node("arp-dhcp-client-detect", move |_| {
            ArpDetect::new(watch.clone())
        })?;
        engine.feature_on_arc(
            "arp",
            "arp-dhcp-client-detect",
            [
                Constraint::before("arp-reply"),
                Constraint::before("arp-disabled"),
            ],
        );
        let own = clients.clone();
        interfaces.subscribe(move |event| {
            if let InterfaceEvent::Deleting(index) = event {
                // Most interfaces have none.
                let _none = own.remove(index);
            }
        });
        let (own, known) = (clients.clone(), interfaces.clone());
        engine.running_config(move |config| cli::write(&own, &known, config));
        process::register(engine, &clients)?;
        api::register(engine.api(), &clients, &interfaces)?;
        let clock = engine.control().clock().clone();
        cli::register(engine.cli(), &clients, &interfaces, move || clock.now())?;
        engine.provide(clients)
    }
}
