//! What the feature `ip` registers: tables, addresses and the IPv4 nodes.

use super::addresses::Addresses;
use super::api::IpApi;
use super::cli::IpCli;
use super::config;
use super::counters::SegmentCounters;
use super::path_mtu::PathMtus;
use super::running_config;
use crate::ErrorBase;
use crate::adj::AdjTable;
use crate::ethernet::{EtherType, EtherTypes, Ports};
use crate::fib::{Epochs, Fib, Worker};
use crate::icmp::SourceAddresses;
use crate::icmp::echo::Ip4IcmpEcho;
use crate::icmp::error::Ip4IcmpError;
use crate::icmp::header::kind;
use crate::icmp::input::{IcmpTypes, Ip4IcmpInput};
use crate::interface::{Departures, InterfaceCounters, InterfaceLinks, InterfaceWords, Interfaces};
use crate::ip4::end::{Ip4Drop, Ip4NotEnabled, Ip4Punt};
use crate::ip4::forward::{self, Ip4Forward};
use crate::ip4::frag::Ip4Frag;
use crate::ip4::header::protocol;
use crate::ip4::input::Ip4Input;
use crate::ip4::local::{Ip4Local, Listeners};
use crate::ip4::lookup::Ip4Lookup;
use crate::ip4::options::Ip4Options;
use crate::ip4::rewrite::Ip4Rewrite;
use crate::ip4::{Forwarding, Ip4Error, RouteRows};
use barrow_engine::{
    About, ArcHandle, EngineBuilder, Feature, NodeId, NodeThread, Quiescence, RegisterError,
};
use barrow_stats::CombinedCounters;
use std::rc::Rc;

/// Forwarding tables, addresses, and the nodes of IPv4 and ICMP.
///
/// Provides [`Fib`], [`AdjTable`], [`Addresses`], [`PathMtus`], [`Forwarding`], [`Listeners`],
/// [`IcmpTypes`], [`SourceAddresses`] and [`Epochs`].
#[derive(Clone, Copy, Debug, Default)]
pub struct IpFeature;

impl Feature for IpFeature {
    fn about(&self) -> About {
        About::new("ip", "IPv4 forwarding: tables, addresses, ICMP")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let log = engine.logger("ip");
        let counters = |path| SegmentCounters::new(engine.stats(), path, log.clone());
        let (to, via) = (counters("/net/route/to")?, counters("/net/route/via")?);
        let adjacency = counters("/net/adjacency")?;
        let epochs = Epochs::default();
        let arcs = engine.control().arcs().clone();
        let links = InterfaceLinks::new(interfaces.clone(), arcs.clone());
        let adjacencies = AdjTable::new(Rc::new(links), epochs.clone());
        adjacencies.set_counters(Rc::new(adjacency.clone()));
        let fib = Fib::new(
            adjacencies.clone(),
            [Rc::new(to.clone()), Rc::new(via.clone())],
            &epochs,
        );
        let sources = SourceAddresses::default();
        let addresses = Addresses::new(interfaces.clone(), fib.clone(), arcs, sources.clone());
        let forwarding = Forwarding::new(fib.reader());
        let listeners = Listeners::default();
        let types = IcmpTypes::default();
        let nodes = Nodes {
            forwarding: forwarding.clone(),
            words: engine.table()?,
            interface_counters: engine.table()?,
            to: to.counters().clone(),
            via: via.counters().clone(),
            adjacency: adjacency.counters().clone(),
            listeners: listeners.clone(),
            types: types.clone(),
            sources: sources.clone(),
        };
        nodes.register(engine, &interfaces)?;
        let own = addresses.clone();
        engine.on_start(move |_| own.take_up_local0());
        let follower = addresses.clone();
        interfaces.subscribe(move |event| {
            if let Err(error) = follower.follow(event) {
                log.error(format_args!(
                    "addresses of interface {}: {error}",
                    event.index()
                ));
            }
        });
        config::register(engine.config(), &fib)?;
        let path_mtus = PathMtus::new(fib.clone(), interfaces.clone(), forwarding.clone());
        let api = IpApi {
            interfaces: interfaces.clone(),
            fib: fib.clone(),
            addresses: addresses.clone(),
            forwarding: forwarding.clone(),
            path_mtus: path_mtus.clone(),
        };
        api.register(engine.api())?;
        let cli = IpCli {
            interfaces,
            fib: fib.clone(),
            adjacencies: adjacencies.clone(),
            addresses: addresses.clone(),
            path_mtus: path_mtus.clone(),
            forwarding: forwarding.clone(),
            clock: engine.control().clock().clone(),
        };
        cli.register(engine.cli())?;
        engine.running_config(move |config| running_config::write(&cli, config));
        engine.provide(path_mtus)?;
        for thread in 0..engine.control().thread_count() {
            let worker = epochs
                .worker()
                .ok_or_else(|| RegisterError::other("too many threads"))?;
            engine.control().on_thread(thread, move |thread| {
                thread.tell_quiescence(Announce(worker))
            });
        }
        engine.provide(epochs)?;
        engine.provide(adjacencies)?;
        engine.provide(fib)?;
        engine.provide(sources)?;
        engine.provide(addresses)?;
        engine.provide(forwarding)?;
        engine.provide(listeners)?;
        engine.provide(types)
    }
}

/// A thread's announcements to the forwarding tables.
struct Announce(Worker);

impl Quiescence for Announce {
    fn begin(&mut self) {
        self.0.quiescent();
    }

    fn end(&mut self) {
        self.0.offline();
    }
}

/// What the nodes are made with.
struct Nodes {
    forwarding: Forwarding,
    words: InterfaceWords,
    interface_counters: InterfaceCounters,
    to: CombinedCounters,
    via: CombinedCounters,
    adjacency: CombinedCounters,
    listeners: Listeners,
    types: IcmpTypes,
    sources: SourceAddresses,
}

const ROW: &str = "every thread has its row";

impl Nodes {
    fn register(
        self,
        engine: &mut EngineBuilder,
        interfaces: &Interfaces,
    ) -> Result<(), RegisterError> {
        let unicast = engine.arc(
            "ip4-unicast",
            &["ip4-input", "ip4-input-no-checksum"],
            "ip4-lookup",
        )?;
        engine.feature_on_arc("ip4-unicast", "ip4-not-enabled", []);
        for (name, verify) in [("ip4-input", true), ("ip4-input-no-checksum", false)] {
            let counters = self.interface_counters.clone();
            engine.node(name, move |thread: NodeThread| {
                Ip4Input::new(unicast, counters.rows(thread.thread).expect(ROW), verify)
            })?;
        }
        engine.node("ip4-not-enabled", |_| Ip4NotEnabled)?;
        engine.node("ip4-options", |_| Ip4Options::default())?;
        let drop = engine.arc("ip4-drop", &["ip4-drop"], "error-drop")?;
        let punt = engine.arc("ip4-punt", &["ip4-punt"], "error-punt")?;
        engine.node("ip4-drop", move |_| Ip4Drop::new(drop))?;
        engine.node("ip4-punt", move |_| Ip4Punt::new(punt))?;
        engine.node("ip4-frag", |_| Ip4Frag::default())?;
        let (forwarding, words) = (self.forwarding.clone(), self.words.clone());
        let (to, via) = (self.to.clone(), self.via.clone());
        engine.node("ip4-lookup", move |thread: NodeThread| {
            let row = |counters: &CombinedCounters| {
                RouteRows::new(counters.row(thread.thread).expect(ROW))
            };
            Ip4Lookup::new(forwarding.clone(), words.clone(), row(&to), row(&via))
        })?;
        self.register_rewrite(engine)?;
        self.register_local(engine)?;
        let sources = self.sources.clone();
        engine.node("ip4-icmp-error", move |_| {
            Ip4IcmpError::new(sources.clone())
        })?;
        let types = self.types.clone();
        let icmp = engine.node("ip4-icmp-input", move |_| Ip4IcmpInput::new(types.clone()))?;
        let counted = ErrorBase::of(engine.control(), "ip4-icmp-input").expect("made above");
        let echo = engine.node("ip4-icmp-echo-request", move |_| Ip4IcmpEcho::new(counted))?;
        self.listeners.register_protocol(protocol::ICMP, icmp);
        self.types.register(kind::ECHO_REQUEST, echo);
        let input = engine
            .control()
            .node_by_name("ip4-input")
            .expect("made above");
        let ether_types: EtherTypes = engine.table()?;
        ether_types.register(EtherType::IP4, input);
        self.register_group(engine, interfaces, unicast, input)
    }

    /// What most packets go through, as one.
    fn register_group(
        &self,
        engine: &mut EngineBuilder,
        interfaces: &Interfaces,
        unicast: ArcHandle,
        input: NodeId,
    ) -> Result<(), RegisterError> {
        let (ports, types): (Ports, EtherTypes) = (engine.table()?, engine.table()?);
        let (words, forwarding) = (self.words.clone(), self.forwarding.clone());
        let arc = engine.control().arcs().handle("interface-output")?;
        let departures = Departures::new(words.clone(), interfaces.outputs(), arc);
        let (counters, to) = (self.interface_counters.clone(), self.to.clone());
        engine.fuse("ip4-forward", &forward::NODES, move |thread: NodeThread| {
            Ip4Forward::new(forward::Tables {
                ports: ports.clone(),
                types: types.clone(),
                words: words.clone(),
                forwarding: forwarding.clone(),
                departures: departures.clone(),
                unicast,
                input,
                rows: counters.rows(thread.thread).expect(ROW),
                to: RouteRows::new(to.row(thread.thread).expect(ROW)),
            })
        });
        Ok(())
    }

    fn register_rewrite(&self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let output = engine.arc(
            "ip4-output",
            &["ip4-rewrite", "ip4-rewrite-bcast"],
            "interface-tx",
        )?;
        let expired =
            ErrorBase::<Ip4Error>::of(engine.control(), "ip4-input").expect("made before");
        for name in ["ip4-rewrite", "ip4-rewrite-bcast"] {
            let (forwarding, counters) = (self.forwarding.clone(), self.adjacency.clone());
            engine.node(name, move |thread: NodeThread| {
                let row = counters.row(thread.thread).expect(ROW);
                Ip4Rewrite::new(forwarding.clone(), output, expired, row)
            })?;
        }
        Ok(())
    }

    fn register_local(&self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let arc = engine.arc("ip4-local", &["ip4-receive"], "ip4-punt")?;
        let mut errors = None;
        for (name, arc) in [("ip4-local", None), ("ip4-receive", Some(arc))] {
            let (forwarding, words) = (self.forwarding.clone(), self.words.clone());
            let listeners = self.listeners.clone();
            engine.node(name, move |_| {
                Ip4Local::new(
                    arc,
                    errors,
                    listeners.clone(),
                    forwarding.clone(),
                    words.clone(),
                )
            })?;
            errors = ErrorBase::of(engine.control(), "ip4-local");
        }
        crate::ip4::reassembly::register(engine)
    }
}
