//! What the binary API costs: a raw client against a whole node, in two processes.
//!
//! `cargo xtask bench api_server`, or `cargo bench -p barrow --bench api_server -- [--quick]`.
//!
//! The node's main thread and the client are pinned to the first two processors this process may use. A row is the
//! median of nine rounds, between the lowest and the highest. Beside the rate stands the processor time of the node's
//! main thread for one message, which other load on the machine disturbs less.
//!
//! With one request in flight most of the time goes into waking the other process. The row `bare sockets` is what that
//! costs by itself: two threads that pass frames of the same size back and forth, pinned the same way.
//!
//! The bars are about a third above the best that VPP 26.06 did on a quiet Zen 4 (see the plan of the first
//! milestone), and are judged on a Zen 4 only.

use barrow_messages::fib_types::{FibPath, FibPathType};
use barrow_messages::ip::{IpRouteAddDel, IpRouteDump};
use barrow_messages::ip_types::Prefix;
use barrow_messages::memclnt::{
    ControlPing, ControlPingReply, SockclntCreate, SockclntCreateReply,
};
use barrow_runtime::sys::cpu;
use barrow_wire::frame::{self, FrameDecoder, HEADER_LEN};
use barrow_wire::{FixedString, Header, Message, decode_message, message_id};
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Rounds that a figure is the median of.
const ROUNDS: usize = 9;
/// Requests in flight, where there are many.
const MANY: usize = 256;
/// Routes of the rows with routes.
const ROUTES: u32 = 1_000_000;
/// Bar for the memory of a million routes, in MB.
const MEMORY_BAR: f64 = 150.0;

type Failure = String;

fn failed(what: &str) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| format!("{what}: {error}")
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    match run(quick) {
        Ok(missed) if missed == 0 || !is_zen4() => ExitCode::SUCCESS,
        Ok(missed) => {
            println!("{missed} bars were missed");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("api_server: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all rows; gives the number of bars that were missed.
fn run(quick: bool) -> Result<usize, Failure> {
    let cpus = cpu::allowed().map_err(failed("processors"))?;
    let (own, other) = (cpus[0], *cpus.get(1).unwrap_or(&cpus[0]));
    println!("processor: {}", cpu::model_name());
    println!("client on processor {own}, node on processor {other}, {ROUNDS} rounds a row");
    if !is_zen4() {
        println!("bars are shown, not judged: they are for a Zen 4");
    }
    println!(
        "\n{:<34} {:>12} {:>23} {:>12} {:>12}",
        "row", "a second", "lowest .. highest", "node ns each", "bar"
    );
    cpu::pin(&[own]).map_err(failed("pinning"))?;
    let mut missed = 0;
    let mut report = |row: &str, figures: &[Figure], bar: Option<f64>| {
        let median = median(figures.iter().map(|figure| figure.rate));
        let own_time = self::median(figures.iter().map(|figure| figure.node_ns));
        let rates = || figures.iter().map(|figure| figure.rate);
        let verdict = bar.map_or(String::new(), |bar| {
            if median < bar {
                missed += 1;
            }
            format!("{bar:.0} {}", if median < bar { "MISSED" } else { "met" })
        });
        println!(
            "{row:<34} {median:>12.0} {:>23} {own_time:>12.0} {verdict:>12}",
            format!(
                "{:.0} .. {:.0}",
                rates().fold(f64::INFINITY, f64::min),
                rates().fold(0.0, f64::max)
            ),
        );
    };

    let short = if quick { 2_000 } else { 20_000 };
    let bare: Vec<Figure> = rounds(|_| bare_sockets(short, other))?;
    report("bare sockets, 1 in flight", &bare, None);

    let node = Node::start(other)?;
    let mut client = Client::connect(&node)?;
    let ping = client.frame(7, &ControlPing {})?;
    let one = rounds(|_| node.figure(short, || client.exchange(&[&ping], short, 1)))?;
    report("ping, 1 in flight", &one, Some(40_000.0));
    let long = 20 * short;
    let many = rounds(|_| node.figure(long, || client.exchange(&[&ping], long, MANY)))?;
    report("ping, 256 in flight", &many, Some(600_000.0));

    let before = node.memory()?;
    let routes = if quick { ROUTES / 10 } else { ROUTES };
    let each = routes / u32::try_from(ROUNDS).expect("a few");
    let mut added = 0;
    let figures = rounds(|_| {
        let frames = (0..each)
            .map(|n| client.frame(n, &route(added + n)))
            .collect::<Result<Vec<_>, _>>()?;
        added += each;
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let count = frames.len();
        let figure = node.figure(count, || client.exchange(&frames, count, MANY))?;
        Ok(figure)
    })?;
    report("route add, 256 in flight", &figures, Some(400_000.0));
    let after = node.memory()?;

    let dumps = rounds(|_| {
        let started = (Instant::now(), node.busy()?);
        let count = client.dump(&IpRouteDump::default())?;
        node.since(started, count)
    })?;
    report("route dump, details", &dumps, None);

    let heap = after.heap - before.heap;
    let verdict = if heap <= MEMORY_BAR { "met" } else { "MISSED" };
    println!(
        "\nmemory of {added} routes: {heap:.0} MB of heap (bar {MEMORY_BAR:.0} for a million: {verdict}), \
         {:.0} MB of counters in the statistics segment",
        after.shared - before.shared
    );
    missed += usize::from(heap > MEMORY_BAR);
    papi(&node);
    Ok(missed)
}

/// One round.
#[derive(Clone, Copy)]
struct Figure {
    /// Messages a second.
    rate: f64,
    /// Processor time of the node's main thread for one message, in nanoseconds.
    node_ns: f64,
}

fn rounds(mut round: impl FnMut(usize) -> Result<Figure, Failure>) -> Result<Vec<Figure>, Failure> {
    (0..ROUNDS).map(&mut round).collect()
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn route(n: u32) -> IpRouteAddDel {
    let mut message = IpRouteAddDel {
        is_add: true,
        ..IpRouteAddDel::default()
    };
    let prefix = Prefix::new(Ipv4Addr::from(0x1400_0000 + n), 32);
    message.route.prefix = prefix.expect("32 is a length");
    message.route.paths.push(FibPath {
        sw_if_index: u32::MAX,
        weight: 1,
        r#type: FibPathType::FIB_API_PATH_TYPE_DROP,
        ..FibPath::default()
    });
    message
}

/// Two threads that pass frames of a ping's size back and forth.
fn bare_sockets(count: usize, other: usize) -> Result<Figure, Failure> {
    let (mut near, mut far) = UnixStream::pair().map_err(failed("a pair of sockets"))?;
    let echo = std::thread::spawn(move || {
        cpu::pin(&[other]).ok();
        let mut frame = [0; HEADER_LEN + 10];
        while far.read_exact(&mut frame).is_ok() && far.write_all(&frame).is_ok() {}
    });
    let mut frame = [0; HEADER_LEN + 10];
    let started = Instant::now();
    for _ in 0..count {
        near.write_all(&frame)
            .and_then(|()| near.read_exact(&mut frame))
            .map_err(failed("bare sockets"))?;
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    drop(near);
    echo.join().map_err(|_| "the echo panicked")?;
    Ok(Figure {
        rate,
        node_ns: f64::NAN,
    })
}

/// The node under test, in a process of its own.
struct Node {
    process: Child,
    folder: TempDir,
}

/// Memory in MB.
struct Memory {
    /// Private memory: heap, stacks, pools.
    heap: f64,
    /// Shared memory: the statistics segment.
    shared: f64,
}

impl Node {
    fn start(core: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(failed("a temporary folder"))?;
        let path = folder.path().display();
        let config = format!(
            "unix {{ nodaemon runtime-dir {path} cli-listen {path}/cli.sock }} \
             socksvr {{ socket-name {path}/api.sock }} statseg {{ socket-name {path}/stats.sock }} \
             cpu {{ main-core {core} }}"
        );
        let process = Command::new(env!("CARGO_BIN_EXE_barrow"))
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed("barrow"))?;
        let node = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !node.socket().exists() {
            if Instant::now() > deadline {
                return Err("the node does not start".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(node)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// Processor time of the main thread, in nanoseconds.
    fn busy(&self) -> Result<f64, Failure> {
        let path = format!("/proc/{}/schedstat", self.process.id());
        let text = fs::read_to_string(path).map_err(failed("schedstat"))?;
        let first = text.split_whitespace().next();
        first
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| "schedstat has no numbers".into())
    }

    fn memory(&self) -> Result<Memory, Failure> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(path).map_err(failed("status"))?;
        let megabytes = |name: &str| -> Option<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kib * 1024.0 / 1e6)
        };
        let memory = megabytes("RssAnon:").zip(megabytes("RssShmem:"));
        let (heap, shared) = memory.ok_or("status has no RssAnon")?;
        Ok(Memory { heap, shared })
    }

    fn figure(
        &self,
        count: usize,
        run: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Figure, Failure> {
        let started = (Instant::now(), self.busy()?);
        run()?;
        self.since(started, count)
    }

    fn since(&self, started: (Instant, f64), count: usize) -> Result<Figure, Failure> {
        let elapsed = started.0.elapsed().as_secs_f64();
        Ok(Figure {
            rate: count as f64 / elapsed,
            node_ns: (self.busy()? - started.1) / count as f64,
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A node that has ended already needs no end.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A client that encodes nothing while it is measured.
struct Client {
    stream: UnixStream,
    decoder: FrameDecoder,
    ids: HashMap<String, u16>,
    index: u32,
}

impl Client {
    fn connect(node: &Node) -> Result<Self, Failure> {
        let stream = UnixStream::connect(node.socket()).map_err(failed("connect"))?;
        let mut client = Self {
            stream,
            decoder: FrameDecoder::default(),
            ids: HashMap::from([(SockclntCreate::NAME_CRC.to_owned(), 15)]),
            index: 0,
        };
        let name = FixedString::truncated("bench");
        let hello = client.frame(1, &SockclntCreate { name })?;
        client.stream.write_all(&hello).map_err(failed("hello"))?;
        let mut table = None;
        while table.is_none() {
            client.receive(|message| {
                table = decode_message::<SockclntCreateReply>(message).ok();
                Ok(())
            })?;
        }
        let (_, reply) = table.expect("the loop ended");
        client.index = reply.index;
        let entries = reply.message_table.into_iter();
        client.ids = entries
            .map(|entry| (entry.name.to_string_lossy().into_owned(), entry.index))
            .collect();
        Ok(client)
    }

    fn frame<M: Message>(&self, context: u32, message: &M) -> Result<Vec<u8>, Failure> {
        let id = self.ids.get(M::NAME_CRC).copied();
        let header = Header {
            id: id.ok_or_else(|| format!("{} is not served", M::NAME))?,
            client_index: self.index,
            context,
        };
        let mut out = Vec::new();
        frame::encode(header, message, &mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    /// Reads once and looks at the messages that have come.
    fn receive(
        &mut self,
        mut see: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let space = self.decoder.space(1 << 18);
        let length = self.stream.read(space).map_err(failed("read"))?;
        if length == 0 {
            return Err("the node closed the connection".into());
        }
        self.decoder.filled(length);
        while let Some(message) = self.decoder.next_message().map_err(|e| e.to_string())? {
            see(message)?;
        }
        Ok(())
    }

    /// Sends `count` requests, taken from `frames` in turn, and takes as many replies with return value 0, with up to
    /// `window` in flight. Requests that become due together go in one write.
    fn exchange(&mut self, frames: &[&[u8]], count: usize, window: usize) -> Result<(), Failure> {
        let (mut sent, mut received) = (0, 0);
        let mut batch = Vec::new();
        while received < count {
            batch.clear();
            while sent < count && sent - received < window {
                batch.extend_from_slice(frames[sent % frames.len()]);
                sent += 1;
            }
            self.stream.write_all(&batch).map_err(failed("write"))?;
            self.receive(|message| {
                received += 1;
                // Both replies have their return value behind id and context.
                match message.get(6..10) {
                    Some([0, 0, 0, 0]) => Ok(()),
                    _ => Err(format!("refused: {message:x?}")),
                }
            })?;
        }
        Ok(())
    }

    /// Takes all details of a dump; gives their number.
    fn dump<M: Message>(&mut self, message: &M) -> Result<usize, Failure> {
        let mut request = self.frame(1, message)?;
        request.extend(self.frame(2, &ControlPing {})?);
        self.stream.write_all(&request).map_err(failed("write"))?;
        let last = self.ids.get(ControlPingReply::NAME_CRC).copied();
        let (mut count, mut done) = (0, false);
        while !done {
            self.receive(|message| {
                done = message_id(message) == last;
                count += usize::from(!done);
                Ok(())
            })?;
        }
        Ok(count)
    }
}

/// Calls of `vpp_papi`, most of which is its own time: shown where the interop environment exists.
fn papi(node: &Node) {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let python = target.join("venv/bin/python");
    if !python.is_file() {
        return println!("vpp_papi: skipped, `cargo xtask setup` makes its environment");
    }
    let script = "import sys, time\n\
        from vpp_papi import VPPApiClient\n\
        v = VPPApiClient(bootstrapapi=True, server_address=sys.argv[1])\n\
        v.connect('bench')\n\
        n, t = 3000, time.perf_counter()\n\
        for _ in range(n): v.api.control_ping()\n\
        print(f'{n / (time.perf_counter() - t):.0f}')\n\
        v.disconnect()\n";
    let ran = Command::new(python)
        .args(["-c", script])
        .arg(node.socket())
        .output();
    match ran {
        Ok(output) if output.status.success() => {
            let rate = String::from_utf8_lossy(&output.stdout);
            println!("vpp_papi, blocking control_ping: {} a second", rate.trim());
        }
        Ok(output) => println!("vpp_papi: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("vpp_papi: {error}"),
    }
}

/// Family 25, models 10h-1fh, 60h-7fh and a0h-afh: what AMD sells as Zen 4.
fn is_zen4() -> bool {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info
            .lines()
            .find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        Some(line.split(':').nth(1)?.trim().to_owned())
    };
    let model: Option<u32> = field("model").and_then(|model| model.parse().ok());
    field("vendor_id").as_deref() == Some("AuthenticAMD")
        && field("cpu family").as_deref() == Some("25")
        && model.is_some_and(|model| matches!(model, 0x10..=0x1f | 0x60..=0x7f | 0xa0..=0xaf))
}
