//! What the feature `neighbor` registers.

use super::counters::ArpCounters;
use super::process::{Age, Learn, Learner};
use super::resolve::Resolve;
use super::table::{NeighborEvent, NeighborKey, Neighbors};
use super::{api, cli, config, running_config};
use crate::adj::AdjTable;
use crate::arp::header::{ArpPacket, REQUEST};
use crate::fib::Fib;
use crate::icmp::SourceAddresses;
use crate::interface::{InterfaceEvent, Interfaces};
use crate::ip::Addresses;
use crate::ip4::Forwarding;
use barrow_engine::{
    About, BufferExt, Control, EngineBuilder, Feature, Frame, NodeId, NodeThread, PacketFlags,
    RegisterError, Restart,
};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use zerocopy::IntoBytes;

/// Packets that a node holds for unresolved neighbours, unless configured otherwise.
const HOLD: usize = 1024;

/// The neighbour table, its processes, and the nodes that ask.
///
/// Provides [`Neighbors`], [`ArpCounters`] and [`Learner`].
#[derive(Clone, Copy, Debug)]
pub struct NeighborFeature {
    /// Packets held for unresolved neighbours at most, over all threads; 0 holds none.
    pub hold: usize,
}

impl Default for NeighborFeature {
    fn default() -> Self {
        Self { hold: HOLD }
    }
}

impl Feature for NeighborFeature {
    fn about(&self) -> About {
        About::new("neighbor", "Neighbours: table, resolution, ageing")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let control = engine.control().clone();
        let interfaces: Interfaces = engine.table()?;
        let fib: Fib = engine.table()?;
        let adjacencies: AdjTable = engine.table()?;
        let counters = ArpCounters::new(engine.stats())?;
        let neighbors = Neighbors::new(
            interfaces.clone(),
            fib,
            adjacencies,
            control.clock().clone(),
        );
        let learner = Learner::new();
        let hold = config::register(engine.config(), self.hold)?;
        let threads = control.thread_count();
        let mut nodes = Vec::with_capacity(2);
        for name in ["ip4-arp", "ip4-glean"] {
            let forwarding: Forwarding = engine.table()?;
            let sources: SourceAddresses = engine.table()?;
            let (counters, hold) = (counters.clone(), hold.clone());
            nodes.push(engine.node(name, move |thread: NodeThread| {
                let (forwarding, sources) = (forwarding.clone(), sources.clone());
                let share = hold.get().div_ceil(threads);
                Resolve::new(forwarding, sources, &counters, thread.thread, share)
            })?);
        }
        neighbors.watch({
            let control = control.clone();
            move |event| {
                if let NeighborEvent::Added(key, _) = event {
                    release(&control, &nodes, key);
                }
            }
        });
        let log = engine.logger("neighbor");
        interfaces.subscribe({
            let (neighbors, counters) = (neighbors.clone(), counters.clone());
            move |event| {
                let index = event.index();
                let outcome = match event {
                    InterfaceEvent::Created(_) => counters.ensure(index).map_err(|e| e.to_string()),
                    InterfaceEvent::Deleting(_) => neighbors
                        .flush(Some(index), true)
                        .map_err(|e| e.to_string()),
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    log.error(format_args!("neighbors of interface {index}: {error}"));
                }
            }
        });
        let addresses: Addresses = engine.table()?;
        addresses.on_table_change({
            let (neighbors, log) = (neighbors.clone(), engine.logger("neighbor"));
            move |index| {
                if let Err(error) = neighbors.table_changed(index) {
                    log.error(format_args!("neighbors of interface {index}: {error}"));
                }
            }
        });
        let own = (neighbors.clone(), interfaces.clone());
        engine.running_config(move |config| running_config::write(&own.0, &own.1, config));
        let watchers = api::register(engine.api(), &neighbors, &interfaces, control.clock())?;
        let commands = cli::NeighborCli {
            neighbors: neighbors.clone(),
            interfaces: interfaces.clone(),
            counters: counters.clone(),
            watchers,
            clock: control.clock().clone(),
        };
        commands.register(engine.cli())?;
        let receiver = learner.take().expect("nobody else has taken it");
        let mut learn = Some(Learn {
            neighbors: neighbors.clone(),
            receiver,
        });
        engine.process(Restart::Never, move || learn.take().expect("started once"))?;
        let sources: SourceAddresses = engine.table()?;
        let probe: Rc<dyn Fn(NeighborKey)> =
            Rc::new(move |key| probe(&control, &interfaces, &sources, key));
        let aged = neighbors.clone();
        engine.process(Restart::OnFailure, move || Age {
            neighbors: aged.clone(),
            probe: Rc::clone(&probe),
        })?;
        engine.provide(counters)?;
        engine.provide(learner)?;
        engine.provide(neighbors)
    }
}

/// Sends the packets that wait for a neighbour, on every thread, to be looked up anew.
fn release(control: &Control, nodes: &[NodeId], key: NeighborKey) {
    let (IpAddr::V4(address), Some(lookup)) = (key.address, control.node_by_name("ip4-lookup"))
    else {
        return;
    };
    for thread in 0..control.thread_count() {
        for node in nodes.iter().copied() {
            control.on_thread(thread, move |packets| {
                let mut frame = Frame::new();
                if let Some(resolve) = packets.node::<Resolve, _>(node) {
                    resolve.release(key.interface, address, &mut frame);
                }
                packets.inject(lookup, &mut frame);
            });
        }
    }
}

/// Asks a known neighbour whether it is still there: a request to its own station (RFC 1122 section
/// 2.3.2.1).
fn probe(control: &Control, interfaces: &Interfaces, sources: &SourceAddresses, key: NeighborKey) {
    let IpAddr::V4(target) = key.address else {
        return;
    };
    let outputs = interfaces.outputs();
    let own: Option<Ipv4Addr> = sources.towards(key.interface, target);
    let (Some(own), Some(output), Some(mac)) =
        (own, outputs.get(key.interface), outputs.mac(key.interface))
    else {
        return;
    };
    let Some(header) = crate::interface::question_header(interfaces, key.interface) else {
        return;
    };
    let arp = ArpPacket::new(REQUEST, (mac, own), ([0; 6], target));
    control.on_thread(0, move |packets| {
        let Some(mut buffer) = packets.packets().cache().alloc_one() else {
            return;
        };
        let mut packet = buffer.packet();
        packet.restart(0);
        packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
        packet.tx_sw_if_index = key.interface.0;
        packet.l3_header_offset = header.len() as i16;
        let fits = packet.append_bytes(&header) && packet.append_bytes(arp.as_bytes());
        debug_assert!(fits, "a fresh buffer has room for an ARP packet");
        let mut frame = Frame::new();
        if frame.push(buffer).is_ok() {
            packets.inject(output, &mut frame);
        }
    });
}
