//! The API socket with raw clients, some of them hostile.

use super::*;
use crate::{
    api::{ApiCounters, ApiLimits, ApiRegistry, register_cli, register_memclnt},
    cli::{CliHandle, CliRegistry, ShellHost, register_shell, sleep_on},
    log::Logger,
};
use barrow_messages::{
    memclnt::{ControlPing, ControlPingReply, SockclntCreate, SockclntCreateReply, SockclntDelete},
    vlib::CliInband,
    vpe::{LogDetails, LogDump},
};
use barrow_runtime::{
    host::{Handle, Options, spawn},
    io::unix::{Address, Listener},
    sys::Clock,
};
use barrow_wire::{FixedString, Header, Message, VarString, decode_message, frame};
use std::{
    cell::Cell,
    collections::HashMap,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};
use tempfile::TempDir;

/// Details that `log_dump` gives.
const DETAILS: usize = 20_000;

struct Node {
    directory: TempDir,
    thread: Option<Handle<Server>>,
}

/// What the tests look at in the thread of the node.
struct Server {
    clients: Clients,
}

impl Node {
    fn start(limits: ApiLimits) -> Self {
        let directory = TempDir::new().unwrap();
        let socket = directory.path().join("api.sock");
        let thread = spawn(Options::default(), Clock::new(), move |host| {
            let address = Address::from(socket.as_path());
            let listener = Listener::bind(&host.reactor, address, Default::default())
                .map_err(io::Error::other)?;
            let clients = Clients::new(Rc::new(limits), Rc::new(ApiCounters::default()));
            let log = Logger::quiet().class("api");
            let mut api = ApiRegistry::new(clients.clone(), barrow_messages::catalogue());
            register_memclnt(&mut api, 1).unwrap();
            let spawner = host.scheduler.spawner();
            let sleep = sleep_on(&spawner);
            let handle = CliHandle::default();
            let shell = ShellHost {
                sleep,
                sessions: Default::default(),
                registry: handle.clone(),
            };
            let mut cli = CliRegistry::default();
            register_shell(&mut cli, &shell).unwrap();
            let cli = Rc::new(cli);
            handle.set(&cli);
            register_cli(&mut api, handle, Rc::default(), Rc::default(), log.clone()).unwrap();
            api.dump(|_, _: LogDump| {
                let left = Cell::new(DETAILS);
                move || {
                    left.set(left.get().checked_sub(1)?);
                    Some(LogDetails::default())
                }
            })
            .unwrap();
            let table = api.build();
            let server = ApiServer {
                table,
                clients: clients.clone(),
                trace: ApiTrace::default(),
                log,
            };
            spawner.start_process(AcceptClients {
                listener,
                server,
                access: Default::default(),
            });
            // The registry lives as long as the thread's scheduler.
            spawner.spawn_task(async move {
                std::future::pending::<()>().await;
                drop(cli);
            });
            Ok::<_, io::Error>(Server { clients })
        })
        .unwrap();
        Self {
            directory,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.directory.path().join("api.sock")).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Client {
            stream,
            ids: HashMap::new(),
            index: 0,
        }
    }

    /// Asks the thread of the node.
    fn ask<R: Send + 'static>(&self, f: impl FnOnce(&Server) -> R + Send + 'static) -> R {
        let (answer, answered) = std::sync::mpsc::channel();
        let thread = self.thread.as_ref().unwrap();
        thread
            .remote()
            .send(move |server: &mut Server| answer.send(f(server)).unwrap())
            .unwrap();
        answered.recv().unwrap()
    }

    fn clients(&self) -> usize {
        self.ask(|server| server.clients.list().len())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let thread = self.thread.take().unwrap();
        thread.stop();
        thread.join().unwrap();
    }
}

struct Client {
    stream: UnixStream,
    ids: HashMap<String, u16>,
    index: u32,
}

impl Client {
    fn hello(mut self) -> Self {
        self.ids.insert(SockclntCreate::NAME_CRC.into(), 15);
        self.send(
            1,
            &SockclntCreate {
                name: FixedString::truncated("test"),
            },
        );
        let reply: SockclntCreateReply = decode_message(&self.receive()).unwrap().1;
        self.index = reply.index;
        let entries = reply.message_table.into_iter();
        self.ids = entries
            .map(|e| (e.name.to_string_lossy().into_owned(), e.index))
            .collect();
        self
    }

    fn frame<M: Message>(&self, context: u32, message: &M) -> Vec<u8> {
        let header = Header {
            id: self.ids[M::NAME_CRC],
            client_index: self.index,
            context,
        };
        let mut out = Vec::new();
        frame::encode(header, message, &mut out).unwrap();
        out
    }

    /// In two writes, as `vpp_papi` sends.
    fn send<M: Message>(&mut self, context: u32, message: &M) {
        let frame = self.frame(context, message);
        self.stream.write_all(&frame[..16]).unwrap();
        self.stream.write_all(&frame[16..]).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut header = [0; 16];
        self.stream.read_exact(&mut header).unwrap();
        let length = u32::from_be_bytes(*header[8..].first_chunk().unwrap());
        let mut message = vec![0; length as usize];
        self.stream.read_exact(&mut message).unwrap();
        message
    }

    fn pings(&mut self) {
        self.send(7, &ControlPing {});
        let (header, _) = decode_message::<ControlPingReply>(&self.receive()).unwrap();
        assert_eq!(header.context, 7);
    }
}

#[test]
fn a_client_says_hello_pings_and_says_goodbye() {
    let node = Node::start(ApiLimits::default());
    let mut client = node.connect().hello();
    assert_eq!(node.ask(|server| server.clients.list()[0].name()), "test");
    client.pings();
    let index = client.index;
    client.send(3, &SockclntDelete { index });
    assert_eq!(client.receive()[6..], [0, 0, 0, 1]);
    assert_eq!(client.stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(node.clients(), 0);
}

#[test]
fn many_requests_in_flight_are_all_answered_in_order() {
    let node = Node::start(ApiLimits::default());
    let mut client = node.connect().hello();
    let frames: Vec<u8> = (0..20_000)
        .flat_map(|context| client.frame(context, &ControlPing {}))
        .collect();
    let mut writer = client.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || writer.write_all(&frames).unwrap());
    for context in 0..20_000 {
        let (header, _) = decode_message::<ControlPingReply>(&client.receive()).unwrap();
        assert_eq!(header.context, context);
    }
    sending.join().unwrap();
}

#[test]
fn a_client_that_dumps_and_never_reads_costs_bounded_memory_and_nobody_else() {
    let limits = ApiLimits {
        max_queued: 100_000,
        ..ApiLimits::default()
    };
    let node = Node::start(limits);
    let mut stopped = node.connect().hello();
    for context in 0..20 {
        stopped.send(context, &LogDump::default());
    }
    let mut other = node.connect().hello();
    other.pings();
    // What it did not read is still there, whole.
    for context in 0..20 {
        for _ in 0..DETAILS {
            let (header, _) = decode_message::<LogDetails>(&stopped.receive()).unwrap();
            assert_eq!(header.context, context);
        }
    }
    stopped.pings();
}

#[test]
fn a_client_that_stalls_is_closed() {
    let stall_timeout = Duration::from_millis(50);
    let node = Node::start(ApiLimits {
        stall_timeout,
        ..ApiLimits::default()
    });
    let mut stopped = node.connect().hello();
    for context in 0..20 {
        stopped.send(context, &LogDump::default());
    }
    while node.clients() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(
        node.ask(|server| server.clients.counters().stalled.get()),
        1
    );
}

#[test]
fn clients_that_die_mid_message_leave_nothing() {
    let node = Node::start(ApiLimits::default());
    for n in 0..1000_usize {
        let mut client = node.connect();
        client.index = 0x8000_0001;
        client.ids.insert(SockclntCreate::NAME_CRC.into(), 15);
        let frame = client.frame(1, &SockclntCreate::default());
        client.stream.write_all(&frame[..n % frame.len()]).unwrap();
    }
    while node.clients() > 0 {
        std::thread::yield_now();
    }
    node.connect().hello().pings();
}

#[test]
fn more_clients_than_allowed_are_refused() {
    let node = Node::start(ApiLimits {
        max_clients: 2,
        ..ApiLimits::default()
    });
    let _first = node.connect().hello();
    let second = node.connect().hello();
    assert_eq!(node.connect().stream.read(&mut [0; 1]).unwrap(), 0);
    drop(second);
    while node.clients() > 1 {
        std::thread::yield_now();
    }
    node.connect().hello().pings();
}

#[test]
fn a_request_that_takes_time_ends_with_its_client() {
    let node = Node::start(ApiLimits::default());
    let mut client = node.connect().hello();
    client.send(
        1,
        &CliInband {
            cmd: VarString::from("wait 80000"),
        },
    );
    let mut other = node.connect().hello();
    other.pings();
    drop(client);
    while node.clients() > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let node = Node::start(ApiLimits::default());
    let mut other = node.connect().hello();
    let mut client = node.connect();
    client.stream.write_all(&[0xff; 64]).unwrap();
    let mut rest = Vec::new();
    // Closed with bytes unread, the kernel may answer with a reset.
    client.stream.read_to_end(&mut rest).ok();
    assert!(rest.is_empty());
    other.pings();
}
