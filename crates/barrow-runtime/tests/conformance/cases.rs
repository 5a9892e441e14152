//! The cases.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::Instant;
use barrow_runtime::io::machine::{
    Open, TcpConnect, TcpListen, Udp, UnixConnect, UnixDatagram, UnixListen, WhenFull,
};
use barrow_runtime::io::packet::Config;
use barrow_runtime::io::{Action, Address, Backend, Event, Packets, SocketId, To, unix};

use crate::world::{Input, Kernel, Steps, World};

type Cellar<T> = Rc<RefCell<T>>;

fn shared<T>(value: T) -> Cellar<T> {
    Rc::new(RefCell::new(value))
}

fn open(steps: &mut Steps, open: Open) {
    steps.act(Action::Open { tag: 7, open });
}

fn send(steps: &mut Steps, socket: SocketId, to: To, data: barrow_runtime::io::Packet) {
    steps.act(Action::Send {
        socket,
        to,
        segment: None,
        data,
    });
}

fn internet(address: &Address) -> SocketAddr {
    address.internet().expect("an internet address")
}

/// Adds a machine whose first socket's address is told.
fn server(
    world: &mut impl World,
    what: Open,
    mut logic: impl FnMut(&mut Steps, Instant, Event<std::convert::Infallible>) + 'static,
) -> SocketAddr {
    let bound = Rc::new(Cell::new(None));
    let tell = bound.clone();
    let mut what = Some(what);
    world.add(Box::new(move |steps, now, input| match input {
        Input::Start => open(steps, what.take().expect("started once")),
        Input::Event(event) => {
            if let Event::Opened { local, .. } = &event {
                tell.set(local.internet());
            }
            logic(steps, now, event);
        }
        Input::Timeout => {}
    }));
    world.run_until(&mut || bound.get().is_some());
    bound.get().expect("it was waited for")
}

fn any(world: &impl World) -> SocketAddr {
    SocketAddr::new(world.address(), 0)
}

pub(crate) fn wake_from_another_thread(world: &Kernel) {
    for _ in 0..200 {
        let bell = world.reactor.bell();
        let ringer = std::thread::spawn(move || bell.ring());
        world.reactor.park(None).unwrap();
        ringer.join().unwrap();
        // A ring may end two sleeps on a backend that looks at levels, not more.
        world.reactor.poll_now().unwrap();
        world.reactor.poll_now().unwrap();
    }
}

/// Not a stopwatch: a sleep never ends early, and over many the median says how late it is. That is
/// printed; only gross lateness, of a backend that rounds to milliseconds, fails.
pub(crate) fn a_sleep_is_exact(world: &Kernel) {
    let reactor = &world.reactor;
    let mut late: Vec<_> = (0..51)
        .map(|n| {
            let until = reactor.clock().now() + Duration::from_micros(120 + 77 * n);
            while reactor.clock().now() < until {
                let events = reactor.park(Some(until)).unwrap();
                assert!(events > 0 || reactor.clock().now() >= until, "too early");
            }
            reactor.clock().now() - until
        })
        .collect();
    late.sort_unstable();
    println!("{}: late by {:?} in the median", world.name(), late[25]);
}

pub(crate) fn timers_fire_in_order(world: &mut impl World) {
    let fired = shared(Vec::new());
    for micros in [3000u64, 10, 700, 1500, 701, 0] {
        let fired = fired.clone();
        let mut at = None;
        world.add(Box::new(move |steps, now, input| match input {
            Input::Start => {
                at = Some(now + Duration::from_micros(micros));
                steps.wake_at = at;
            }
            Input::Timeout => {
                assert!(at.is_some_and(|at| now >= at), "too early");
                fired.borrow_mut().push((at, now));
                steps.done = true;
            }
            Input::Event(event) => panic!("{event:?}"),
        }));
    }
    world.run();
    let fired = fired.borrow();
    assert_eq!(fired.len(), 6);
    // Those that are due in one turn may come in any order; none is left for a later one.
    for (i, (_, turn)) in fired.iter().enumerate() {
        let later = fired[i..].iter().filter(|(_, now)| now > turn);
        assert!(later.clone().all(|(at, _)| at > &Some(*turn)), "{fired:?}");
    }
}

pub(crate) fn ten_thousand_datagrams_are_conserved(world: &mut impl World) {
    const COUNT: u64 = 10_000;
    const WINDOW: u64 = 64;
    let packets = world.packets();
    let address = server(
        world,
        Open::Udp(Udp::bind(any(world))),
        |steps, _, event| {
            if let Event::Datagram(datagram) = event {
                if datagram.data.is_empty() {
                    steps.done = true;
                }
                let to = To::One(datagram.from.clone());
                send(steps, datagram.socket, to, datagram.data);
            }
        },
    );
    let echoed = shared((0u64, 0u64));
    let seen = echoed.clone();
    let here = any(world);
    let (mut sent, mut socket) = (0u64, None);
    world.add(Box::new(move |steps, _, input| {
        match input {
            Input::Start => {
                let mut udp = Udp::bind(here);
                udp.peer = Some(address);
                return open(steps, Open::Udp(udp));
            }
            Input::Timeout => return,
            Input::Event(Event::Opened { socket: id, .. }) => socket = Some(id),
            Input::Event(Event::Datagram(datagram)) => {
                let mut seen = seen.borrow_mut();
                seen.0 += 1;
                seen.1 += u64::from_be_bytes(datagram.data[..8].try_into().unwrap());
            }
            Input::Event(event) => panic!("{event:?}"),
        }
        let Some(socket) = socket else { return };
        let back = seen.borrow().0;
        while sent < COUNT && sent < back + WINDOW {
            let data = packets.copy(&sent.to_be_bytes()).unwrap();
            send(steps, socket, To::Peer, data);
            sent += 1;
        }
        if back == COUNT {
            send(steps, socket, To::Peer, packets.alloc(1).unwrap());
            steps.act(Action::Close { socket });
            steps.done = true;
        }
    }));
    world.run();
    assert_eq!(*echoed.borrow(), (COUNT, COUNT * (COUNT - 1) / 2));
}

pub(crate) fn one_payload_goes_to_many(world: &mut impl World) {
    let got = shared(Vec::new());
    let addresses: Vec<Address> = (0..40)
        .map(|n| {
            let got = got.clone();
            let bind = Open::Udp(Udp::bind(any(world)));
            server(world, bind, move |steps, _, event| {
                if let Event::Datagram(datagram) = event {
                    got.borrow_mut().push((n, datagram.data.to_vec()));
                    steps.done = true;
                }
            })
            .into()
        })
        .collect();
    let packets = world.packets();
    let here = any(world);
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::Udp(Udp::bind(here))),
        Input::Event(Event::Opened { socket, .. }) => {
            let to = To::Many(addresses.clone().into());
            send(steps, socket, to, packets.copy(b"to all").unwrap());
            steps.act(Action::Close { socket });
        }
        Input::Event(Event::Closed { result, .. }) => {
            result.unwrap();
            steps.done = true;
        }
        other => panic!("{other:?}"),
    }));
    world.run();
    let mut got = got.borrow().clone();
    got.sort();
    let want: Vec<_> = (0..40).map(|n| (n, b"to all".to_vec())).collect();
    assert_eq!(got, want);
}

pub(crate) fn segments_are_cut_and_joined(world: &mut impl World) {
    const SIZE: usize = 1000;
    const COUNT: usize = 100;
    let got = shared(Vec::new());
    let seen = got.clone();
    let mut udp = Udp::bind(any(world));
    udp.join = true;
    let address = server(world, Open::Udp(udp), move |steps, _, event| {
        if let Event::Datagram(datagram) = event {
            let mut seen = seen.borrow_mut();
            assert!(datagram.payloads().all(|payload| payload.len() <= SIZE));
            seen.extend(
                datagram
                    .payloads()
                    .map(|payload| (payload.len(), payload[0])),
            );
            steps.done = seen.len() > COUNT / 2 && seen.last() == Some(&(3, 99));
        }
    });
    let packets = world.packets();
    let here = any(world);
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::Udp(Udp::bind(here))),
        Input::Event(Event::Opened { socket, .. }) => {
            // In two runs, since one takes 64 KiB at most.
            for run in 0..2 {
                let mut data = packets.alloc(60_000).unwrap();
                for n in 0..COUNT / 2 {
                    let n = run * COUNT / 2 + n;
                    let len = if n == COUNT - 1 { 3 } else { SIZE };
                    data.push_back(len).unwrap().fill(n as u8);
                }
                steps.act(Action::Send {
                    socket,
                    to: To::One(address.into()),
                    segment: NonZeroU16::new(SIZE as u16),
                    data,
                });
            }
            steps.act(Action::Close { socket });
        }
        Input::Event(Event::Closed { result, .. }) => {
            result.unwrap();
            steps.done = true;
        }
        other => panic!("{other:?}"),
    }));
    world.run();
    let want: Vec<_> = (0..COUNT)
        .map(|n| (if n == COUNT - 1 { 3 } else { SIZE }, n as u8))
        .collect();
    assert_eq!(*got.borrow(), want);
}

pub(crate) fn a_long_datagram_is_an_error(world: &mut impl World) {
    let got = shared(Vec::new());
    let seen = got.clone();
    let bind = Open::Udp(Udp::bind(any(world)));
    let address = server(world, bind, move |steps, _, event| match event {
        Event::Failed { .. } => seen.borrow_mut().push(0),
        Event::Datagram(datagram) => {
            seen.borrow_mut().push(datagram.data.len());
            steps.done = true;
        }
        _ => {}
    });
    let packets = world.packets();
    let here = any(world);
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::Udp(Udp::bind(here))),
        Input::Event(Event::Opened { socket, .. }) => {
            for len in [5000, 5] {
                let data = packets.copy(&vec![1; len]).unwrap();
                send(steps, socket, To::One(address.into()), data);
            }
            steps.act(Action::Close { socket });
        }
        Input::Event(Event::Closed { .. }) => steps.done = true,
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(*got.borrow(), [0, 5]);
}

/// Sends all it gets back once the peer has finished.
pub(crate) fn a_half_closed_stream_still_answers(world: &mut impl World) {
    let mut held = Vec::new();
    let listen = Open::TcpListen(TcpListen::bind(any(world)));
    let address = server(world, listen, move |steps, _, event| match event {
        Event::Received { data, .. } => held.push(data),
        Event::Finished { socket } => {
            for data in held.drain(..) {
                send(steps, socket, To::Peer, data);
            }
            steps.act(Action::Finish { socket });
        }
        Event::Closed { result, .. } => {
            result.unwrap();
            steps.done = true;
        }
        _ => {}
    });
    let packets = world.packets();
    let got = shared(Vec::new());
    let seen = got.clone();
    let mut finished = false;
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::TcpConnect(TcpConnect::to(address))),
        Input::Event(Event::Opened { socket, .. }) => {
            send(steps, socket, To::Peer, packets.copy(b"half ").unwrap());
            send(steps, socket, To::Peer, packets.copy(b"closed").unwrap());
            steps.act(Action::Finish { socket });
        }
        Input::Event(Event::Received { data, .. }) => seen.borrow_mut().extend_from_slice(&data),
        Input::Event(Event::Finished { .. }) => finished = true,
        Input::Event(Event::Closed { result, .. }) => {
            result.unwrap();
            assert!(finished, "the end is told before the socket is gone");
            steps.done = true;
        }
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(*got.borrow(), b"half closed");
}

/// A reader that takes nothing until it is told to.
fn slow_reader(world: &mut impl World, go: Rc<Cell<bool>>, got: Rc<Cell<usize>>) -> SocketAddr {
    let listen = Open::TcpListen(TcpListen::bind(any(world)));
    let bound = Rc::new(Cell::new(None));
    let tell = bound.clone();
    let (mut what, mut stream) = (Some(listen), None);
    world.add(Box::new(move |steps, now, input| match input {
        Input::Start => open(steps, what.take().expect("once")),
        Input::Event(Event::Opened { local, .. }) => tell.set(Some(internet(&local))),
        Input::Event(Event::Accepted { socket, .. }) => {
            steps.act(Action::Pause { socket });
            stream = Some(socket);
            steps.wake_at = Some(now + Duration::from_millis(1));
        }
        Input::Timeout if go.get() => steps.act(Action::Resume {
            socket: stream.expect("accepted"),
        }),
        Input::Timeout => steps.wake_at = Some(now + Duration::from_millis(1)),
        Input::Event(Event::Received { data, .. }) => got.set(got.get() + data.len()),
        Input::Event(Event::Finished { socket }) => steps.act(Action::Close { socket }),
        Input::Event(Event::Closed { .. }) => steps.done = true,
        Input::Event(event) => panic!("{event:?}"),
    }));
    world.run_until(&mut || bound.get().is_some());
    bound.get().expect("it was waited for")
}

/// Bytes that are offered to a slow reader: far more than the kernel keeps.
const OFFERED: usize = 64 << 20;
const PIECE: usize = 60_000;

pub(crate) fn a_slow_reader_holds_the_writer_back(world: &mut impl World) {
    let (go, got) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let address = slow_reader(world, go.clone(), got.clone());
    let packets = world.packets();
    let offered = Rc::new(Cell::new(0));
    let (count, mut stream) = (offered.clone(), None);
    // One piece for each call, so that what the machine holds itself is one.
    world.add(Box::new(move |steps, now, input| {
        match input {
            Input::Start => return open(steps, Open::TcpConnect(TcpConnect::to(address))),
            Input::Event(Event::Opened { socket, .. }) => stream = Some(socket),
            Input::Timeout => {}
            Input::Event(Event::Closed { .. }) => {
                steps.done = true;
                return;
            }
            Input::Event(Event::Finished { .. }) => return,
            Input::Event(event) => panic!("{event:?}"),
        }
        let Some(socket) = stream else { return };
        steps.wake_at = Some(now + Duration::from_micros(10));
        if !steps.is_clear() {
            return;
        }
        if count.get() >= OFFERED {
            steps.wake_at = None;
            return steps.act(Action::Finish { socket });
        }
        let mut data = packets.alloc(PIECE).unwrap();
        data.push_back(PIECE).unwrap();
        count.set(count.get() + PIECE);
        send(steps, socket, To::Peer, data);
    }));
    // Until the writer stands still.
    let mut last = (0, 0);
    world.run_until(&mut || {
        let now = offered.get();
        last = if now == last.0 && now > 0 {
            (now, last.1 + 1)
        } else {
            (now, 0)
        };
        last.1 > 400
    });
    let held = world.packets().report()[1].owned;
    assert!(offered.get() < OFFERED, "the writer was not held back");
    assert!(held < 20, "{held} large buffers are held");
    go.set(true);
    world.run();
    assert_eq!(got.get(), offered.get());
}

pub(crate) fn a_slow_reader_costs_a_refusing_writer_nothing_else(world: &mut impl World) {
    let (go, got) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let address = slow_reader(world, go.clone(), got.clone());
    let packets = world.packets();
    let (refused, written) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (back, out) = (refused.clone(), written.clone());
    let mut writable = false;
    let mut stream = None;
    world.add(Box::new(move |steps, now, input| {
        match input {
            Input::Start => {
                let mut connect = TcpConnect::to(address);
                connect.when_full = WhenFull::Refuse;
                return open(steps, Open::TcpConnect(connect));
            }
            Input::Event(Event::Opened { socket, .. }) => stream = Some(socket),
            Input::Event(Event::Refused { data, .. }) => {
                // The machine is not stuck: it hears of it, and goes on when there is room.
                out.set(out.get() - data.len());
                back.set(back.get() + 1);
                steps.wake_at = None;
                return;
            }
            Input::Event(Event::Writable { socket }) => {
                writable = true;
                return steps.act(Action::Finish { socket });
            }
            Input::Timeout => {}
            Input::Event(Event::Finished { .. }) => return,
            Input::Event(Event::Closed { .. }) => {
                assert!(writable);
                steps.done = true;
                return;
            }
            Input::Event(event) => panic!("{event:?}"),
        }
        let Some(socket) = stream.filter(|_| back.get() == 0) else {
            return;
        };
        let mut data = packets.alloc(PIECE).unwrap();
        data.push_back(PIECE).unwrap();
        out.set(out.get() + PIECE);
        send(steps, socket, To::Peer, data);
        steps.wake_at = Some(now);
    }));
    world.run_until(&mut || refused.get() > 0);
    go.set(true);
    world.run();
    assert_eq!(got.get(), written.get());
}

pub(crate) fn a_pending_connection_can_be_cancelled(world: &mut impl World) {
    // Reserved for documentation: nobody answers, or there is no route, which is told.
    let nobody: SocketAddr = "192.0.2.1:9".parse().unwrap();
    let told = Rc::new(Cell::new(0));
    let count = told.clone();
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => {
            open(steps, Open::TcpConnect(TcpConnect::to(nobody)));
            steps.act(Action::Cancel { tag: 7 });
            steps.act(Action::Cancel { tag: 7 });
        }
        Input::Event(Event::NotOpened { tag, .. }) => {
            assert_eq!(tag, 7);
            count.set(count.get() + 1);
            steps.done = true;
        }
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(told.get(), 1);
}

pub(crate) fn a_refused_connection_is_told(world: &mut impl World) {
    let listen = Open::TcpListen(TcpListen::bind(any(world)));
    let address = server(world, listen, |steps, _, _| steps.done = true);
    let told = Rc::new(Cell::new(None));
    let tell = told.clone();
    world.run();
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::TcpConnect(TcpConnect::to(address))),
        Input::Event(Event::NotOpened { error, .. }) => {
            tell.set(Some(error.kind()));
            steps.done = true;
        }
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(told.get(), Some(std::io::ErrorKind::ConnectionRefused));
}

pub(crate) fn closing_delivers_what_is_in_flight(world: &mut impl World) {
    const TOTAL: usize = 4 << 20;
    let got = Rc::new(Cell::new(0));
    let seen = got.clone();
    let listen = Open::TcpListen(TcpListen::bind(any(world)));
    let address = server(world, listen, move |steps, _, event| match event {
        Event::Received { data, .. } => seen.set(seen.get() + data.len()),
        Event::Finished { socket } => steps.act(Action::Close { socket }),
        Event::Closed { result, .. } => {
            result.unwrap();
            steps.done = true;
        }
        _ => {}
    });
    let packets = world.packets();
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::TcpConnect(TcpConnect::to(address))),
        Input::Event(Event::Opened { socket, .. }) => {
            for _ in 0..TOTAL / 32_768 {
                let mut data = packets.alloc(32_768).unwrap();
                data.push_back(32_768).unwrap();
                send(steps, socket, To::Peer, data);
            }
            steps.act(Action::Close { socket });
        }
        Input::Event(Event::Closed { result, .. }) => {
            result.unwrap();
            steps.done = true;
        }
        Input::Event(Event::Finished { .. }) => {}
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(got.get(), TOTAL);
}

pub(crate) fn aborting_resets_the_peer(world: &mut impl World) {
    let listen = Open::TcpListen(TcpListen::bind(any(world)));
    let how = Rc::new(Cell::new(None));
    let tell = how.clone();
    let address = server(world, listen, move |steps, _, event| {
        if let Event::Closed { result, .. } = event {
            tell.set(result.err().map(|error| error.kind()));
            steps.done = true;
        }
    });
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::TcpConnect(TcpConnect::to(address))),
        Input::Event(Event::Opened { socket, .. }) => steps.act(Action::Abort { socket }),
        Input::Event(Event::Closed { .. }) => steps.done = true,
        other => panic!("{other:?}"),
    }));
    world.run();
    assert_eq!(how.get(), Some(std::io::ErrorKind::ConnectionReset));
}

pub(crate) fn unix_streams_and_datagrams_carry_bytes(world: &mut Kernel) {
    let folder = tempfile::tempdir().unwrap();
    let stream_at: unix::Address = folder.path().join("stream").as_path().into();
    let datagram_at: unix::Address = folder.path().join("datagram").as_path().into();
    let packets: Packets = world.packets();
    let listening = Rc::new(Cell::new(0));
    let count = listening.clone();
    let (listen, bind) = (
        UnixListen::bind(stream_at.clone()),
        UnixDatagram::bind(datagram_at.clone()),
    );
    let (mut what, mut left) = (Some((listen, bind)), 2);
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => {
            let (listen, bind) = what.take().expect("once");
            open(steps, Open::UnixListen(listen));
            open(steps, Open::UnixDatagram(bind));
        }
        Input::Event(Event::Opened { .. }) => count.set(count.get() + 1),
        Input::Event(Event::Received { socket, data }) => {
            assert_eq!(&*data, b"stream");
            left -= 1;
            steps.act(Action::Close { socket });
            steps.done = left == 0;
        }
        Input::Event(Event::Datagram(datagram)) => {
            assert_eq!(
                (&*datagram.data, &datagram.from),
                (&b"datagram"[..], &Address::Unnamed)
            );
            left -= 1;
            steps.done = left == 0;
        }
        Input::Event(_) | Input::Timeout => {}
    }));
    world.run_until(&mut || listening.get() == 2);
    let mut opened = 0;
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => {
            open(steps, Open::UnixConnect(UnixConnect::to(stream_at.clone())));
            open(
                steps,
                Open::UnixDatagram(UnixDatagram::to(datagram_at.clone())),
            );
        }
        Input::Event(Event::Opened { socket, .. }) => {
            let text: &[u8] = if opened == 0 { b"stream" } else { b"datagram" };
            send(steps, socket, To::Peer, packets.copy(text).unwrap());
            opened += 1;
            if opened == 2 {
                steps.act(Action::Close { socket });
            }
        }
        Input::Event(Event::Closed { .. }) => steps.done = true,
        Input::Event(_) | Input::Timeout => {}
    }));
    world.run();
}

pub(crate) fn events_of_a_closed_socket_reach_nobody(world: &mut impl World) {
    let bind = Open::Udp(Udp::bind(any(world)));
    let packets = world.packets();
    let here = any(world);
    let mut first = None;
    let address = server(world, bind, move |steps, _, event| match event {
        Event::Datagram(datagram) if first.is_none() => {
            // Another one takes the place of the socket; what is queued for the old one is not its.
            first = Some(datagram.socket);
            steps.act(Action::Close {
                socket: datagram.socket,
            });
            open(steps, Open::Udp(Udp::bind(here)));
        }
        Event::Opened { socket, .. } if first.is_some() => {
            assert_ne!(Some(socket), first);
            // Whatever names the old one has no effect.
            let data = packets.copy(b"to nobody").unwrap();
            send(
                steps,
                first.expect("closed"),
                To::One(Address::Unnamed),
                data,
            );
            steps.act(Action::Close {
                socket: first.expect("closed"),
            });
            steps.act(Action::Close { socket });
        }
        Event::Datagram(datagram) => assert_eq!(Some(datagram.socket), first),
        Event::Closed { socket, .. } => steps.done = Some(socket) != first,
        _ => {}
    });
    let here = any(world);
    let packets = world.packets();
    world.add(Box::new(move |steps, _, input| match input {
        Input::Start => open(steps, Open::Udp(Udp::bind(here))),
        Input::Event(Event::Opened { socket, .. }) => {
            for _ in 0..10 {
                let data = packets.copy(b"x").unwrap();
                send(steps, socket, To::One(address.into()), data);
            }
            steps.act(Action::Close { socket });
        }
        Input::Event(Event::Closed { .. }) => steps.done = true,
        Input::Event(_) | Input::Timeout => {}
    }));
    world.run();
}

/// In a process of its own, whose limit it lowers.
pub(crate) fn descriptors(backend: Backend) {
    const CHILD: &str = "BARROW_TEST_DESCRIPTORS";
    if std::env::var_os(CHILD).is_none() {
        let thread = std::thread::current();
        let name = thread.name().expect("tests have names");
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let mut world = Kernel::new(backend);
    let (failed, accepted) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (bad, good) = (failed.clone(), accepted.clone());
    let listen = Open::TcpListen(TcpListen::bind(any(&world)));
    let address = server(&mut world, listen, move |_, _, event| match event {
        Event::Failed { error, .. } => {
            assert_eq!(error.raw_os_error(), Some(24), "EMFILE");
            bad.set(bad.get() + 1);
        }
        Event::Accepted { .. } => good.set(good.get() + 1),
        _ => {}
    });
    // Connections first, since making them takes descriptors too; then a limit that accepting half
    // of them reaches.
    let peers: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    let open_now = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let limit = rustix::process::Rlimit {
        current: Some(open_now + 9),
        maximum: Some(20_000),
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    world.run_until(&mut || accepted.get() + failed.get() >= 20);
    assert!(accepted.get() >= 5 && failed.get() >= 5, "some of each");
    // The listener lives: once there is room, it accepts again.
    let limit = rustix::process::Rlimit {
        current: Some(1000),
        maximum: Some(20_000),
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let before = accepted.get();
    let _peer = std::net::TcpStream::connect(address).unwrap();
    world.run_until(&mut || accepted.get() > before);
    drop(peers);
}

/// A pool of a few buffers, all held for a while by a machine: nothing is received meanwhile, and
/// everything afterwards.
pub(crate) fn buffers(backend: Backend) {
    let config = Config {
        small: 32,
        ..Config::default()
    };
    let mut world = Kernel::with(backend, config);
    let got = shared(Vec::new());
    let seen = got.clone();
    let mut held = Vec::new();
    let mut udp = Udp::bind(any(&world));
    udp.kernel_buffer = 1 << 20;
    let bound = Rc::new(Cell::new(None));
    let (tell, mut what) = (bound.clone(), Some(udp));
    world.add(Box::new(move |steps, now, input| match input {
        Input::Start => open(steps, Open::Udp(what.take().expect("once"))),
        Input::Event(Event::Opened { local, .. }) => tell.set(local.internet()),
        Input::Event(Event::Datagram(datagram)) => {
            seen.borrow_mut().push(datagram.data[0]);
            steps.done = seen.borrow().len() == 100;
            held.push(datagram.data);
            steps.wake_at = Some(now + Duration::from_millis(2));
        }
        Input::Timeout => held.clear(),
        Input::Event(event) => panic!("{event:?}"),
    }));
    world.run_until(&mut || bound.get().is_some());
    let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..100u8 {
        sender.send_to(&[n], bound.get().unwrap()).unwrap();
    }
    world.run();
    assert_eq!(*got.borrow(), (0..100).collect::<Vec<u8>>());
}
