//! Simulation: users, hub and a faulty server in virtual time, from one seed.
//!
//! Three things must hold whatever goes wrong: every call ends once and within its time, a reply never reaches
//! another call, and the requests of a channel reach the server in their order.

use super::{Hub, Step, Transmit};
use crate::client::{Channel, Client};
use crate::error::{Error, Lost};
use crate::{Config, Health, Reconnect};
use barrow_core::Instant;
use barrow_messages::interface::{
    self, SwInterfaceDetails, SwInterfaceDump, SwInterfaceSetFlags, SwInterfaceSetFlagsReply,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::memclnt::{self, ControlPingReply, MessageTableEntry, SockclntCreateReply};
use barrow_wire::frame::{self, FrameDecoder};
use barrow_wire::{Header, HeaderKind, Message, decode_message, message_id};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The wire from client to server: takes a random part of what it is given.
struct Wire {
    bytes: Mutex<Vec<u8>>,
    room: AtomicU64,
}

impl Transmit for Wire {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::Relaxed) as usize;
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = room.min(bytes.len());
        self.room.fetch_sub(len as u64, Ordering::Relaxed);
        self.bytes.lock().unwrap().extend_from_slice(&bytes[..len]);
        Ok(len)
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct User {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    waker: Waker,
    started: Instant,
}

struct Simulation {
    random: fastrand::Rng,
    hub: Arc<Hub>,
    now: Arc<AtomicU64>,
    wakers: Vec<Waker>,
    users: Vec<User>,
    server: Option<Server>,
    ended: Arc<AtomicU64>,
    started: u64,
    ids: HashMap<&'static str, u16>,
}

struct Server {
    wire: Arc<Wire>,
    decoder: FrameDecoder,
    /// What is on its way to the client, with the time it arrives.
    replies: VecDeque<(Instant, Vec<u8>)>,
    /// The latest request of each channel.
    latest: HashMap<u32, u32>,
    dead: bool,
}

const CHANNELS: u32 = 5;
const TIMEOUT: Duration = Duration::from_millis(500);

/// A number that tells the channel and the call.
fn mark(channel: u32, sequence: u32) -> u32 {
    channel << 24 | sequence
}

impl Simulation {
    fn new(seed: u64) -> (Self, Client) {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let config = Config {
            timeout: Some(TIMEOUT),
            window: 16,
            channel_requests: 6,
            dump_buffer: 3000,
            health: Health {
                interval: Duration::from_millis(100),
                reply_timeout: Duration::from_millis(50),
                threshold: 2,
            },
            reconnect: Reconnect {
                first: Duration::from_millis(1),
                max: Duration::from_millis(20),
                timeout: Duration::from_millis(100),
                ..Reconnect::default()
            },
            ..Config::default()
        };
        let hub = Arc::new(Hub::new(config, (), move || {
            Instant::from_nanos(clock.load(Ordering::Relaxed))
        }));
        let client = Client::new(Arc::clone(&hub));
        let modules = [&memclnt::MODULE, &interface::MODULE];
        let names = modules.iter().flat_map(|module| module.messages);
        let ids = (1..).zip(names).map(|(id, message)| (message.name, id));
        let simulation = Self {
            random: fastrand::Rng::with_seed(seed),
            hub,
            now,
            wakers: Vec::new(),
            users: Vec::new(),
            server: None,
            ended: Arc::default(),
            started: 0,
            ids: ids.collect(),
        };
        (simulation, client)
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(Ordering::Relaxed))
    }

    fn pass(&self, time: Duration) {
        self.now
            .fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    fn start(&mut self, channel: Channel, number: u32, sequence: u32) {
        let ended = Arc::clone(&self.ended);
        let future: Pin<Box<dyn Future<Output = ()>>> = if self.random.u8(..) < 40 {
            Box::pin(async move {
                let mut list = channel.dump(SwInterfaceDump {
                    sw_if_index: InterfaceIndex(mark(number, sequence)),
                    ..Default::default()
                });
                while let Some(item) = list.next().await {
                    if let Ok(details) = item {
                        assert_eq!(details.sw_if_index.0, mark(number, sequence));
                    }
                }
                ended.fetch_add(1, Ordering::Relaxed);
            })
        } else {
            Box::pin(async move {
                let call = channel.call(SwInterfaceSetFlags {
                    sw_if_index: InterfaceIndex(mark(number, sequence)),
                    ..Default::default()
                });
                match call.await {
                    Err(Error::Api(error)) => {
                        assert_eq!(error.retval.0, -(mark(number, sequence) as i32));
                    }
                    Ok(reply) => panic!("a reply of nobody: {reply:?}"),
                    Err(_) => {}
                }
                ended.fetch_add(1, Ordering::Relaxed);
            })
        };
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Arc::clone(&woken).into();
        self.started += 1;
        self.users.push(User {
            future,
            woken,
            waker,
            started: self.now(),
        });
    }

    fn poll_users(&mut self) {
        let now = self.now();
        self.users.retain_mut(|user| {
            if !user.woken.0.swap(false, Ordering::Relaxed) {
                let over = user.started + TIMEOUT + Duration::from_millis(200);
                assert!(now < over, "a call outlived its deadline");
                return true;
            }
            let mut cx = Context::from_waker(&user.waker);
            user.future.as_mut().poll(&mut cx) == Poll::Pending
        });
    }

    /// One turn of the driver and of the server.
    fn turn(&mut self) {
        match self.hub.step(&mut self.wakers) {
            Step::Connect { .. } => {
                self.server = None;
                if self.random.u8(..) < 60 {
                    self.hub
                        .lost(&mut self.wakers, Lost::Connect("refused".into()));
                } else {
                    let wire = Arc::new(Wire {
                        bytes: Mutex::default(),
                        room: AtomicU64::new(100),
                    });
                    self.hub
                        .connected(&mut self.wakers, Arc::<Wire>::clone(&wire));
                    self.server = Some(Server {
                        wire,
                        decoder: FrameDecoder::default(),
                        replies: VecDeque::new(),
                        latest: HashMap::new(),
                        dead: false,
                    });
                }
            }
            Step::Wait { .. } | Step::Finished => self.server = None,
            Step::Io { .. } => {
                self.hub.write(&mut self.wakers);
            }
        }
        self.serve();
        self.deliver();
    }

    fn serve(&mut self) {
        let now = self.now();
        let Some(server) = self.server.as_mut().filter(|server| !server.dead) else {
            return;
        };
        server
            .wire
            .room
            .store(self.random.u64(0..4000), Ordering::Relaxed);
        server
            .decoder
            .push(&std::mem::take(&mut *server.wire.bytes.lock().unwrap()));
        let mut delay = Duration::ZERO;
        while let Ok(Some(message)) = server.decoder.next_message() {
            let id = message_id(message).unwrap();
            let mut out = Vec::new();
            let mut say = |context, bytes: &dyn Fn(Header, &mut Vec<u8>)| {
                let header = Header {
                    id: 0,
                    client_index: 0,
                    context,
                };
                bytes(header, &mut out);
            };
            let name = self.ids.iter().find(|(_, known)| **known == id);
            match *name.unwrap().0 {
                "sockclnt_create" => {
                    let modules = [&memclnt::MODULE, &interface::MODULE];
                    let message_table = (1..)
                        .zip(modules.iter().flat_map(|module| module.messages))
                        .map(|(index, message)| MessageTableEntry {
                            index,
                            name: message.name_crc.try_into().unwrap(),
                        })
                        .collect();
                    let greeting = SockclntCreateReply {
                        response: 0,
                        index: 1,
                        message_table,
                    };
                    say(1, &|header, out| encode(&self.ids, header, &greeting, out));
                }
                "control_ping" => {
                    let context = context(message, HeaderKind::Request);
                    let pong = ControlPingReply {
                        vpe_pid: 7,
                        ..Default::default()
                    };
                    say(context, &|header, out| {
                        encode(&self.ids, header, &pong, out)
                    });
                }
                "sw_interface_set_flags" => {
                    let (header, flags): (_, SwInterfaceSetFlags) =
                        decode_message(message).unwrap();
                    let mark = flags.sw_if_index.0;
                    in_order(&mut server.latest, mark);
                    let reply = SwInterfaceSetFlagsReply {
                        retval: -(mark as i32),
                    };
                    let times = match self.random.u8(..) {
                        0..5 => 0,
                        5..10 => 2,
                        _ => 1,
                    };
                    for _ in 0..times {
                        say(header.context, &|header, out| {
                            encode(&self.ids, header, &reply, out);
                        });
                    }
                }
                "sw_interface_dump" => {
                    let (header, dump): (_, SwInterfaceDump) = decode_message(message).unwrap();
                    in_order(&mut server.latest, dump.sw_if_index.0);
                    let details = SwInterfaceDetails {
                        sw_if_index: dump.sw_if_index,
                        ..Default::default()
                    };
                    for _ in 0..self.random.u8(0..12) {
                        say(header.context, &|header, out| {
                            encode(&self.ids, header, &details, out);
                        });
                    }
                }
                _ => {}
            }
            if self.random.u8(..) < 20 {
                delay += Duration::from_micros(self.random.u64(0..30_000));
            }
            match self.random.u16(..) {
                // Dies in the middle of an answer.
                0..200 => {
                    out.truncate(self.random.usize(..=out.len()));
                    server.dead = true;
                }
                // Says something that is no protocol.
                200..260 => out.extend_from_slice(&[0xff; 20]),
                // Hangs.
                260..300 => delay += Duration::from_secs(1),
                _ => {}
            }
            let after = server.replies.back().map_or(now, |(at, _)| *at);
            server.replies.push_back((after.max(now + delay), out));
            if server.dead {
                break;
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now();
        loop {
            let Some(server) = &mut self.server else {
                return;
            };
            let due = server.replies.front().is_some_and(|(at, _)| *at <= now);
            if !due {
                if server.dead && server.replies.is_empty() {
                    let _ = self.hub.read(&mut self.wakers, 1, |_| Ok(0));
                    self.server = None;
                }
                return;
            }
            let (_, bytes) = server.replies.pop_front().unwrap();
            for chunk in bytes.chunks(self.random.usize(1..5000)) {
                let read = self.hub.read(&mut self.wakers, chunk.len(), |space| {
                    space[..chunk.len()].copy_from_slice(chunk);
                    Ok(chunk.len())
                });
                if matches!(read, Ok(0)) {
                    self.server = None;
                    return;
                }
            }
        }
    }

    fn run(seed: u64, calls: u32) -> u64 {
        let (mut simulation, client) = Self::new(seed);
        let channels: Vec<_> = (0..CHANNELS).map(|_| client.channel()).collect();
        let mut sequences = [0; CHANNELS as usize];
        for _ in 0..calls {
            let number = simulation.random.u32(0..CHANNELS);
            let sequence = &mut sequences[number as usize];
            *sequence += 1;
            let channel = channels[number as usize].clone();
            simulation.start(channel, number + 1, *sequence);
            simulation.poll_users();
            if simulation.random.u8(..) < 10 && !simulation.users.is_empty() {
                let gone = simulation.random.usize(..simulation.users.len());
                // Order matters: users are polled in the order they came.
                simulation.users.remove(gone);
                simulation.ended.fetch_add(1, Ordering::Relaxed);
            }
            if simulation.random.bool() {
                simulation.turn();
                simulation.poll_users();
                let time = simulation.random.u64(0..2000);
                simulation.pass(Duration::from_micros(time));
            }
        }
        for _ in 0..2000 {
            simulation.turn();
            simulation.poll_users();
            simulation.pass(Duration::from_millis(1));
        }
        assert!(
            simulation.users.is_empty(),
            "{} calls hang",
            simulation.users.len()
        );
        let ended = simulation.ended.load(Ordering::Relaxed);
        assert_eq!(ended, simulation.started, "every call ends once");
        let status = client.status();
        assert_eq!((status.in_flight, status.waiting), (0, 0), "{status:?}");
        drop(channels);
        ended
    }
}

fn encode<M: Message>(
    ids: &HashMap<&'static str, u16>,
    header: Header,
    message: &M,
    out: &mut Vec<u8>,
) {
    let header = Header {
        id: ids[M::NAME],
        ..header
    };
    frame::encode(header, message, out).unwrap();
}

fn context(message: &[u8], kind: HeaderKind) -> u32 {
    let at = kind.context_offset().unwrap();
    u32::from_be_bytes(*message[at..].first_chunk().unwrap())
}

fn in_order(latest: &mut HashMap<u32, u32>, mark: u32) {
    let (channel, sequence) = (mark >> 24, mark & 0xff_ffff);
    let before = latest.insert(channel, sequence).unwrap_or(0);
    assert!(
        before < sequence,
        "channel {channel}: {sequence} after {before}"
    );
}

#[test]
fn any_fault_leaves_every_call_ended_once_and_in_order() {
    let seeds = match std::env::var("BARROW_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..200,
    };
    let mut calls = 0;
    for seed in seeds {
        let run = std::panic::catch_unwind(|| Simulation::run(seed, 5000));
        match run {
            Ok(ended) => calls += ended,
            Err(_) => panic!("replay with BARROW_SEED={seed}"),
        }
    }
    println!("{calls} calls");
}
