//! Streams on a simulated network: reliable, in order, within a window.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use barrow_core::Instant;

use super::state::{Arrival, Kind, Owner, RETRY, Socket, State, Transport};
use crate::io::machine::{Address, Event, SocketId, WhenFull};
use crate::io::packet::Packet;
use crate::io::sockets::{Room, Verdict};

/// Bytes that are under way or not taken yet, in each direction.
const WINDOW: usize = 256 << 10;
/// Tries before a connection is given up, a second apart and more.
const TRIES: u32 = 75;

/// Accepts.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) queue: usize,
    pub(super) when_full: WhenFull,
}

/// One end of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) peer: Option<SocketId>,
    pub(super) remote: SocketAddr,
    /// The tag that the answer is owed to, while the connection is under way.
    pub(super) pending: Option<u64>,
    pub(super) room: Room,
    outbox: VecDeque<Packet>,
    /// Bytes sent that the peer's machine has not taken.
    outstanding: usize,
    inbox: VecDeque<Packet>,
    /// When the last thing that was sent arrives: nothing overtakes it.
    last: Instant,
    pub(super) finishing: bool,
    finished: bool,
    pub(super) closing: bool,
    /// The peer's end has arrived; the machine was told.
    read_end: bool,
    told_end: bool,
}

/// What arrives at an end of a stream.
#[derive(Debug)]
pub(super) enum Step {
    /// The connection is there; who the peer is.
    Established(SocketId),
    Refused,
    Data(Packet),
    Finish,
    Reset,
    /// The peer's machine took so many bytes.
    Taken(usize),
    /// The whole step was lost so often.
    Again(Box<Self>, u32),
}

impl Stream {
    pub(super) fn new(remote: SocketAddr, room: Room) -> Self {
        Self {
            peer: None,
            remote,
            pending: None,
            room,
            outbox: VecDeque::new(),
            outstanding: 0,
            inbox: VecDeque::new(),
            last: Instant::ZERO,
            finishing: false,
            finished: false,
            closing: false,
            read_end: false,
            told_end: false,
        }
    }

    /// Queues a piece.
    pub(super) fn queue(&mut self, data: Packet) -> Result<(), (Verdict, Packet)> {
        if self.finishing || data.is_empty() {
            return Ok(());
        }
        match self.room.verdict() {
            Verdict::Queue => {
                self.room.add(data.len());
                self.outbox.push_back(data);
                Ok(())
            }
            verdict => Err((verdict, data)),
        }
    }
}

impl State {
    fn stream(&mut self, id: SocketId) -> Option<&mut Stream> {
        match &mut self.get(id)?.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// A request to connect arrives, or is lost and tried again.
    pub(super) fn connect(&mut self, from: SocketId, to: SocketAddr, tries: u32) {
        let Some(client) = self.get(from) else { return };
        let address = client.local;
        let loss = self.faults.loss;
        if self.is_cut(address.ip(), to.ip()) || self.chance(loss) {
            let now = self.now();
            if tries >= TRIES {
                return self.fail_to_open(from, io::ErrorKind::TimedOut.into());
            }
            let tries = tries + 1;
            return self.schedule(now + RETRY, Arrival::Connect { from, to, tries });
        }
        let listener = self.bound.get(&(Transport::Tcp, to)).copied();
        let accepted = listener.and_then(|listener| self.accept(listener, from, address, to));
        let step = accepted.map_or(Step::Refused, Step::Established);
        let at = self.now() + self.delay();
        self.schedule(at, Arrival::Stream { to: from, step });
    }

    fn accept(
        &mut self,
        listener: SocketId,
        from: SocketId,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<SocketId> {
        let socket = self.get(listener)?;
        let Kind::Listener(limits) = &socket.kind else {
            return None;
        };
        let mut stream = Stream::new(peer, Room::new(limits.queue, limits.when_full));
        stream.peer = Some(from);
        let owner = Owner::clone(&socket.owner);
        let socket = self.insert(&owner, local, Kind::Stream(stream));
        let peer = peer.into();
        let event = Event::Accepted {
            listener,
            socket,
            peer,
        };
        Self::tell(&owner, event);
        Some(socket)
    }

    fn fail_to_open(&mut self, id: SocketId, error: io::Error) {
        let Some(Socket {
            owner,
            kind: Kind::Stream(stream),
            ..
        }) = self.remove(id)
        else {
            return;
        };
        if let Some(tag) = stream.pending {
            Self::tell(&owner, Event::NotOpened { tag, error });
        }
    }

    /// Something arrives at an end of a stream.
    pub(super) fn step(&mut self, to: SocketId, step: Step) {
        let Some(socket) = self.get(to) else { return };
        let local = socket.local;
        let owner = Owner::clone(&socket.owner);
        let Some(stream) = self.stream(to) else {
            return;
        };
        match step {
            Step::Established(peer) => {
                stream.peer = Some(peer);
                if let Some(tag) = stream.pending.take() {
                    let local = Address::Internet(local);
                    let event = Event::Opened {
                        tag,
                        socket: to,
                        local,
                        note: None,
                    };
                    Self::tell(&owner, event);
                }
            }
            Step::Refused => self.fail_to_open(to, io::ErrorKind::ConnectionRefused.into()),
            Step::Data(data) => {
                stream.inbox.push_back(data);
                self.ready(to);
            }
            Step::Finish => {
                stream.read_end = true;
                self.ready(to);
            }
            Step::Taken(bytes) => {
                stream.outstanding = stream.outstanding.saturating_sub(bytes);
                self.pump(to);
            }
            Step::Reset => {
                self.remove(to);
                let result = Err(io::ErrorKind::ConnectionReset.into());
                Self::tell(&owner, Event::Closed { socket: to, result });
            }
            Step::Again(step, tries) => {
                let remote = stream.remote;
                if !self.is_cut(local.ip(), remote.ip()) {
                    self.step(to, *step);
                } else if tries >= TRIES {
                    self.step(to, Step::Reset);
                } else {
                    let at = self.now() + RETRY;
                    let step = Step::Again(step, tries + 1);
                    self.schedule(at, Arrival::Stream { to, step });
                }
            }
        }
    }

    /// Sends a step to the peer, behind all earlier ones. What is lost comes later.
    fn tell_peer(&mut self, id: SocketId, step: Step) {
        let loss = self.faults.loss;
        let mut delay = self.delay();
        while self.chance(loss.min(0.9)) {
            delay += RETRY;
        }
        let at = self.now() + delay;
        let Some(stream) = self.stream(id) else {
            return;
        };
        let Some(to) = stream.peer else { return };
        let at = at.max(stream.last);
        let (local, remote) = (self.get(id).map(|socket| socket.local), self.remote(id));
        let cut = local
            .zip(remote)
            .is_some_and(|(a, b)| self.is_cut(a.ip(), b.ip()));
        let at = if cut { at + RETRY } else { at };
        if let Some(stream) = self.stream(id) {
            stream.last = at;
        }
        let step = Step::Again(Box::new(step), 0);
        self.schedule(at, Arrival::Stream { to, step });
    }

    fn remote(&mut self, id: SocketId) -> Option<SocketAddr> {
        self.stream(id).map(|stream| stream.remote)
    }

    /// Sends what the window allows, then the end, then closes.
    pub(super) fn pump(&mut self, id: SocketId) {
        let mut writable = false;
        while let Some(stream) = self.stream(id)
            && stream.pending.is_none()
            && stream.outstanding < WINDOW
            && let Some(data) = stream.outbox.pop_front()
        {
            stream.outstanding += data.len();
            writable |= stream.room.remove(data.len());
            self.tell_peer(id, Step::Data(data));
        }
        let Some(stream) = self.stream(id) else {
            return;
        };
        let drained = stream.outbox.is_empty();
        let finish = drained && stream.finishing && !stream.finished;
        stream.finished |= finish;
        let closing = drained && stream.closing;
        if finish {
            self.tell_peer(id, Step::Finish);
        }
        if let Some(owner) = self.get(id).map(|socket| Owner::clone(&socket.owner)) {
            if writable {
                Self::tell(&owner, Event::Writable { socket: id });
            }
            // A machine that waits for room tries again.
            owner.borrow().waker.wake_by_ref();
        }
        if closing {
            self.end(id);
        } else {
            self.end_if_over(id);
        }
    }

    /// Takes a piece out of a stream, or its end.
    pub(super) fn take_piece(&mut self, id: SocketId) -> Option<Event<Infallible>> {
        if self.get(id)?.paused {
            return None;
        }
        let stream = self.stream(id)?;
        if let Some(data) = stream.inbox.pop_front() {
            self.ready(id);
            self.tell_peer(id, Step::Taken(data.len()));
            return Some(Event::Received { socket: id, data });
        }
        if stream.read_end && !std::mem::replace(&mut stream.told_end, true) {
            self.ready(id);
            return Some(Event::Finished { socket: id });
        }
        self.end_if_over(id);
        None
    }

    fn end_if_over(&mut self, id: SocketId) {
        if self
            .stream(id)
            .is_some_and(|stream| stream.finished && stream.told_end)
        {
            self.end(id);
        }
    }

    /// The socket is gone, as its machine wished.
    fn end(&mut self, id: SocketId) {
        if let Some(socket) = self.remove(id) {
            let (socket, owner) = (id, socket.owner);
            Self::tell(
                &owner,
                Event::Closed {
                    socket,
                    result: Ok(()),
                },
            );
        }
    }

    /// The socket is gone, and its peer hears so.
    pub(super) fn reset(&mut self, id: SocketId) {
        self.tell_peer(id, Step::Reset);
        self.end(id);
    }

    /// The machine is gone: its streams are reset, its other sockets just end.
    pub(super) fn abandon(&mut self, owner: &Owner) {
        let owned: Vec<_> = self
            .sockets
            .iter()
            .filter(|(_, socket)| Owner::ptr_eq(&socket.owner, owner))
            .map(|(_, socket)| socket.id)
            .collect();
        for id in owned {
            let over = self
                .stream(id)
                .is_none_or(|stream| stream.finished && stream.inbox.is_empty());
            if !over {
                self.tell_peer(id, Step::Reset);
            }
            self.remove(id);
        }
    }
}
