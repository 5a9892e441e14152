//! What the feature `ethernet` registers.

use super::input::EthernetInput;
use super::{EtherTypes, Port, Ports};
use crate::interface::{
    Framing, InterfaceCounters, InterfaceEvent, InterfaceWords, Interfaces, SwIfIndex,
};
use barrow_engine::{About, EngineBuilder, Feature, NodeThread, RegisterError};

/// `ethernet-input` behind the arc `device-input`, and the ports it reads.
///
/// Provides [`EtherTypes`], for whoever takes a type, and [`Ports`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EthernetFeature;

impl Feature for EthernetFeature {
    fn about(&self) -> About {
        About::new("ethernet", "Ethernet and VLAN sub-interfaces")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let counters: InterfaceCounters = engine.table()?;
        let words: InterfaceWords = engine.table()?;
        let (ports, types) = (Ports::default(), EtherTypes::default());
        engine.node("ethernet-input", {
            let (ports, types) = (ports.clone(), types.clone());
            move |thread: NodeThread| {
                let rows = counters
                    .rows(thread.thread)
                    .expect("every thread has its rows");
                EthernetInput::new(ports.clone(), types.clone(), words.clone(), rows)
            }
        })?;
        engine.arc("device-input", &[], "ethernet-input")?;
        interfaces.subscribe({
            let (interfaces, ports) = (interfaces.clone(), ports.clone());
            move |event| follow(&interfaces, &ports, event)
        });
        engine.provide(types)?;
        engine.provide(ports)
    }
}

/// Publishes the port that an event changed.
fn follow(interfaces: &Interfaces, ports: &Ports, event: InterfaceEvent) {
    let index = event.index();
    match event {
        InterfaceEvent::Created(_) | InterfaceEvent::Mac(_) => {
            let parent = interfaces
                .sw(index)
                .and_then(|sw| sw.sub)
                .map_or(index, |sub| sub.parent);
            ports.set(parent, port_of(interfaces, parent, None));
        }
        InterfaceEvent::Deleting(_) => {
            let parent = interfaces
                .sw(index)
                .and_then(|sw| sw.sub)
                .map(|sub| sub.parent);
            match parent {
                Some(parent) => ports.set(parent, port_of(interfaces, parent, Some(index))),
                None => ports.set(index, None),
            }
        }
        _ => {}
    }
}

/// The port of a device, without the sub-interface that is about to go.
fn port_of(interfaces: &Interfaces, own: SwIfIndex, without: Option<SwIfIndex>) -> Option<Port> {
    let mut port = {
        let hw = interfaces.hw_of(own)?;
        if hw.framing != Framing::Ethernet {
            return None;
        }
        let secondary = hw.secondary_macs.iter().map(|mac| mac.0).collect();
        Port::new(hw.mac.0, secondary, hw.promiscuous)
    };
    for index in interfaces
        .iter_indexes()
        .filter(|index| Some(*index) != without)
    {
        let sub = interfaces.sw(index).and_then(|sw| sw.sub);
        if let Some(sub) = sub.filter(|sub| sub.parent == own) {
            port.add(&sub.vlan, index);
        }
    }
    Some(port)
}
