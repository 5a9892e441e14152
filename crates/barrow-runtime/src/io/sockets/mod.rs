//! The kernel's sockets, as one machine uses them.
//!
//! [`Sockets`] is a [`Network`] over a [`Reactor`]. It looks only at what has had an edge (a list
//! that wakers fill), takes one batch of one socket at a time, and goes round, so that a busy socket
//! costs the others a batch and no more. Datagrams go in and out by `recvmmsg` and `sendmmsg`, with
//! segmentation and joining by the kernel where it can; what is sent is gathered until the events
//! that are at hand are worked off.
//!
//! It dies with its machine; what the kernel does not take at once is lost then. A machine that minds
//! closes its sockets and waits for [`Event::Closed`].

mod datagram;
mod listener;
mod open;
mod queue;
mod ready;
mod stream;
mod tun;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Poll, Waker};

use rustix::io::Errno;
use slab::Slab;

use self::datagram::{Datagrams, refused};
use self::listener::{Accepted, Listener};
pub(super) use self::queue::{Room, Verdict};
use self::ready::{Mark, Ready};
use self::stream::{Flushed, Stream};
use self::tun::Device;
use super::machine::{Action, Address, Event, Network, SocketId};
use super::packet::{Packet, Packets};
use super::reactor::{Direction, Reactor, Source};
use crate::signal::Signals;
use crate::sys::mmsg::{Receiver, Sender};

/// What went through the sockets of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams, frames and pieces of streams taken in.
    pub received: u64,
    /// Bytes taken in.
    pub received_bytes: u64,
    /// Datagrams and frames sent, and calls that wrote to streams.
    pub sent: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Dropped for a full queue, or because the kernel refused it.
    pub dropped: u64,
    /// Datagrams longer than a buffer: lost.
    pub cut: u64,
    /// Errors of sockets that live on.
    pub failed: u64,
    /// Times there was no buffer to receive into; the kernel kept what came.
    pub no_buffer: u64,
    /// Connections turned away for lack of descriptors.
    pub turned_away: u64,
}

/// The kernel's sockets of one machine. See the [module](self).
pub struct Sockets {
    reactor: Reactor,
    slots: Slab<Slot>,
    generation: u32,
    ready: Arc<Ready>,
    waker: Waker,
    /// Slots to look at, in order.
    turn: VecDeque<u32>,
    /// Slots with something to send.
    dirty: Vec<u32>,
    shared: Shared,
}

/// What the slots work with.
struct Shared {
    packets: Packets,
    events: VecDeque<Event<Infallible>>,
    receiver: Receiver,
    sender: Sender,
    /// Buffers in reserve for the next batch.
    spare: Vec<Packet>,
    spare_large: Vec<Packet>,
    stats: Stats,
}

#[derive(Debug)]
struct Slot {
    id: SocketId,
    mark: Arc<Mark>,
    kind: Kind,
    /// The connection is still under way; the answer is owed to this tag.
    pending: Option<u64>,
    paused: bool,
    closing: bool,
    dirty: bool,
}

#[derive(Debug)]
enum Kind {
    Datagrams(Datagrams),
    Stream(Stream),
    Listener(Listener),
    Device(Device),
    Signals(Signals),
}

/// How one step of receiving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing more until the next edge.
    Idle,
    /// There may be more.
    More,
    /// No buffer of this length was free.
    Starved(usize),
}

impl Sockets {
    /// Sockets on this reactor, with buffers from these pools.
    #[must_use]
    pub fn new(reactor: &Reactor, packets: Packets) -> Self {
        Self {
            reactor: reactor.clone(),
            slots: Slab::new(),
            generation: 0,
            ready: Ready::new(),
            waker: Waker::noop().clone(),
            turn: VecDeque::new(),
            dirty: Vec::new(),
            shared: Shared {
                packets,
                events: VecDeque::new(),
                receiver: Receiver::new(),
                sender: Sender::new(),
                spare: Vec::new(),
                spare_large: Vec::new(),
                stats: Stats::default(),
            },
        }
    }

    /// What went through so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats
    }

    /// Sockets that are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Name of a TUN or TAP device, which the kernel may have completed.
    #[must_use]
    pub fn device_name(&self, socket: SocketId) -> Option<&str> {
        match &self.slot(socket)?.kind {
            Kind::Device(device) => Some(&device.name),
            _ => None,
        }
    }

    fn slot(&self, id: SocketId) -> Option<&Slot> {
        self.slots
            .get(id.index as usize)
            .filter(|slot| slot.id == id)
    }

    fn slot_mut(&mut self, id: SocketId) -> Option<&mut Slot> {
        self.slots
            .get_mut(id.index as usize)
            .filter(|slot| slot.id == id)
    }

    fn insert(&mut self, kind: Kind, pending: Option<u64>) -> SocketId {
        self.generation = self.generation.wrapping_add(1);
        let entry = self.slots.vacant_entry();
        let index = u32::try_from(entry.key()).expect("fewer sockets than descriptors");
        let id = SocketId {
            index,
            generation: self.generation,
        };
        let mark = Mark::new(index, &self.ready);
        kind.watch(&mark.waker());
        entry.insert(Slot {
            id,
            mark,
            kind,
            pending,
            paused: false,
            closing: false,
            dirty: false,
        });
        // It counts as ready: the first look finds out.
        self.turn.push_back(index);
        id
    }

    /// Removes a slot and says so.
    fn close(&mut self, id: SocketId, result: io::Result<()>) {
        self.slots.remove(id.index as usize);
        self.shared
            .events
            .push_back(Event::Closed { socket: id, result });
    }

    fn open(&mut self, tag: u64, open: super::machine::Open) {
        match open::open(&self.reactor, &self.shared.packets, open) {
            Ok(opened) if opened.pending => {
                self.insert(opened.kind, Some(tag));
            }
            Ok(opened) => {
                let socket = self.insert(opened.kind, None);
                self.shared.events.push_back(Event::Opened {
                    tag,
                    socket,
                    local: opened.local,
                    note: opened.note,
                });
            }
            Err(error) => self.not_opened(tag, error),
        }
    }

    fn not_opened(&mut self, tag: u64, error: io::Error) {
        self.shared
            .events
            .push_back(Event::NotOpened { tag, error });
    }

    fn cancel(&mut self, tag: u64) {
        let pending = self
            .slots
            .iter()
            .find(|(_, slot)| slot.pending == Some(tag));
        if let Some((index, _)) = pending {
            self.slots.remove(index);
            self.not_opened(tag, Errno::INTR.into());
        }
    }

    /// A connection that is under way: is it there?
    fn settle(&mut self, index: u32, tag: u64) {
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        let Kind::Stream(stream) = &slot.kind else {
            return;
        };
        match stream.connected() {
            Poll::Pending => {}
            Poll::Ready(Err(error)) => {
                self.slots.remove(index as usize);
                self.not_opened(tag, error);
            }
            Poll::Ready(Ok(())) => {
                slot.pending = None;
                let local = open::local(&stream.source).unwrap_or(Address::Unnamed);
                self.shared.events.push_back(Event::Opened {
                    tag,
                    socket: slot.id,
                    local,
                    note: None,
                });
                self.turn.push_back(index);
            }
        }
    }

    /// Looks at one slot: sends what waits, takes one batch in.
    fn look(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        slot.mark.lower();
        if let Some(tag) = slot.pending {
            return self.settle(index, tag);
        }
        self.send(index);
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        if slot.paused || slot.closing {
            return;
        }
        let id = slot.id;
        let step = match &mut slot.kind {
            Kind::Datagrams(datagrams) => Ok(datagrams.receive(id, &mut self.shared)),
            Kind::Stream(stream) => stream.receive(id, &mut self.shared),
            Kind::Device(device) => device.receive(id, &mut self.shared),
            Kind::Signals(signals) => {
                while let Poll::Ready(signal) = signals.try_next() {
                    self.shared.events.push_back(Event::Signal(signal));
                }
                Ok(Step::Idle)
            }
            Kind::Listener(listener) => {
                let accepted = listener.accept();
                Ok(self.accepted(id, accepted))
            }
        };
        match step {
            Ok(Step::Idle) => self.end_if_over(id),
            Ok(Step::More) => self.turn.push_back(index),
            Ok(Step::Starved(len)) => {
                self.shared.packets.wait(&slot_waker(&self.slots, index));
                // What was freed before that woke nobody.
                if self.shared.packets.alloc(len).is_ok() {
                    self.turn.push_back(index);
                }
            }
            Err(error) => self.close(id, Err(error)),
        }
    }

    fn accepted(&mut self, listener: SocketId, accepted: Accepted) -> Step {
        match accepted {
            Accepted::Nothing => return Step::Idle,
            Accepted::Stream(source, room, peer) => {
                let socket = self.insert(Kind::Stream(Stream::new(source, room)), None);
                self.shared.events.push_back(Event::Accepted {
                    listener,
                    socket,
                    peer,
                });
            }
            Accepted::TurnedAway(error) => {
                self.shared.stats.turned_away += 1;
                self.shared.events.push_back(Event::Failed {
                    socket: listener,
                    error,
                });
            }
        }
        Step::More
    }

    /// A stream that has ended in both directions is closed.
    fn end_if_over(&mut self, id: SocketId) {
        if let Some(slot) = self.slot(id)
            && let Kind::Stream(stream) = &slot.kind
            && stream.is_over()
        {
            self.close(id, Ok(()));
        }
    }

    /// Sends what waits in one slot, as far as the kernel takes it.
    fn send(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        if slot.pending.is_some() {
            return;
        }
        slot.dirty = false;
        let id = slot.id;
        let flushed = match &mut slot.kind {
            Kind::Datagrams(datagrams) => {
                datagrams.flush(id, &mut self.shared);
                datagrams.is_flushed(slot.closing)
            }
            Kind::Device(device) => device.flush(id, &mut self.shared),
            Kind::Stream(stream) => match stream.flush(id, &mut self.shared) {
                Flushed::Waiting => false,
                Flushed::All => true,
                Flushed::Broken(error) => return self.close(id, Err(error)),
            },
            Kind::Listener(_) | Kind::Signals(_) => true,
        };
        if flushed && slot.closing {
            if let Kind::Stream(stream) = &mut slot.kind {
                stream.discard();
            }
            self.close(id, Ok(()));
        } else if flushed {
            self.end_if_over(id);
        }
    }

    fn flush(&mut self) {
        while let Some(index) = self.dirty.pop() {
            self.send(index);
        }
    }

    fn soil(&mut self, id: SocketId) {
        if let Some(slot) = self.slot_mut(id)
            && !std::mem::replace(&mut slot.dirty, true)
        {
            self.dirty.push(id.index);
        }
    }

    fn send_action(&mut self, action: Action<Infallible>) -> Result<(), Action<Infallible>> {
        let Action::Send {
            socket,
            to,
            segment,
            data,
        } = action
        else {
            return Err(action);
        };
        let shared = &mut self.shared;
        let slot = self
            .slots
            .get_mut(socket.index as usize)
            .filter(|slot| slot.id == socket && !slot.closing);
        let Some(slot) = slot else {
            return Ok(());
        };
        let (verdict, to, data) = match &mut slot.kind {
            Kind::Datagrams(datagrams) => match datagrams.queue(to, segment, data, shared) {
                Ok(()) => {
                    if datagrams.is_batch() {
                        datagrams.flush(socket, shared);
                    }
                    self.soil(socket);
                    return Ok(());
                }
                Err(refused) => refused,
            },
            Kind::Stream(stream) => {
                if stream.room.is_full()
                    && let Flushed::Broken(error) = stream.flush(socket, shared)
                {
                    self.close(socket, Err(error));
                    return Ok(());
                }
                match stream.queue(data) {
                    Ok(()) => {
                        self.soil(socket);
                        return Ok(());
                    }
                    Err((verdict, data)) => (verdict, to, data),
                }
            }
            // Nothing else takes payloads like this.
            _ => return Ok(()),
        };
        if verdict == Verdict::Wait {
            return Err(Action::Send {
                socket,
                to,
                segment,
                data,
            });
        }
        let event = refused(verdict, socket, data, &mut self.shared);
        self.shared.events.extend(event);
        Ok(())
    }

    fn frame_action(&mut self, action: Action<Infallible>) -> Result<(), Action<Infallible>> {
        let Action::Frame {
            socket,
            queue,
            offload,
            data,
        } = action
        else {
            return Err(action);
        };
        let slot = self.slots.get_mut(socket.index as usize);
        let Some(Kind::Device(device)) = slot
            .filter(|slot| slot.id == socket && !slot.closing)
            .map(|slot| &mut slot.kind)
        else {
            return Ok(());
        };
        match device.queue(queue, offload, data, &mut self.shared) {
            Ok(()) => self.soil(socket),
            Err((Verdict::Wait, data)) => {
                return Err(Action::Frame {
                    socket,
                    queue,
                    offload,
                    data,
                });
            }
            Err((verdict, data)) => {
                let event = refused(verdict, socket, data, &mut self.shared);
                self.shared.events.extend(event);
            }
        }
        Ok(())
    }
}

fn slot_waker(slots: &Slab<Slot>, index: u32) -> Waker {
    slots
        .get(index as usize)
        .map_or_else(|| Waker::noop().clone(), |slot| slot.mark.waker())
}

impl Network for Sockets {
    fn next_event(&mut self) -> Option<Event<Infallible>> {
        loop {
            if let Some(event) = self.shared.events.pop_front() {
                return Some(event);
            }
            self.flush();
            if !self.shared.events.is_empty() {
                continue;
            }
            self.ready.take(&mut self.turn);
            let Some(index) = self.turn.pop_front() else {
                self.shared.packets.audit();
                return None;
            };
            self.look(index);
        }
    }

    fn act(&mut self, action: Action<Infallible>) -> Result<(), Action<Infallible>> {
        match action {
            Action::Message(never) => match never {},
            Action::Open { tag, open } => self.open(tag, open),
            Action::Cancel { tag } => self.cancel(tag),
            Action::Send { .. } => return self.send_action(action),
            Action::Frame { .. } => return self.frame_action(action),
            Action::Finish { socket } => {
                if let Some(slot) = self.slot_mut(socket)
                    && let Kind::Stream(stream) = &mut slot.kind
                {
                    stream.finish();
                    self.soil(socket);
                }
            }
            Action::Close { socket } => {
                if let Some(slot) = self.slot_mut(socket) {
                    slot.closing = true;
                    if let Kind::Stream(stream) = &mut slot.kind {
                        stream.finish();
                    }
                    self.soil(socket);
                }
            }
            Action::Abort { socket } => {
                if let Some(slot) = self.slot(socket) {
                    if let Kind::Stream(stream) = &slot.kind {
                        stream.abort();
                    }
                    self.close(socket, Ok(()));
                }
            }
            Action::Pause { socket } => {
                if let Some(slot) = self.slot_mut(socket) {
                    slot.paused = true;
                }
            }
            Action::Resume { socket } => {
                if let Some(slot) = self.slot_mut(socket) {
                    slot.paused = false;
                    self.turn.push_back(socket.index);
                }
            }
        }
        Ok(())
    }

    fn register(&mut self, waker: &Waker) {
        if !self.waker.will_wake(waker) {
            self.waker.clone_from(waker);
            self.ready.register(waker);
        }
    }
}

impl Drop for Sockets {
    /// What the kernel takes at once is sent; the rest is lost.
    fn drop(&mut self) {
        self.flush();
    }
}

impl Kind {
    /// Has every edge wake `waker`.
    fn watch(&self, waker: &Waker) {
        let both = |source: &Source<OwnedFd>| {
            source.watch(Direction::Read, Some(waker));
            source.watch(Direction::Write, Some(waker));
        };
        match self {
            Self::Datagrams(datagrams) => datagrams.watch(waker),
            Self::Stream(stream) => both(&stream.source),
            Self::Listener(listener) => both(listener.source()),
            Self::Device(device) => device.queues.iter().for_each(|queue| both(&queue.source)),
            Self::Signals(signals) => signals.watch(waker),
        }
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets")
            .field("slots", &self.slots)
            .field("stats", &self.shared.stats)
            .finish_non_exhaustive()
    }
}
