//! What a call costs the client: CPU time and allocations of its process, against a bare server in another process.
//!
//! The server is this program again, answering each request with a fixed reply as fast as it can, so that what is
//! measured is the client. Against a running node: `BARROW_SOCKET=/run/vpp/api.sock cargo bench -p barrow-client`.
//! Rates are wall time and depend on the machine; CPU time a call is the figure to compare.

use barrow_client::{Client, Config, Reconnect, blocking};
use barrow_messages::interface::{self, SwInterfaceDetails, SwInterfaceDump};
use barrow_messages::memclnt::{self, ControlPing, MessageTableEntry, SockclntCreateReply};
use barrow_wire::{Header, frame};
use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of this process so far.
fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("serve") {
        let path = arguments.next().expect("the socket's path");
        return serve(Path::new(&path));
    }
    let quick = std::env::args().any(|argument| argument == "--test" || argument == "--quick");
    let calls = if quick { 1_000 } else { 300_000 };
    let (path, _server) = server();
    println!("{}", cpu_name());
    println!(
        "{:<34} {:>10} {:>12} {:>12}",
        "", "calls/s", "CPU us/call", "allocs/call"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for in_flight in [1_u64, 8, 64, 512] {
        let calls = if in_flight == 1 { calls / 4 } else { calls };
        runtime.block_on(async {
            let client = connect(&path, in_flight as usize).await;
            pings(&client, in_flight, calls / 10).await;
            let start = Start::now();
            pings(&client, in_flight, calls).await;
            start.report(&format!("tokio, {in_flight} in flight"), calls);
        });
    }
    let client = blocking::connect(&path, config(1)).expect("the server listens");
    let ping = || {
        client
            .wait(client.call(ControlPing {}))
            .expect("it answers");
    };
    (0..calls / 40).for_each(|_| ping());
    let start = Start::now();
    (0..calls / 4).for_each(|_| ping());
    start.report("threads, 1 in flight", calls / 4);
    if std::env::var_os("BARROW_SOCKET").is_none() {
        runtime.block_on(async {
            let client = connect(&path, 1).await;
            let start = Start::now();
            let mut items = client.dump(SwInterfaceDump::default());
            let mut count = 0;
            while let Some(item) = items.next().await {
                item.expect("it is whole");
                count += 1;
            }
            start.report("dump, an item", count);
        });
    }
}

fn config(in_flight: usize) -> Config {
    Config {
        window: in_flight.max(256),
        channel_requests: in_flight.max(100),
        unsent: 64 << 10,
        reconnect: Reconnect::never(),
        ..Config::default()
    }
}

async fn connect(path: &Path, in_flight: usize) -> Client {
    let client = Client::connect_with(path, config(in_flight)).await;
    client.expect("the server listens")
}

/// Makes `calls` calls, always `in_flight` of them at once.
async fn pings(client: &Client, in_flight: u64, calls: u64) {
    let set = tokio::task::LocalSet::new();
    for _ in 0..in_flight {
        let client = client.clone();
        set.spawn_local(async move {
            for _ in 0..calls / in_flight {
                client.call(ControlPing {}).await.expect("it answers");
            }
        });
    }
    set.await;
}

struct Start {
    wall: Instant,
    cpu: Duration,
    allocations: u64,
}

impl Start {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu(),
            allocations: allocations(),
        }
    }

    fn report(&self, what: &str, calls: u64) {
        let n = calls as f64;
        let rate = n / self.wall.elapsed().as_secs_f64();
        let each = (cpu() - self.cpu).as_secs_f64() * 1e6 / n;
        let allocations = (allocations() - self.allocations) as f64 / n;
        println!("{what:<34} {rate:>10.0} {each:>12.2} {allocations:>12.3}");
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn cpu_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or_else(String::new, |name| {
        name.trim_start_matches([' ', '\t', ':']).to_owned()
    })
}

/// The server's process with its folder; gone when dropped.
struct Serving {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> (PathBuf, Option<Serving>) {
    if let Some(path) = std::env::var_os("BARROW_SOCKET") {
        return (path.into(), None);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("api.sock");
    let child = Command::new(std::env::current_exe().expect("this program"))
        .arg("serve")
        .arg(&path)
        .stdout(Stdio::null())
        .spawn()
        .expect("this program starts");
    while !path.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _folder = folder;
    (path, Some(Serving { child, _folder }))
}

/// Items of the one list that the bare server gives.
const ITEMS: u32 = 100_000;

/// A server that knows its answers by heart.
fn serve(path: &Path) {
    let listener = UnixListener::bind(path).expect("the path is free");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer(stream));
    }
}

fn answer(mut stream: UnixStream) {
    let modules = [&memclnt::MODULE, &interface::MODULE];
    let messages: Vec<_> = modules.iter().flat_map(|module| module.messages).collect();
    let id = |name: &str| {
        messages
            .iter()
            .position(|message| message.name == name)
            .expect("it is known") as u16
            + 1
    };
    let (ping, dump) = (id("control_ping"), id("sw_interface_dump"));
    let mut decoder = frame::FrameDecoder::default();
    let mut out = Vec::new();
    loop {
        match stream.read(decoder.space(64 << 10)) {
            Ok(len) if len > 0 => decoder.filled(len),
            _ => return,
        }
        while let Ok(Some(message)) = decoder.next_message() {
            let asked = barrow_wire::message_id(message).unwrap_or_default();
            let context = message.get(6..10).map_or(0, |bytes| {
                u32::from_be_bytes(bytes.try_into().expect("four"))
            });
            let header = |id| Header {
                id,
                client_index: 0,
                context,
            };
            if asked == ping {
                let pong = memclnt::ControlPingReply {
                    vpe_pid: 7,
                    ..Default::default()
                };
                frame::encode(header(ping + 1), &pong, &mut out).expect("it fits");
            } else if asked == dump {
                let details = SwInterfaceDetails::default();
                for _ in 0..ITEMS {
                    frame::encode(header(id("sw_interface_details")), &details, &mut out)
                        .expect("it fits");
                }
            } else if asked == 15 {
                let message_table = (1..)
                    .zip(&messages)
                    .map(|(index, message)| MessageTableEntry {
                        index,
                        name: message.name_crc.try_into().expect("it fits"),
                    })
                    .collect();
                let greeting = SockclntCreateReply {
                    response: 0,
                    index: 1,
                    message_table,
                };
                frame::encode(
                    Header {
                        id: 16,
                        client_index: 0,
                        context: 1,
                    },
                    &greeting,
                    &mut out,
                )
                .expect("it fits");
            }
        }
        if stream.write_all(&out).is_err() {
            return;
        }
        out.clear();
    }
}
