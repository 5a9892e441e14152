//! The fused group `ip4-forward`: what most packets go through, in one pass.
//!
//! ```text
//! ethernet-input -> ip4-input -> ip4-lookup -> ip4-rewrite -> NAME-output  --->  NAME-tx
//! |  look: header and data read once   | tables, all |  send: header and data     |
//! |  destination and verdict kept      | at once     |  written once              |
//! ```
//!
//! Sixty-four packets at a time: `look` decides from the bytes, the lookups of all of them are under way
//! together, `send` changes the packets that have a neighbour to go to. What is not plain (a tag, options, an
//! error, a feature, a route that recurses, a packet too long, ...) is left to the single nodes as it came, so that
//! their counters, errors and traces are the only ones.

use super::flow::flow_in;
use super::header::{HEADER_LEN as IP4_LEN, Ip4Header};
use super::mtrie::Ip4Mtrie;
use super::{Forwarding, RouteRows};
use crate::adj::{AdjFlags, AdjKind};
use crate::ethernet::ether_types::find;
use crate::ethernet::header::HEADER_LEN as ETHERNET_LEN;
use crate::ethernet::stage::Arrivals;
use crate::ethernet::{EtherType, EtherTypes, Ports};
use crate::fib::{Choice, Dpo, DpoKind, FibIndex, LbIndex};
use crate::interface::{Departure, Departures, InterfaceRows, InterfaceWords, Simple, SwIfIndex};
use barrow_engine::{
    ArcHandle, Buffer, BufferExt, FusedContext, FusedGroup, NodeId, PacketFlags, UNSET, Vector,
    Verdict,
};
use std::fmt;
use zerocopy::FromBytes;

/// The nodes that the group stands for; `NAME-output` comes behind.
pub const NODES: [&str; 4] = ["ethernet-input", "ip4-input", "ip4-lookup", "ip4-rewrite"];

/// Packets whose lines stay in the first-level cache from `look` to `send`.
const CHUNK: usize = 64;
/// Headers that the group reads and writes.
const HEADERS: usize = ETHERNET_LEN + IP4_LEN;
/// Ways out that a vector's packets take, of which the group remembers the latest in each place.
const WAYS: usize = 16;

/// What some node looks at beyond the headers.
const UNUSUAL: PacketFlags = PacketFlags::GSO
    .union(PacketFlags::OFFLOAD_ANY)
    .union(PacketFlags::LOCALLY_ORIGINATED)
    .union(PacketFlags::TRACED);

/// What the group reads and counts; see [`Ip4Forward::new`].
pub(crate) struct Tables {
    pub(crate) ports: Ports,
    pub(crate) types: EtherTypes,
    pub(crate) words: InterfaceWords,
    pub(crate) forwarding: Forwarding,
    pub(crate) departures: Departures,
    /// `ip4-unicast`.
    pub(crate) unicast: ArcHandle,
    /// `ip4-input`.
    pub(crate) input: NodeId,
    pub(crate) rows: InterfaceRows,
    pub(crate) to: RouteRows,
}

/// The group; one a thread.
pub struct Ip4Forward {
    tables: Tables,
    lanes: Lanes,
    ways: Ways,
}

impl fmt::Debug for Ip4Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Forward").finish_non_exhaustive()
    }
}

impl Ip4Forward {
    /// The instance of one thread.
    pub(crate) fn new(tables: Tables) -> Self {
        Self {
            tables,
            lanes: Lanes::default(),
            ways: Ways::default(),
        }
    }

    /// Whether there is nothing in the node's settings that the group does not do.
    fn is_usable(&self) -> bool {
        let Tables {
            types, forwarding, ..
        } = &self.tables;
        !forwarding.adjacencies().counting()
            && forwarding.path_mtus().is_none()
            && find(&types.load(), EtherType::IP4) == Some(self.tables.input)
    }
}

impl FusedGroup for Ip4Forward {
    fn run(&mut self, cx: &mut FusedContext<'_>, vector: &mut Vector<'_>, nexts: &mut Vec<NodeId>) {
        if !self.is_usable() {
            return;
        }
        let tables = &self.tables;
        let ports = tables.ports.load();
        let mut pass = Pass {
            tables,
            lanes: &mut self.lanes,
            ways: &mut self.ways,
            route: LbIndex::DROP,
            route_packets: 0,
            route_bytes: 0,
        };
        while let Some(buffer) = vector.buffers().get(nexts.len()) {
            let interface = SwIfIndex(buffer.header().rx_sw_if_index);
            let fib = FibIndex(tables.words.get(interface).fib_index());
            let table = tables.forwarding.ip4_table(fib);
            let featured = !cx.arc_entry(tables.unicast, interface.0).is_empty();
            let arrivals = Arrivals::of(&ports, &tables.words, interface);
            let (Some(arrivals), Some(mtrie), false) = (arrivals, &*table, featured) else {
                break;
            };
            let run = Run {
                interface,
                arrivals,
                fib,
                mtrie,
            };
            let (sent, end) = pass.run(cx, &run, vector, nexts);
            tables.rows.count(Simple::Ip4, interface.0, sent);
            if end == End::Stop {
                break;
            }
        }
        pass.flush(cx);
    }
}

/// Packets of a vector that came in by one interface.
struct Run<'a> {
    interface: SwIfIndex,
    arrivals: Arrivals<'a>,
    fib: FibIndex,
    mtrie: &'a Ip4Mtrie,
}

/// Where looking at packets ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// A chunk is full, or the vector is over.
    Full,
    /// The next packet came in by another interface.
    Interface,
    /// The next packet, and all behind it, are for the single nodes.
    Stop,
}

/// One pass over a vector.
struct Pass<'a> {
    tables: &'a Tables,
    lanes: &'a mut Lanes,
    ways: &'a mut Ways,
    /// The route that was counted last, and what is not counted yet.
    route: LbIndex,
    route_packets: u64,
    route_bytes: u64,
}

impl Pass<'_> {
    /// Packets of one interface, chunk by chunk; gives how many were sent, and why it ended.
    fn run(
        &mut self,
        cx: &mut FusedContext<'_>,
        run: &Run<'_>,
        vector: &mut Vector<'_>,
        nexts: &mut Vec<NodeId>,
    ) -> (u64, End) {
        let mut sent = 0;
        while nexts.len() < vector.len() {
            let start = nexts.len();
            let (n, end) = self.lanes.look(run, vector, start);
            self.lanes.look_up(n, run.mtrie, self.tables);
            let packets = &mut vector.buffers_mut()[start..start + n];
            sent += self.send(cx, run, packets, nexts);
            if nexts.len() < start + n {
                return (sent, End::Stop);
            }
            if end != End::Full {
                return (sent, end);
            }
        }
        (sent, End::Full)
    }

    /// Sends the packets of a chunk, up to the first that stops it; gives how many.
    #[inline]
    fn send(
        &mut self,
        cx: &mut FusedContext<'_>,
        run: &Run<'_>,
        packets: &mut [Buffer],
        nexts: &mut Vec<NodeId>,
    ) -> u64 {
        let mut sent = 0;
        let lanes = self.lanes.plain.iter().zip(&self.lanes.found);
        for ((buffer, (plain, found)), choice) in
            packets.iter_mut().zip(lanes).zip(&self.lanes.choices)
        {
            if !plain {
                nexts.push(NodeId::NONE);
                continue;
            }
            let mut hash = None;
            let dpo = choice.only().unwrap_or_else(|| {
                let value = self.tables.hash(buffer, *choice);
                hash = Some(value);
                self.tables.forwarding.load_balances().pick(*choice, value)
            });
            let way = self.ways.of(cx, self.tables, dpo);
            let mut packet = buffer.packet();
            let (header, bytes) = packet.split_mut();
            let len = bytes.len();
            let fits = len <= way.longest;
            let (Some(headers), Verdict::Pass, true) =
                (bytes.first_chunk_mut::<HEADERS>(), way.verdict, fits)
            else {
                if way.verdict == Verdict::Leave {
                    nexts.push(NodeId::NONE);
                    continue;
                }
                break;
            };
            let (ethernet, ip4) = headers.split_at_mut(ETHERNET_LEN);
            ethernet.copy_from_slice(&way.header);
            if let Ok(ip4) = Ip4Header::mut_from_bytes(ip4) {
                ip4.decrement_ttl();
            }
            header.l2_header_offset = header.offset();
            header.l3_header_offset = header.offset() + ETHERNET_LEN as i16;
            header.fib_index = run.fib.0;
            header.adj_index = dpo.index();
            header.tx_sw_if_index = way.interface;
            if let Some(hash) = hash {
                header.flow_hash = hash;
            }
            way.packets += 1;
            way.bytes += len as u64;
            if *found != self.route {
                self.tables
                    .to
                    .add(self.route, self.route_packets, self.route_bytes);
                (self.route, self.route_packets, self.route_bytes) = (*found, 0, 0);
            }
            self.route_packets += 1;
            self.route_bytes += (len - ETHERNET_LEN) as u64;
            nexts.push(way.tx);
            sent += 1;
        }
        sent
    }

    /// Adds up what was counted.
    fn flush(self, cx: &mut FusedContext<'_>) {
        self.tables
            .to
            .add(self.route, self.route_packets, self.route_bytes);
        self.ways.flush(cx, &self.tables.rows);
    }
}

impl Tables {
    /// The flow hash of a packet that several paths are open to.
    #[inline(never)]
    fn hash(&self, buffer: &Buffer, choice: Choice) -> u32 {
        let packet = buffer.bytes().get(ETHERNET_LEN..).unwrap_or(&[]);
        flow_in(packet).hash(choice.flow_hash_config(), self.forwarding.router_id())
    }
}

/// What is known of the packets of a chunk, by their place in it.
struct Lanes {
    destinations: [u32; CHUNK],
    /// Whether the headers are plain; if not, the packet is left.
    plain: [bool; CHUNK],
    found: [LbIndex; CHUNK],
    choices: [Choice; CHUNK],
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            destinations: [0; CHUNK],
            plain: [false; CHUNK],
            found: [LbIndex::DROP; CHUNK],
            choices: [Choice::DROP; CHUNK],
        }
    }
}

impl Lanes {
    /// Reads the headers of up to a chunk of packets from `start` on; gives how many.
    #[inline]
    fn look(&mut self, run: &Run<'_>, vector: &Vector<'_>, start: usize) -> (usize, End) {
        let packets = vector.buffers()[start..].iter();
        let lanes = self.destinations.iter_mut().zip(&mut self.plain);
        for (i, (buffer, (destination, plain))) in packets.zip(lanes).enumerate() {
            vector.prefetch(start + i + 8);
            let header = buffer.header();
            if header.rx_sw_if_index != run.interface.0 {
                return (i, End::Interface);
            }
            let bytes = buffer.bytes();
            let unusual = header.flags.intersects(UNUSUAL)
                | header.is_chained()
                | (header.tx_sw_if_index != UNSET);
            let (Some(headers), false) = (bytes.first_chunk::<HEADERS>(), unusual) else {
                return (i, End::Stop);
            };
            match judge(run, headers, bytes.len()) {
                Verdict::Pass => *plain = true,
                Verdict::Leave => *plain = false,
                Verdict::Stop => return (i, End::Stop),
            }
            let [.., a, b, c, d] = *headers;
            *destination = u32::from_be_bytes([a, b, c, d]);
        }
        (CHUNK.min(vector.len() - start), End::Full)
    }

    /// Finds the routes of the first `n` packets and where they lead.
    #[inline]
    fn look_up(&mut self, n: usize, mtrie: &Ip4Mtrie, tables: &Tables) {
        let found = &mut self.found[..n];
        mtrie.lookup_batch(&self.destinations[..n], found);
        let choices = &mut self.choices[..n];
        tables.forwarding.load_balances().load_batch(found, choices);
        found.iter().for_each(|route| tables.to.prefetch(*route));
    }
}

/// What the headers of a packet say. `len` is that of the whole frame.
#[inline]
fn judge(run: &Run<'_>, headers: &[u8; HEADERS], len: usize) -> Verdict {
    let (ethernet, ip4) = headers.split_at(ETHERNET_LEN);
    let (Ok(ethernet), Ok(ip4)) = (ethernet.try_into(), Ip4Header::ref_from_bytes(ip4)) else {
        return Verdict::Stop;
    };
    let claimed = usize::from(ip4.total_length.get());
    let right = (claimed >= IP4_LEN)
        & (claimed <= len - ETHERNET_LEN)
        & ip4.checksum_is_right()
        & (ip4.fragment_offset() != 8)
        & (ip4.ttl > 1);
    let plain = run.arrivals.is_plain(ethernet, EtherType::IP4);
    if plain & right & (ip4.version_and_length == 0x45) {
        return Verdict::Pass;
    }
    match run.arrivals.judge(ethernet, EtherType::IP4) {
        Verdict::Pass if ip4.version() == 4 && ip4.header_len() > IP4_LEN => Verdict::Stop,
        Verdict::Pass if !right || ip4.version_and_length != 0x45 => Verdict::Leave,
        verdict => verdict,
    }
}

/// Where a lookup leads, for packets of one vector.
struct Way {
    to: Dpo,
    verdict: Verdict,
    /// The longest frame that may leave, link header included.
    longest: usize,
    header: [u8; ETHERNET_LEN],
    interface: u32,
    tx: NodeId,
    departure: Option<Departure>,
    packets: u32,
    bytes: u64,
}

impl Way {
    /// Of what is dropped.
    const DROP: Self = Self {
        to: Dpo::DROP,
        verdict: Verdict::Leave,
        longest: 0,
        header: [0; ETHERNET_LEN],
        interface: UNSET,
        tx: NodeId::NONE,
        departure: None,
        packets: 0,
        bytes: 0,
    };

    /// The way to a destination, if a plain packet can take it.
    fn find(cx: &mut FusedContext<'_>, tables: &Tables, to: Dpo) -> Self {
        let left = |verdict| Self {
            to,
            verdict,
            ..Self::DROP
        };
        let Some(index) = to.adjacency_index() else {
            let elsewhere = matches!(
                to.kind(),
                DpoKind::LoadBalance | DpoKind::Lookup | DpoKind::InterfaceRx
            );
            return left(if elsewhere {
                Verdict::Stop
            } else {
                Verdict::Leave
            });
        };
        let adjacency = tables.forwarding.adjacencies().read(index);
        if !matches!(adjacency.kind, AdjKind::Rewrite | AdjKind::Broadcast) {
            return left(Verdict::Leave);
        }
        let departure = tables
            .departures
            .by(cx, adjacency.interface, adjacency.node);
        let header = adjacency.rewrite.as_bytes().try_into();
        let (AdjKind::Rewrite, Some(departure), Ok(header), false) = (
            adjacency.kind,
            departure,
            header,
            adjacency.flags.contains(AdjFlags::FEATURES),
        ) else {
            return left(Verdict::Stop);
        };
        Self {
            to,
            verdict: Verdict::Pass,
            longest: usize::from(adjacency.mtu) + ETHERNET_LEN,
            header,
            interface: adjacency.interface.0,
            tx: departure.tx,
            departure: Some(departure),
            packets: 0,
            bytes: 0,
        }
    }

    /// Counts what went this way.
    fn flush(&self, cx: &mut FusedContext<'_>, rows: &InterfaceRows) {
        if let Some(departure) = self.departure.filter(|_| self.packets > 0) {
            departure.count(cx, rows, self.packets, self.bytes);
        }
    }
}

/// The ways of a vector, each in a place that follows from its index; between two vectors nothing is known.
struct Ways {
    places: [Way; WAYS],
    /// A bit for each place in use.
    used: u16,
}

const _: () = assert!(WAYS == u16::BITS as usize);

impl Default for Ways {
    fn default() -> Self {
        Self {
            places: [const { Way::DROP }; WAYS],
            used: 0,
        }
    }
}

impl Ways {
    #[inline]
    fn of(&mut self, cx: &mut FusedContext<'_>, tables: &Tables, to: Dpo) -> &mut Way {
        let place = to.index() as usize % WAYS;
        if self.places[place].to != to {
            self.places[place].flush(cx, &tables.rows);
            self.places[place] = Way::find(cx, tables, to);
            self.used |= 1 << place;
        }
        &mut self.places[place]
    }

    /// Counts what went any way, and forgets them all: tables may change before the next vector.
    fn flush(&mut self, cx: &mut FusedContext<'_>, rows: &InterfaceRows) {
        while self.used != 0 {
            let place = &mut self.places[self.used.trailing_zeros() as usize];
            place.flush(cx, rows);
            *place = Way::DROP;
            self.used &= self.used - 1;
        }
    }
}
