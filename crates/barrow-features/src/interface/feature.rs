//! What the feature `interface` registers.

use super::device_nodes::DeviceNodes;
use super::published::Published;
use super::{
    Capabilities, Device, Framing, HwIfIndex, InterfaceCounters, InterfaceError, InterfaceNames,
    InterfaceWords, Interfaces, NewInterface, RxMode, Simple,
};
use barrow_engine::{
    About, EngineBuilder, Feature, NextNodes, NoErrors, PacketContext, PacketNode, RegisterError,
    Vector,
};
use barrow_messages::ethernet_types::MacAddress;

/// The table of interfaces, their counters and arcs, and `local0`.
///
/// Provides [`Interfaces`], [`InterfaceCounters`], [`InterfaceNames`] and [`InterfaceWords`].
#[derive(Clone, Copy, Debug, Default)]
pub struct InterfaceFeature;

/// Where packets go that were sent to nowhere.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(super) enum Nowhere {
    /// To be counted and freed.
    #[next_node = "error-drop"]
    Drop,
}

/// Drops what it gets: the device of `local0`, and the end of `interface-output` for an interface that
/// has gone meanwhile.
#[derive(Debug)]
struct Sink;

impl PacketNode for Sink {
    type NextNodes = Nowhere;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let drop = cx.next(Nowhere::Drop);
        cx.enqueue_all(vector, drop);
    }
}

/// `local0`: there from the start, never up.
#[derive(Debug)]
struct Local;

impl Device for Local {
    fn class(&self) -> &'static str {
        "local"
    }

    fn set_admin(&mut self, _hw: HwIfIndex, _up: bool) -> Result<(), InterfaceError> {
        Ok(())
    }
}

impl Feature for InterfaceFeature {
    fn about(&self) -> About {
        About::new(
            "interface",
            "Interfaces: table, counters, events, placement",
        )
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let control = engine.control().clone();
        let counters = InterfaceCounters::new(engine.stats(), control.thread_count())?;
        let words = InterfaceWords::default();
        let names = InterfaceNames::default();
        engine.count_drops(counters.simple(Simple::Drops).clone());
        engine.count_punts(counters.simple(Simple::Punt).clone());
        engine.name_interfaces({
            let names = names.clone();
            move |index| names.get(index)
        });
        engine.node("interface-tx", |_| Sink)?;
        let arc = engine.arc("interface-output", &[], "interface-tx")?;
        let nodes = DeviceNodes::new(control.clone(), arc, words.clone(), counters.clone());
        let interfaces = Interfaces::new(words.clone(), nodes);
        let published = Published::new(engine.stats(), counters.clone(), names.clone())?;
        let log = engine.logger("interface");
        interfaces.subscribe({
            let interfaces = interfaces.clone();
            move |event| {
                if let Err(error) = published.follow(&interfaces, event) {
                    log.error(format_args!(
                        "statistics of interface {}: {error}",
                        event.index()
                    ));
                }
            }
        });
        let local = NewInterface {
            name: "local0".to_owned(),
            framing: Framing::Ip4,
            mac: MacAddress::default(),
            mtu: 0,
            link_speed: 0,
            capabilities: Capabilities::default(),
            rx: Vec::new(),
            tx: Vec::new(),
            device: Box::new(Local),
        };
        interfaces
            .create(local, |_, _| Sink)
            .map_err(RegisterError::other)?;
        super::api::register(engine, &interfaces, &counters)?;
        super::commands::register(engine, &interfaces, &counters)?;
        read_section(engine, &interfaces)?;
        let own = interfaces.clone();
        engine.running_config(move |config| super::running_config::write(&own, config));
        engine.provide(counters)?;
        engine.provide(names)?;
        engine.provide(words)?;
        engine.provide(interfaces)
    }
}

/// `interface { default-rx-mode polling|interrupt|adaptive }`
fn read_section(engine: &mut EngineBuilder, interfaces: &Interfaces) -> Result<(), RegisterError> {
    let interfaces = interfaces.clone();
    engine.config().section("interface", move |words| {
        while words.keyword(&["default-rx-mode"])?.is_some() {
            let mode = words.value("polling, interrupt or adaptive", RxMode::from_name)?;
            interfaces.set_default_rx_mode(mode);
        }
        Ok(())
    })?;
    Ok(())
}
