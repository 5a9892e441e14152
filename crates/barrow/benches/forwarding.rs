//! What forwarding costs: clocks a packet between a generator and a sink, in a whole node.
//!
//! ```text
//! pg-input -> ethernet-input -> ip4-input -> ip4-lookup -> ip4-rewrite -> pg1-output -> pg1-tx
//! generator  |<---------------------------- counted ------------------------------->|  sink
//! ```
//!
//! `cargo xtask bench forwarding`, or `cargo bench -p barrow --bench forwarding -- [--quick] [--single] [ROW ...]`.
//! `--quick` takes windows of 50 ms instead of a second, `--single` runs the single nodes instead of fused
//! groups; a row is run when its name contains one of the words. Clocks of a fused group stand under its first node.
//!
//! **What is counted.** The node reads the time-stamp counter once at the end of each dispatch, which is
//! also the start of the next. So the clocks of the nodes between generator and sink, added up, are
//! all that passed from the end of `pg-input` to the end of `pg1-output`: their work, the queues between
//! them, and the scheduler of the graph. Not counted are `pg-input` (makes the packets, looks at the thread's
//! other work) and `pg1-tx` (frees them). That is what the columns of VPP's `show runtime` say, too.
//! A figure is the least of eight windows. Packets are 64 bytes of UDP without checksum offload: the header's
//! checksum is verified and mended.
//!
//! The bars are VPP 26.06's figures on a quiet Zen 4 (see the plan of the first milestone), and are judged
//! on a Zen 4 only. For a million routes VPP was measured with output and tx, and so is this.

use barrow_engine::config::{Config, Source};
use barrow_engine::{Control, Engine, NodeKind};
use barrow_features::pcap::{LinkType, PcapFile};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Windows a figure is the least of.
const WINDOWS: usize = 8;
/// Packets in a vector.
const SIZES: [usize; 4] = [256, 64, 16, 1];
/// Bar for the memory of a million routes, in MiB.
const MEMORY_BAR: f64 = 150.0;

type Failure = String;

/// A table, traffic for it, and what VPP's figures say about them.
struct Row {
    name: &'static str,
    routes: Routes,
    /// Clocks a packet by size, as [`SIZES`].
    bars: [Option<f64>; 4],
    /// The bar includes `pg1-tx`.
    with_tx: bool,
}

#[derive(Clone, Copy)]
enum Routes {
    /// One route, one destination.
    One,
    /// So many routes of this length from 16.0.0.0 on, one behind the other; destinations at random.
    Consecutive { count: u32, len: u32 },
    /// So many /32 all over 16.0.0.0/4; destinations in an order of no sense, from a file.
    Scattered { count: u32 },
}

const ROWS: [Row; 4] = [
    Row {
        name: "one flow",
        routes: Routes::One,
        bars: [Some(53.0), Some(57.0), Some(159.0), Some(2087.0)],
        with_tx: false,
    },
    Row {
        name: "16384 /32",
        routes: Routes::Consecutive {
            count: 16_384,
            len: 32,
        },
        bars: [Some(64.0), None, None, None],
        with_tx: false,
    },
    Row {
        name: "16384 /32 scattered",
        routes: Routes::Scattered { count: 16_384 },
        bars: [None; 4],
        with_tx: false,
    },
    Row {
        name: "1M /24",
        routes: Routes::Consecutive {
            count: 1_000_000,
            len: 24,
        },
        bars: [Some(150.0), None, None, None],
        with_tx: true,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|word| word == "--quick");
    let wanted: Vec<_> = arguments
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let fusing = !arguments.iter().any(|word| word == "--single");
    let window = Duration::from_millis(if quick { 50 } else { 1000 });
    let judged = is_zen4();
    println!(
        "{}, TSC {:.3} GHz; bars {}",
        barrow_runtime::sys::cpu::model_name(),
        barrow_runtime::sys::tsc_frequency() as f64 / 1e9,
        if judged {
            "judged"
        } else {
            "shown, not judged: they are for a Zen 4"
        }
    );
    let mut missed = 0;
    for row in ROWS {
        if wanted.is_empty() || wanted.iter().any(|word| row.name.contains(word.as_str())) {
            match run(&row, window, fusing) {
                Ok(bars_missed) => missed += bars_missed,
                Err(why) => {
                    eprintln!("{}: {why}", row.name);
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    if judged && missed > 0 {
        eprintln!("{missed} bars missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Family 25, models 10h-1fh, 60h-7fh and a0h-afh: what AMD sells as Zen 4.
fn is_zen4() -> bool {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    let model = field("model").and_then(|model| model.parse::<u32>().ok());
    field("vendor_id").as_deref() == Some("AuthenticAMD")
        && field("cpu family").as_deref() == Some("25")
        && matches!(model, Some(0x10..=0x1f | 0x60..=0x7f | 0xa0..=0xaf))
}

/// Runs all sizes over one table; gives how many bars were missed.
fn run(row: &Row, window: Duration, fusing: bool) -> Result<usize, Failure> {
    let mut node = Node::new()?;
    node.control.set_fusing(fusing);
    let mut missed = 0;
    let before = memory();
    let started = Instant::now();
    let traffic = node.fill(row.routes)?;
    let took = started.elapsed();
    let used = memory();
    println!("\n{}", row.name);
    if let Routes::Consecutive { count, .. } | Routes::Scattered { count } = row.routes {
        let (heap, shared) = (used.0 - before.0, used.1 - before.1);
        let mut line = format!(
            "  {count} routes in {:.2} s; memory: heap {heap:.1} MiB, counters (statistics segment) {shared:.1} MiB",
            took.as_secs_f64()
        );
        if count >= 1_000_000 {
            let verdict = verdict(heap, MEMORY_BAR);
            let _ = write!(line, "; bar for the heap {MEMORY_BAR:.0} MiB: {verdict}");
            missed += usize::from(heap > MEMORY_BAR);
        }
        println!("{line}");
    }
    println!(
        "  {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}",
        "vector",
        "per call",
        "ethernet",
        "input",
        "lookup",
        "rewrite",
        "output",
        "SUM",
        "(tx)",
        "Mpps",
        "bar"
    );
    for (size, bar) in SIZES.into_iter().zip(row.bars) {
        let cost = node.measure(&traffic, size, window)?;
        let judged = if row.with_tx {
            cost.sum + cost.tx
        } else {
            cost.sum
        };
        let bar_text = bar.map_or_else(
            || "-".to_owned(),
            |bar| format!("{bar:.0} {}", verdict(judged, bar)),
        );
        missed += usize::from(bar.is_some_and(|bar| judged > bar));
        let [ethernet, input, lookup, rewrite, output] = cost.nodes;
        println!(
            "  {size:>6} {:>8.1} {ethernet:>8.1} {input:>8.1} {lookup:>8.1} {rewrite:>8.1} {output:>8.1} {:>8.1} \
             {:>8.1} {:>7.2} {bar_text:>7}",
            cost.per_call, cost.sum, cost.tx, cost.mpps
        );
    }
    node.engine
        .shutdown()
        .map_err(|error| format!("shutdown: {error}"))?;
    Ok(missed)
}

fn verdict(figure: f64, bar: f64) -> &'static str {
    if figure <= bar { "met" } else { "missed" }
}

/// Private and shared memory of this process, in MiB.
fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes =
            line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1024.0
    };
    (field("RssAnon:"), field("RssShmem:"))
}

/// What a packet cost.
struct Cost {
    /// Clocks of the five nodes. A fused group's are under its first node.
    nodes: [f64; 5],
    /// Clocks of all nodes between generator and sink.
    sum: f64,
    tx: f64,
    per_call: f64,
    mpps: f64,
}

const NODES: [&str; 5] = [
    "ethernet-input",
    "ip4-input",
    "ip4-lookup",
    "ip4-rewrite",
    "pg1-output",
];

/// A node in this process, on this thread.
struct Node {
    engine: Engine,
    control: Control,
    /// Packets to replay.
    file: Option<Temporary>,
}

/// A file that is removed when it is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Node {
    fn new() -> Result<Self, Failure> {
        let words = "statseg { size 512m }".to_owned();
        let config =
            Config::parse(Source::arguments(&[words])).map_err(|error| error.to_string())?;
        let mut engine = barrow_features::standard(Engine::builder())
            .quiet()
            .config(config)
            .map_err(|error| error.to_string())?
            .build()
            .map_err(|error| error.to_string())?;
        engine.start().map_err(|error| error.to_string())?;
        let mut node = Self {
            control: engine.control(),
            engine,
            file: None,
        };
        node.commands(
            "create packet-generator interface pg0 hw-addr 02:fe:00:00:00:01\n\
             create packet-generator interface pg1 hw-addr 02:fe:00:00:00:02\n\
             set interface state pg0 up\n\
             set interface state pg1 up\n\
             set interface ip address pg0 10.0.0.1/24\n\
             set interface ip address pg1 10.0.1.1/24\n\
             set ip neighbor pg1 10.0.1.2 02:aa:00:00:00:02\n",
        )?;
        Ok(node)
    }

    fn turn(&mut self) -> Result<(), Failure> {
        self.engine
            .turn(Duration::ZERO)
            .map_err(|error| format!("the node: {error}"))
    }

    /// Runs commands, and the node meanwhile.
    fn commands(&mut self, text: &str) -> Result<String, Failure> {
        let result = Rc::new(RefCell::new(None));
        let (slot, servers, text) = (
            result.clone(),
            self.engine.servers().clone(),
            text.to_owned(),
        );
        self.control.spawner().spawn_task(async move {
            let ran = servers.run(&text).await;
            *slot.borrow_mut() = Some(ran);
        });
        loop {
            self.turn()?;
            if let Some(ran) = result.borrow_mut().take() {
                return ran;
            }
        }
    }

    /// Makes the routes; gives the definition of the packets that use them.
    fn fill(&mut self, routes: Routes) -> Result<String, Failure> {
        let packets = |destination: &str| {
            format!(
                "size 64-64 interface pg0 node ethernet-input data {{ IP4: 02:aa:00:00:00:01 -> 02:fe:00:00:00:01 \
                 UDP: 10.0.0.2 -> {destination} UDP: 1234 -> 2345 checksum 0 incrementing 22 }}"
            )
        };
        match routes {
            Routes::One => {
                self.commands("ip route add 16.0.0.0/8 via 10.0.1.2 pg1")?;
                Ok(packets("16.0.0.1"))
            }
            Routes::Consecutive { count, len } => {
                self.commands(&format!(
                    "ip route add 16.0.0.0/{len} count {count} via 10.0.1.2 pg1"
                ))?;
                let last = 0x1000_0000 + (count << (32 - len)) - 1;
                let last = std::net::Ipv4Addr::from_bits(last);
                Ok(packets(&format!("16.0.0.0 + {last}")))
            }
            Routes::Scattered { count } => {
                // Multiplication by an odd number permutes 28 bits: each address once, all over.
                let address = |i: u32| 0x1000_0000 | (i.wrapping_mul(0x9e37_79b1) & 0x0fff_ffff);
                let mut commands = String::new();
                for i in 0..count {
                    let host = std::net::Ipv4Addr::from_bits(address(i));
                    let _ = writeln!(commands, "ip route add {host}/32 via 10.0.1.2 pg1");
                }
                self.commands(&commands)?;
                let file = self.write(
                    (0..4 * count).map(|i| address(i.wrapping_mul(40_503) >> 2 & (count - 1))),
                )?;
                Ok(format!("pcap {file} source pg0 node ethernet-input"))
            }
        }
    }

    /// Writes a packet for each destination to a file.
    fn write(&mut self, destinations: impl Iterator<Item = u32>) -> Result<String, Failure> {
        let name = format!("barrow-forwarding-{}.pcap", std::process::id());
        let path = std::env::temp_dir().join(name);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let _ = std::fs::remove_file(&path);
        let mut file = PcapFile::create_new(&path, LinkType::Ethernet).map_err(failed)?;
        for destination in destinations {
            let packet = udp_frame(destination);
            file.bytes(Duration::ZERO, &packet, packet.len())
                .map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        let name = path.display().to_string();
        self.file = Some(Temporary(path));
        Ok(name)
    }

    /// The least of all windows, with vectors of a size.
    fn measure(&mut self, traffic: &str, size: usize, window: Duration) -> Result<Cost, Failure> {
        let new = match traffic.strip_prefix("pcap ") {
            Some(rest) => {
                format!("packet-generator new pcap {rest} name s limit 1e18 maxframe {size}")
            }
            None => format!("packet-generator new {{ name s maxframe {size} {traffic} }}"),
        };
        self.commands(&new)?;
        self.commands("packet-generator enable-stream s")?;
        self.pass(window / 5)?;
        let mut least: Option<Cost> = None;
        for _ in 0..WINDOWS {
            self.control.clear_runtime();
            let started = Instant::now();
            self.pass(window)?;
            let cost = self.cost(started.elapsed())?;
            if least.as_ref().is_none_or(|least| cost.sum < least.sum) {
                least = Some(cost);
            }
        }
        self.commands("packet-generator disable-stream s\npacket-generator delete s")?;
        least.ok_or_else(|| "no window".to_owned())
    }

    /// Lets the node run.
    fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn()?;
        }
        Ok(())
    }

    /// What was counted since it was cleared.
    fn cost(&self, elapsed: Duration) -> Result<Cost, Failure> {
        let thread = self.control.runtime().swap_remove(0);
        let ran = |name: &str| {
            let found = thread.nodes.iter().find(|node| node.name.as_ref() == name);
            found.map(|node| node.runtime).unwrap_or_default()
        };
        let (first, sink) = (ran("ethernet-input"), ran("pg1-tx"));
        let packets = sink.vectors;
        // A vector may be on its way when the counters are read.
        if packets == 0 || first.vectors.abs_diff(packets) > 1024 {
            let got = first.vectors;
            return Err(format!("of {got} packets {packets} arrived"));
        }
        let each = |clocks: u64| clocks as f64 / packets as f64;
        let counted = thread
            .nodes
            .iter()
            .filter(|node| node.kind == NodeKind::Internal && node.name.as_ref() != "pg1-tx");
        Ok(Cost {
            nodes: NODES.map(|name| each(ran(name).clocks)),
            sum: each(counted.map(|node| node.runtime.clocks).sum()),
            tx: each(sink.clocks),
            per_call: first.vectors_per_call(),
            mpps: packets as f64 / elapsed.as_secs_f64() / 1e6,
        })
    }
}

/// 64 bytes: Ethernet, IPv4, UDP without a checksum.
fn udp_frame(destination: u32) -> Vec<u8> {
    use barrow_features::ip4::header::{Ip4Header, protocol};
    use zerocopy::IntoBytes;
    let source = std::net::Ipv4Addr::new(10, 0, 0, 2);
    let header = Ip4Header::new(source, destination.into(), protocol::UDP, 64, 50);
    let mut frame = vec![2, 0xfe, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1, 8, 0];
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(&[0x04, 0xd2, 0x09, 0x29, 0, 30, 0, 0]);
    frame.resize(64, 0);
    frame
}
