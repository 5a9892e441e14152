//! A TCP transfer that must arrive byte for byte, and iperf3.

use crate::{Netns, Skip, has_program, run_in};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);
/// iperf3's usual port.
const IPERF_PORT: u16 = 5201;

/// Sends `len` bytes of a pattern by TCP and compares what arrives.
///
/// # Panics
/// When a connection or a byte is lost.
#[track_caller]
pub fn transfer(from: &Netns, to: &Netns, address: Ipv4Addr, len: usize) {
    let listener = to.run(|| TcpListener::bind((address, 0)).expect("an address of the host"));
    let target = listener.local_addr().expect("it is bound");
    let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| from.run(|| send(target, &bytes)));
        let (mut stream, _) = listener.accept().expect("the sender connects");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a duration above zero");
        let mut got = Vec::with_capacity(len);
        stream.read_to_end(&mut got).expect("all of it comes");
        sender.join().expect("the sender succeeds");
        assert!(got == bytes, "{} of {len} bytes, or others", got.len());
    });
}

fn send(target: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect_timeout(&target, PATIENCE).expect("the receiver listens");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("a duration above zero");
    stream.write_all(bytes).expect("the receiver takes it");
}

/// Runs iperf3 from one host to another and gives the part `end` of its report.
///
/// # Errors
/// A reason to skip where there is no iperf3.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn iperf3(
    from: &Netns,
    to: &Netns,
    address: Ipv4Addr,
    arguments: &[&str],
) -> Result<Value, Skip> {
    if !has_program("iperf3") {
        return Err(Skip("no `iperf3` (Debian package iperf3)".into()));
    }
    let mut server = to.command("iperf3");
    let mut server = server
        .args(["--server", "--one-off"])
        .stdout(Stdio::null())
        .spawn()
        .expect("iperf3 starts");
    let deadline = Instant::now() + PATIENCE;
    while !to.listens(IPERF_PORT) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let address = address.to_string();
    let all: Vec<_> = ["--client", &address, "--json"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let ran = run_in(from, "iperf3", &all);
    // It ends by itself after one test; after none, it has to be ended.
    drop(server.kill());
    drop(server.wait());
    let mut report: Value = serde_json::from_str(&ran.expect_success()).expect("JSON");
    Ok(report["end"].take())
}
