//! The packet generator through the graph: interfaces, streams, captures, commands and messages.

mod captures;
mod commands;
mod messages;
mod ports;
mod streams;
mod traces;

use super::definition::{Sizes, Start};
use super::*;
use crate::interface::{Interfaces, SwIfIndex};
use crate::pcap::{self, LinkType, PcapFile};
use crate::testing::router_features;
use barrow_engine::testing::{Captured, Ran, Testbed};
use barrow_engine::{PacketFlags, UNSET};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::pg::{
    PgCapture, PgCreateInterface, PgCreateInterfaceV2, PgCreateInterfaceV3, PgDeleteInterface,
    PgEnableDisable, PgInterfaceEnableDisableCoalesce, PgInterfaceFlags, PgInterfaceMode,
};
use std::path::PathBuf;
use std::time::Duration;

/// A router with a packet generator, the sink `out`, and a directory for files.
struct Node {
    bed: Testbed,
    directory: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        Self::with_workers(0)
    }

    fn with_workers(workers: usize) -> Self {
        let bed = router_features()
            .feature(PgFeature)
            .sink("out")
            .workers(workers)
            .build();
        Self {
            bed: bed.unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn generator(&self) -> PacketGenerator {
        self.bed.table()
    }

    fn interfaces(&self) -> Interfaces {
        self.bed.table()
    }

    fn index(&self, name: &str) -> SwIfIndex {
        self.interfaces()
            .by_name(name)
            .unwrap_or_else(|| panic!("no interface {name}"))
    }

    fn run(&mut self, command: &str) -> Ran {
        self.bed.command(command)
    }

    fn ok(&mut self, command: &str) -> String {
        let ran = self.run(command);
        assert_eq!(ran.retval, 0, "{command}: {}", ran.text);
        ran.text
    }

    /// Makes a stream, starts it, and runs until all is quiet.
    fn send(&mut self, words: &str) -> Vec<Captured> {
        self.generator().define(words).unwrap();
        self.generator().enable_all().unwrap();
        self.bed.run();
        self.bed.take("out")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A capture file with these packets.
    fn file(&self, name: &str, packets: &[&[u8]]) -> String {
        let path = self.path(name);
        let mut file = PcapFile::create_new(&path, LinkType::Ethernet).unwrap();
        for packet in packets {
            file.bytes(Duration::ZERO, packet, packet.len()).unwrap();
        }
        file.flush().unwrap();
        path.display().to_string()
    }

    fn captured(&self, name: &str) -> Vec<Vec<u8>> {
        pcap::read(&self.path(name))
            .unwrap()
            .iter()
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// `pg0` and `pg1` up with addresses, a neighbour behind `pg1`, and a capture of `pg1` to `out.pcap`.
    fn route(&mut self) {
        use crate::fib::PathKind;
        self.ok("create packet-generator interface pg0 hw-addr 02:fe:00:00:00:01");
        self.ok("create packet-generator interface pg1 hw-addr 02:fe:00:00:00:02");
        let wires = vec![self.index("pg0"), self.index("pg1")];
        for index in &wires {
            self.interfaces().set_admin(*index, true).unwrap();
        }
        let placeholder = Testbed::builder().build().unwrap();
        let bed = std::mem::replace(&mut self.bed, placeholder);
        let mut router = crate::testing::Router { bed, wires };
        router.address(0, [10, 0, 0, 1], 24);
        router.address(1, [10, 0, 1, 1], 24);
        router.neighbor(1, [10, 0, 1, 2], [2, 0xaa, 0, 0, 0, 2]);
        let via = std::net::IpAddr::from([10, 0, 1, 2]);
        router.route(
            [20, 0, 0, 0],
            8,
            PathKind::AttachedNextHop {
                next_hop: via,
                interface: router.wires[1],
            },
        );
        self.bed = router.bed;
        let file = self.path("out.pcap").display().to_string();
        self.ok(&format!("packet-generator capture pg1 pcap {file}"));
    }
}

const UDP: &str = "IP4: 02:fe:11:11:11:11 -> 02:fe:00:00:00:01 UDP: 10.0.0.2 -> 20.0.0.1 \
                   UDP: 1234 -> 2345 incrementing 30";
