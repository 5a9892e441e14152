//! Reading `packet-generator new` and `packet-generator configure`.

use super::offload::Marks;
use super::{PacketGenerator, PgError, Source};
use crate::interface::SwIfIndex;
use crate::pcap;
use crate::pg::definition::{self, Sizes, Start};
use crate::pg::port::PortMode;
use barrow_engine::cli::{Args, CliError};
use barrow_engine::{NodeId, PacketFlags, VECTOR};
use std::path::Path;
use std::sync::Arc;

/// A node that a stream sends to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: Arc<str>,
}

/// A stream to be made.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// Its name; `streamN` when it is `None`. A stream of the same name is replaced.
    pub name: Option<String>,
    /// What it sends.
    pub source: Source,
    /// The text that `source` was made from, and where that begins: to be read again for other sizes.
    pub definition: Option<(String, Start)>,
    /// Packets in all; 0 for no end.
    pub limit: u64,
    /// Packets a second; 0 for no limit.
    pub rate: f64,
    /// Packets a vector, at most 256.
    pub maxframe: usize,
    /// The worker that makes them.
    pub worker: u32,
    /// The number of the packet generator interface it belongs to, which is made if it is missing; `None`
    /// for the one that streams without an interface share.
    pub port: Option<u32>,
    /// The interface its packets come in on; `None` for its own.
    pub rx: Option<SwIfIndex>,
    /// The interface its packets leave by, if a node behind the lookup needs to know.
    pub tx: Option<SwIfIndex>,
    /// The node that gets its packets.
    pub target: Target,
    /// What its packets are said to be.
    pub marks: Marks,
}

/// What `packet-generator configure` changes; `None` leaves a thing as it is.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::pg) struct Changes {
    pub(in crate::pg) limit: Option<u64>,
    pub(in crate::pg) rate: Option<f64>,
    pub(in crate::pg) sizes: Option<Sizes>,
}

/// What the words of a stream say, before it is known what they mean together.
#[derive(Debug)]
struct Words {
    name: Option<String>,
    changes: Changes,
    maxframe: usize,
    worker: u32,
    port: Option<u32>,
    rx: Option<SwIfIndex>,
    tx: Option<SwIfIndex>,
    target: Option<Target>,
    marks: Marks,
    data: Option<String>,
    pcap: Option<String>,
}

/// Reads the changes of an existing stream.
pub(in crate::pg) fn read_changes(args: &mut Args<'_>) -> Result<Changes, CliError> {
    let mut changes = Changes::default();
    while !args.is_empty() {
        if !changes.read(args)? {
            return Err(args.unknown_input());
        }
    }
    Ok(changes)
}

/// Reads a new stream, its packets included.
pub(in crate::pg) fn read_new(
    generator: &PacketGenerator,
    args: &mut Args<'_>,
) -> Result<NewStream, PgError> {
    let words = Words::read(generator, args)?;
    let target = match (&words.target, &words.pcap) {
        (Some(target), _) => target.clone(),
        (None, Some(_)) => {
            let port = words.port.and_then(|id| generator.ports().by_id(id));
            let name = port
                .map_or(PortMode::Ethernet, |port| port.mode)
                .input_node();
            target(generator, name).ok_or_else(|| PgError::NoSuchNode(name.to_owned()))?
        }
        (None, None) if words.data.is_none() => return Err(PgError::NoData),
        (None, None) => return Err(PgError::NoTarget),
    };
    let mut limit = words.changes.limit.unwrap_or_default();
    let (source, definition) = match (words.pcap, words.data) {
        (Some(file), _) => {
            let packets = pcap::read(Path::new(&file))?;
            // A file is replayed once unless told otherwise.
            if limit == 0 {
                limit = packets.len() as u64;
            }
            (Source::Replay(Arc::new(packets)), None)
        }
        (None, Some(data)) => {
            let start = Start::of_node(&target.name);
            let program = definition::parse(&data, start, words.changes.sizes)?;
            (Source::Program(Arc::new(program)), Some((data, start)))
        }
        (None, None) => return Err(PgError::NoData),
    };
    Ok(NewStream {
        name: words.name,
        source,
        definition,
        limit,
        rate: words.changes.rate.unwrap_or_default(),
        maxframe: words.maxframe,
        worker: words.worker,
        port: words.port,
        rx: words.rx,
        tx: words.tx,
        target,
        marks: words.marks,
    })
}

impl Changes {
    /// Takes one parameter; says whether there was one.
    fn read(&mut self, args: &mut Args<'_>) -> Result<bool, CliError> {
        if let Some(limit) = args.option("limit", Args::float) {
            if limit < 0.0 {
                return Err("negative limit".into());
            }
            self.limit = Some(limit as u64);
        } else if let Some(rate) = args.option("rate", Args::float) {
            if rate < 0.0 {
                return Err("negative rate".into());
            }
            self.rate = Some(rate);
        } else if let Some(sizes) = args.option("size", sizes) {
            sizes
                .check()
                .map_err(|error| CliError::new(error.to_string()))?;
            self.sizes = Some(sizes);
        } else if let Some(bytes) = args.option("buffer-size", Args::number::<u32>) {
            // Buffers are as large as the pool's, whatever is asked for; VPP's are too.
            if bytes == 0 {
                return Err("buffer-size must be positive".into());
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// `A-B`, growing, or `A+B`, random.
fn sizes(args: &mut Args<'_>) -> Option<Sizes> {
    let min = args.number()?;
    let random = args.literal("+");
    if !random && !args.literal("-") {
        return None;
    }
    Some(Sizes {
        min,
        max: args.number()?,
        random,
    })
}

impl Words {
    fn read(generator: &PacketGenerator, args: &mut Args<'_>) -> Result<Self, CliError> {
        let mut words = Self {
            name: None,
            changes: Changes::default(),
            maxframe: VECTOR,
            worker: 0,
            port: None,
            rx: None,
            tx: None,
            target: None,
            marks: Marks::default(),
            data: None,
            pcap: None,
        };
        while !args.is_empty() {
            if !words.changes.read(args)? && !words.word(generator, args)? {
                return Err(args.unknown_input());
            }
        }
        Ok(words)
    }

    /// Takes one parameter; says whether there was one.
    fn word(&mut self, generator: &PacketGenerator, args: &mut Args<'_>) -> Result<bool, CliError> {
        let interface = |args: &mut Args<'_>| generator.interfaces().by_name(args.word()?);
        if let Some(name) = args.option("name", Args::word) {
            self.name = Some(name.to_owned());
        } else if let Some((target, tx)) = args.option("node", |args| node(generator, args)) {
            self.target = Some(target);
            self.tx = tx.or(self.tx);
        } else if let Some(id) = args.option("source", source) {
            self.port = Some(id);
        } else if let Some(index) = args.option("interface", interface) {
            self.rx = Some(index);
        } else if let Some(index) = args.option("tx-interface", interface) {
            self.tx = Some(index);
        } else if let Some(worker) = args.option("worker", Args::number) {
            self.worker = worker;
        } else if let Some(most) = args.option("maxframe", Args::number::<usize>) {
            if most == 0 {
                return Err("maxframe must be positive".into());
            }
            self.maxframe = most.min(VECTOR);
        } else if let Some(file) = args.option("pcap", Args::word) {
            self.pcap = Some(file.to_owned());
        } else if self.data.is_none() && args.keyword("data") {
            let block = args.block().map(|block| block.rest());
            self.data = Some(block.unwrap_or_else(|| args.line()).to_owned());
        } else {
            return self.flags(args);
        }
        Ok(true)
    }

    /// `buffer-flags` and `buffer-offload-flags`, each with one name or more behind it.
    fn flags(&mut self, args: &mut Args<'_>) -> Result<bool, CliError> {
        if args.keyword("buffer-offload-flags") {
            let mut any = false;
            while let Some(flag) = args.parsed(offload_flag) {
                self.marks.checksums |= flag;
                any = true;
            }
            return if any {
                Ok(true)
            } else {
                Err(args.unknown_input())
            };
        }
        if !args.keyword("buffer-flags") {
            return Ok(false);
        }
        let mut any = false;
        loop {
            if let Some(flag) = args.parsed(buffer_flag) {
                self.marks.flags |= flag;
            } else if args.keyword("gso") {
                let size = args.option("gso-size", Args::number);
                self.marks.gso_size = Some(size.unwrap_or_default());
            } else if !args.keyword("offload") {
                // What is offloaded is said by the other word.
                break;
            }
            any = true;
        }
        if let (Some(0), Some(size)) = (self.marks.gso_size, args.option("gso-size", Args::number))
        {
            self.marks.gso_size = Some(size);
        }
        if any {
            Ok(true)
        } else {
            Err(args.unknown_input())
        }
    }
}

/// `pgN`
pub(in crate::pg) fn source(args: &mut Args<'_>) -> Option<u32> {
    args.parsed(|word| word.strip_prefix("pg")?.parse().ok())
}

/// An interface, which means its output node, or a node.
fn node(generator: &PacketGenerator, args: &mut Args<'_>) -> Option<(Target, Option<SwIfIndex>)> {
    let name = args.word()?;
    if let Some(index) = generator.interfaces().by_name(name) {
        let node = generator.interfaces().hw_of(index)?.output_node;
        let name = generator.control().node_name(node);
        return Some((
            Target {
                node,
                name: (&*name).into(),
            },
            Some(index),
        ));
    }
    target(generator, name).map(|target| (target, None))
}

fn target(generator: &PacketGenerator, name: &str) -> Option<Target> {
    let node = generator.control().node_by_name(name)?;
    Some(Target {
        node,
        name: name.into(),
    })
}

/// Flags by VPP's names (`vpp:src/vnet/buffer.h`), as far as packets have them here.
fn buffer_flag(name: &str) -> Option<PacketFlags> {
    Some(match name {
        "l4-cksum-computed" => PacketFlags::L4_CKSUM_COMPUTED,
        "l4-cksum-correct" => PacketFlags::L4_CKSUM_CORRECT,
        "vlan-2-deep" => PacketFlags::VLAN_2_DEEP,
        "vlan-1-deep" => PacketFlags::VLAN_1_DEEP,
        "local" => PacketFlags::LOCALLY_ORIGINATED,
        "ip4" => PacketFlags::IS_IP4,
        "ip6" => PacketFlags::IS_IP6,
        "l2_hdr_offset_valid" => PacketFlags::L2_HDR_OFFSET_VALID,
        "l3_hdr_offset_valid" => PacketFlags::L3_HDR_OFFSET_VALID,
        "l4_hdr_offset_valid" => PacketFlags::L4_HDR_OFFSET_VALID,
        _ => return None,
    })
}

fn offload_flag(name: &str) -> Option<PacketFlags> {
    Some(match name {
        "offload-ip-cksum" => PacketFlags::OFFLOAD_IP4_CKSUM,
        "offload-tcp-cksum" => PacketFlags::OFFLOAD_TCP_CKSUM,
        "offload-udp-cksum" => PacketFlags::OFFLOAD_UDP_CKSUM,
        _ => return None,
    })
}
