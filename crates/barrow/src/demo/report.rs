//! What happens in the demo, and what is shown of it.

use super::net::{CABLE, Net, RIGHT};
use super::ping::{Pings, ping};
use super::transfer::{Transfer, transfer};
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pings in the demo.
const PINGS: u16 = 20;
/// Packets that are traced, to have an echo request among them.
const TRACED: u16 = 10;

/// Runs commands of the node over its CLI socket, as `vppctl COMMAND` does.
pub(super) struct Command {
    socket: PathBuf,
}

impl Command {
    pub(super) fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// What a command prints.
    fn run(&self, command: &str) -> io::Result<String> {
        let mut socket = UnixStream::connect(&self.socket)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut greeting = [0; 36];
        socket.read_exact(&mut greeting)?;
        // The terminal type of a client that wants answers, not a prompt; then the command.
        socket.write_all(b"\xff\xfa\x18\x00vppctl\xff\xf0")?;
        socket.write_all(format!("{command}\n").as_bytes())?;
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while !text.contains(&0) {
            match socket.read(&mut chunk)? {
                0 => break,
                n => text.extend_from_slice(&chunk[..n]),
            }
        }
        Ok(String::from_utf8_lossy(&text).replace(['\0', '\r'], ""))
    }

    /// A command that prints nothing when it has done what it should.
    fn change(&self, command: &str) -> io::Result<()> {
        println!("  barrow# {command}");
        match self.run(command)? {
            said if said.is_empty() => Ok(()),
            said => Err(io::Error::other(format!("{command}: {}", said.trim_end()))),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pings: Pings,
    transfer: Transfer,
    nodes: Vec<NodeLine>,
    trace: String,
}

/// A node's line of `show runtime`.
#[derive(Clone, Debug)]
struct NodeLine {
    name: String,
    vectors: u64,
    clocks: f64,
    per_call: f64,
}

/// The nodes of the way through, in order.
const WAY: &[&str] = &[
    "virtio-input",
    "af-packet-input",
    "ethernet-input",
    "ip4-input",
    "ip4-lookup",
    "ip4-rewrite",
    "tap0-output",
    "tap0-tx",
    "host-cable-output",
    "host-cable-tx",
];

/// Sets the node up, sends through it, and looks at what it says.
pub(super) fn play(
    net: &Net,
    command: &Command,
    how_long: Duration,
) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    println!("Two hosts, and a Barrow node between them:");
    println!("  left 10.0.0.2 --- tap0 [ Barrow ] host-{CABLE} --- 10.1.0.2 right\n");
    let tap = format!(
        "create tap id 0 host-ns {} host-if-name left host-ip4-addr 10.0.0.2/24 \
         host-ip4-gw 10.0.0.1 gso csum-offload",
        net.left_path()
    );
    println!("  barrow# {tap}");
    let made = command.run(&tap)?;
    if made.trim() != "tap0" {
        return Err(format!("{tap}: {}", made.trim_end()).into());
    }
    let host = format!("create host-interface name {CABLE}");
    println!("  barrow# {host}");
    let made = command.run(&host)?;
    if !made.contains("host-") {
        return Err(format!("{host}: {}", made.trim_end()).into());
    }
    for (name, address) in [("tap0", "10.0.0.1/24"), ("host-cable", "10.1.0.1/24")] {
        command.change(&format!("set interface state {name} up"))?;
        command.change(&format!("set interface ip address {name} {address}"))?;
    }
    // The first one finds out who is who; the traced one then goes straight through.
    net.left.run(|| ping(RIGHT, 1))??;
    command.change(&format!("trace add virtio-input {TRACED}"))?;
    println!("\n{PINGS} pings from left to right ...");
    let pings = net.left.run(|| ping(RIGHT, PINGS))??;
    let trace = echo_request(&command.run(&format!("show trace max {TRACED}"))?);
    println!("{} s of TCP from left to right ...", how_long.as_secs());
    command.change("clear runtime")?;
    let transfer = transfer(net, how_long)?;
    let runtime = command.run("show runtime")?;
    let nodes = WAY
        .iter()
        .filter_map(|name| line_of(&runtime, name))
        .collect();
    Ok(Report {
        pings,
        transfer,
        nodes,
        trace,
    })
}

/// The walk of the first echo request that was forwarded; other packets may have been traced before it.
fn echo_request(traces: &str) -> String {
    let walks = traces.split("Packet ").skip(1);
    let is_it = |walk: &&str| walk.contains("ICMP echo_request") && walk.contains("ip4-rewrite");
    let walk = walks.into_iter().find(is_it).unwrap_or_default();
    walk.split_once('\n')
        .map_or("", |(_, walk)| walk)
        .trim()
        .to_owned()
}

/// A node's line in the text of `show runtime`: name, state, calls, vectors, suspends, clocks, vectors a call.
fn line_of(runtime: &str, name: &str) -> Option<NodeLine> {
    let is_it = |line: &&str| line.split_whitespace().next() == Some(name);
    let line = runtime.lines().find(is_it)?;
    let words: Vec<&str> = line.split_whitespace().rev().collect();
    Some(NodeLine {
        name: name.to_owned(),
        vectors: words.get(3)?.parse().ok()?,
        clocks: words.get(1)?.parse().ok()?,
        per_call: words.first()?.parse().ok()?,
    })
}

impl Report {
    /// What is not as it should be.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.pings.answered != self.pings.sent || self.pings.sent == 0 {
            faults.push(format!(
                "{} of {} pings answered",
                self.pings.answered, self.pings.sent
            ));
        }
        if self.transfer.bytes == 0 {
            faults.push("no TCP transfer".to_owned());
        }
        if self.trace.is_empty() {
            faults.push("no trace of a forwarded echo request".to_owned());
        }
        let counted = |name: &str| {
            self.nodes
                .iter()
                .any(|node| node.name == name && node.vectors > 0)
        };
        for name in ["ip4-lookup", "ip4-rewrite"] {
            if !counted(name) {
                faults.push(format!("{name} has counted nothing"));
            }
        }
        faults
    }

    /// Whether all is as it should be.
    pub(super) fn holds(&self) -> bool {
        self.faults().is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nOne packet's walk through the graph:")?;
        for line in self.trace.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(
            f,
            "\nThe graph, with what the TCP transfer cost in each node:"
        )?;
        writeln!(
            f,
            "  {:<20} {:>12} {:>14} {:>12}",
            "node", "packets", "clocks/packet", "packets/call"
        )?;
        for node in &self.nodes {
            writeln!(
                f,
                "  {:<20} {:>12} {:>14.0} {:>12.1}",
                node.name, node.vectors, node.clocks, node.per_call
            )?;
        }
        let lost = self.pings.sent - self.pings.answered;
        let loss = 100.0 * f64::from(lost) / f64::from(self.pings.sent.max(1));
        writeln!(
            f,
            "\nping      {} sent, {} answered, {loss:.0} % loss, median {:.0} us",
            self.pings.sent,
            self.pings.answered,
            self.pings.median().as_secs_f64() * 1e6
        )?;
        write!(
            f,
            "TCP       {:.0} MB in {:.1} s: {:.2} Gbit/s",
            self.transfer.bytes as f64 / 1e6,
            self.transfer.time.as_secs_f64(),
            self.transfer.rate() / 1e9
        )
    }
}
