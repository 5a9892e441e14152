//! What the feature `arp` registers.

use super::control::ProxyArp;
use super::disabled::ArpDisabled;
use super::input::ArpInput;
use super::proxy::{ArpProxy, ProxyRanges};
use super::reply::{ArpReply, ArpView};
use super::{api, cli};
use crate::ethernet::{EtherType, EtherTypes};
use crate::fib::Fib;
use crate::interface::{InterfaceEvent, Interfaces};
use crate::neighbor::{ArpCounters, Learner};
use barrow_engine::{About, Constraint, EngineBuilder, Feature, NodeThread, RegisterError};

/// ARP: answers, learning, proxy. Provides [`ProxyArp`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ArpFeature;

impl Feature for ArpFeature {
    fn about(&self) -> About {
        About::new("arp", "ARP: resolution, replies, proxy")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let counters: ArpCounters = engine.table()?;
        let learner: Learner = engine.table()?;
        let view = ArpView {
            forwarding: engine.table()?,
            words: engine.table()?,
            outputs: interfaces.outputs(),
            sources: engine.table()?,
            learner: learner.sender(),
        };
        let ranges = ProxyRanges::default();
        let arc = engine.arc("arp", &["arp-input"], "error-drop")?;
        engine.feature_on_arc("arp", "arp-reply", [Constraint::before("arp-disabled")]);
        let proxy = [
            Constraint::after("arp-reply"),
            Constraint::before("arp-disabled"),
        ];
        engine.feature_on_arc("arp", "arp-proxy", proxy);
        engine.feature_on_arc("arp", "arp-disabled", []);
        let rows = counters.clone();
        let input = engine.node("arp-input", move |thread: NodeThread| {
            ArpInput::new(arc, rows.rx_rows(thread.thread))
        })?;
        let (rows, of_reply) = (counters.clone(), view.clone());
        engine.node("arp-reply", move |thread: NodeThread| {
            ArpReply::new(of_reply.clone(), rows.tx_rows(thread.thread))
        })?;
        let of_proxy = ranges.clone();
        engine.node("arp-proxy", move |thread: NodeThread| {
            ArpProxy::new(
                view.clone(),
                of_proxy.clone(),
                counters.tx_rows(thread.thread),
            )
        })?;
        engine.node("arp-disabled", |_| ArpDisabled)?;
        let types: EtherTypes = engine.table()?;
        types.register(EtherType::ARP, input);
        let arcs = engine.control().arcs().clone();
        interfaces.subscribe({
            let interfaces = interfaces.clone();
            move |event| {
                if let InterfaceEvent::Created(index) | InterfaceEvent::Ip4(index) = event {
                    let on = interfaces.sw(index).is_some_and(|sw| sw.ip4_enabled);
                    for (feature, on) in [("arp-reply", on), ("arp-disabled", !on)] {
                        let switched = arcs.enable("arp", feature, index.0, on, &[]);
                        debug_assert!(switched.is_ok(), "the feature is on the arc: {switched:?}");
                    }
                }
            }
        });
        let proxy = ProxyArp::new(ranges, engine.control().arcs().clone(), &interfaces);
        let fib: Fib = engine.table()?;
        let own = (proxy.clone(), fib.clone(), interfaces.clone());
        engine.running_config(move |config| own.0.write(&own.1, &own.2, config));
        api::register(engine.api(), &proxy, &fib, &interfaces)?;
        cli::register(engine.cli(), &proxy, &fib, &interfaces)?;
        engine.provide(proxy)
    }
}
