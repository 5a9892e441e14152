//! UDP and UNIX datagram sockets on a readiness reactor.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::task::{Poll, Waker};

use rustix::io::Errno;

use super::queue::{Room, Verdict};
use super::{Shared, Step};
use crate::buf::HEADROOM;
use crate::io::machine::{Address, Datagram, Event, SocketId, To};
use crate::io::packet::{LARGE, Packet, Packets};
use crate::io::reactor::{Direction, Source};
use crate::io::uring;
use crate::sys::mmsg::{BATCH, Outgoing};
use crate::sys::name::Control;

/// Datagrams received at once into large buffers.
const LARGE_BATCH: usize = 8;
/// The kernel cuts a payload into so many datagrams at most (`UDP_MAX_SEGMENTS` before Linux 6.9),
const SEGMENTS: usize = 64;
/// and takes so many bytes for it.
const SEGMENTED: usize = 65_000;

/// A datagram socket.
#[derive(Debug)]
pub(super) struct Datagrams {
    /// Dropped before the descriptor.
    ring: Option<Through>,
    pub(super) source: Source<OwnedFd>,
    pub(super) room: Room,
    outbox: VecDeque<Out>,
    /// The longest datagram that is taken in, or large batches.
    large: bool,
    /// The kernel cuts payloads; off for good once a device refuses.
    segmentation: bool,
    /// How many datagrams to expect: twice what came last.
    expect: usize,
    _place: Option<Unlink>,
}

/// The way through a ring.
#[derive(Debug)]
struct Through {
    receiver: uring::Receiver,
    sender: uring::Sender,
    done: Vec<uring::Done>,
}

/// Something to send; `sent` bytes of it are gone.
#[derive(Debug)]
struct Out {
    to: Option<Address>,
    segment: Option<NonZeroU16>,
    data: Packet,
    sent: usize,
}

/// The path of a UNIX datagram socket; removed when dropped.
#[derive(Debug)]
pub(super) struct Unlink(pub(super) PathBuf);

impl Drop for Unlink {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Datagrams {
    pub(super) fn new(
        source: Source<OwnedFd>,
        room: Room,
        large: bool,
        place: Option<Unlink>,
    ) -> Self {
        Self {
            ring: None,
            source,
            room,
            outbox: VecDeque::new(),
            large,
            segmentation: true,
            expect: 4,
            _place: place,
        }
    }

    /// Goes through the reactor's ring from now on, if it has one and the kernel can.
    pub(super) fn use_ring(&mut self, packets: &Packets) -> io::Result<()> {
        if let Some(ring) = self.source.reactor().ring() {
            self.source.detach();
            self.ring = Some(Through {
                receiver: uring::Receiver::new(ring, self.large, packets)?,
                sender: uring::Sender::new(ring),
                done: Vec::new(),
            });
        }
        Ok(())
    }

    pub(super) fn watch(&self, waker: &Waker) {
        match &self.ring {
            Some(through) => {
                through.receiver.watch(waker);
                through.sender.watch(waker);
            }
            None => {
                self.source.watch(Direction::Read, Some(waker));
                self.source.watch(Direction::Write, Some(waker));
            }
        }
    }

    /// Receives one batch.
    pub(super) fn receive(&mut self, id: SocketId, shared: &mut Shared) -> Step {
        if let Some(through) = &mut self.ring {
            return through.receive(&self.source, id, shared);
        }
        let most = if self.large { LARGE_BATCH } else { BATCH };
        let want = self.expect.clamp(4.min(most), most);
        let spare = if self.large {
            &mut shared.spare_large
        } else {
            &mut shared.spare
        };
        let mut spare = std::mem::take(spare);
        let len = if self.large { LARGE } else { 1 };
        while spare.len() < want {
            match shared.packets.alloc(len) {
                Ok(packet) => spare.push(packet),
                Err(_) => break,
            }
        }
        if spare.is_empty() {
            shared.stats.no_buffer += 1;
            return Step::Starved(len);
        }
        let step = self.receive_into(&mut spare, want, id, shared);
        // What was not filled is for the next batch.
        if self.large {
            shared.spare_large = spare;
        } else {
            shared.spare = spare;
        }
        step
    }

    fn receive_into(
        &mut self,
        spare: &mut Vec<Packet>,
        want: usize,
        id: SocketId,
        shared: &mut Shared,
    ) -> Step {
        let count = want.min(spare.len());
        let receiver = &mut shared.receiver;
        let received = self.source.try_io(Direction::Read, |fd| {
            // Spare packets are never shared.
            let rooms = spare[..count]
                .iter_mut()
                .filter_map(|packet| Some(&mut packet.room_mut()?[HEADROOM..]));
            receiver.receive(fd, rooms)
        });
        match received {
            Poll::Pending => Step::Idle,
            Poll::Ready(Err(error)) => {
                shared.stats.failed += 1;
                shared.events.push_back(Event::Failed { socket: id, error });
                Step::More
            }
            Poll::Ready(Ok(n)) => {
                for (i, mut data) in spare.drain(..n).enumerate() {
                    let got = shared.receiver.received(i);
                    if got.cut {
                        shared.stats.cut += 1;
                        let error = Errno::MSGSIZE.into();
                        shared.events.push_back(Event::Failed { socket: id, error });
                        continue;
                    }
                    data.set_view(HEADROOM, got.len);
                    shared.take_in(id, got.from, &got.control, data);
                }
                self.expect = 2 * n;
                if n < count {
                    // There was nothing more at that moment.
                    self.source.clear_ready(Direction::Read);
                    return Step::Idle;
                }
                Step::More
            }
        }
    }

    /// Queues a payload for one or many.
    pub(super) fn queue(
        &mut self,
        to: To,
        segment: Option<NonZeroU16>,
        mut data: Packet,
        shared: &mut Shared,
    ) -> Result<(), (Verdict, To, Packet)> {
        if self.room.is_full() {
            // There may be room in the kernel. Not more than one call: errors have their turn later.
            match self.ring {
                Some(_) => self.hand_over(shared),
                None => drop(self.flush_some(shared)),
            }
        }
        match self.room.verdict() {
            Verdict::Queue => {}
            verdict => return Err((verdict, to, data)),
        }
        let segment = segment.filter(|segment| usize::from(segment.get()) < data.len());
        let mut push = |to, data| {
            self.outbox.push_back(Out {
                to,
                segment,
                data,
                sent: 0,
            });
        };
        match to {
            To::Peer => push(None, data),
            To::One(address) => push(Some(address), data),
            To::Many(addresses) => {
                for address in addresses {
                    push(Some(address), data.share());
                    self.room.add(1);
                }
                return Ok(());
            }
        }
        self.room.add(1);
        Ok(())
    }

    /// Whether everything has been sent. `closing`: the waker is woken when it has.
    pub(super) fn is_flushed(&self, closing: bool) -> bool {
        let idle = |through: &Through| !closing || through.sender.is_idle();
        self.outbox.is_empty() && self.ring.as_ref().is_none_or(idle)
    }

    /// As many datagrams wait as one call takes.
    pub(super) fn is_batch(&self) -> bool {
        self.outbox.len() >= BATCH
    }

    /// Sends what is queued, as far as the kernel takes it.
    pub(super) fn flush(&mut self, id: SocketId, shared: &mut Shared) {
        if self.ring.is_some() {
            return self.flush_ring(id, shared);
        }
        while !self.outbox.is_empty() {
            match self.flush_some(shared) {
                Poll::Pending => return,
                Poll::Ready(Ok(writable)) => {
                    if writable {
                        shared.events.push_back(Event::Writable { socket: id });
                    }
                }
                Poll::Ready(Err(error)) => {
                    shared.events.push_back(Event::Failed { socket: id, error });
                }
            }
        }
        self.source.relax_write();
    }

    /// Hears how sends ended, then hands over what waits.
    fn flush_ring(&mut self, id: SocketId, shared: &mut Shared) {
        let Some(through) = &mut self.ring else {
            return;
        };
        let mut done = std::mem::take(&mut through.done);
        through.sender.take_done(&mut done);
        for done in done.drain(..) {
            match (done.result, done.refused) {
                (Ok(bytes), _) => shared.stats.sent_bytes += bytes as u64,
                // Not every device cuts, and not every size is cut: then we do.
                (Err(_), Some((to, segment, data))) if self.segmentation => {
                    self.segmentation = false;
                    self.outbox.push_front(Out {
                        to,
                        segment: Some(segment),
                        data,
                        sent: 0,
                    });
                }
                (Err(errno), _) => {
                    shared.stats.dropped += 1;
                    let error = errno.into();
                    shared.events.push_back(Event::Failed { socket: id, error });
                }
            }
        }
        if let Some(through) = &mut self.ring {
            through.done = done;
        }
        let before = self.room;
        self.hand_over(shared);
        if before.was_refused() && !self.room.was_refused() {
            shared.events.push_back(Event::Writable { socket: id });
        }
    }

    /// Notes requests for what waits, as many as the ring takes.
    fn hand_over(&mut self, shared: &mut Shared) {
        let Some(through) = &self.ring else {
            return;
        };
        while let Some(out) = self.outbox.front_mut() {
            if !through.sender.has_room() {
                return;
            }
            let piece = out.piece(self.segmentation);
            let left = out.data.len() - out.sent;
            let whole = out.sent == 0 && left <= piece;
            let segment = out.segment.filter(|segment| {
                self.segmentation && usize::from(segment.get()) < left.min(piece)
            });
            let (to, count) = (out.to.clone(), out.count(left.min(piece)));
            if whole && let Some(out) = self.outbox.pop_front() {
                through.sender.send(&*self.source, to, segment, out.data);
                let _ = self.room.remove(1);
            } else if let Some(out) = self.outbox.front_mut() {
                let mut part = out.data.share();
                part.advance(out.sent);
                part.truncate(piece);
                out.sent += part.len();
                let over = out.sent >= out.data.len();
                through.sender.send(&*self.source, to, segment, part);
                if over {
                    self.outbox.pop_front();
                    let _ = self.room.remove(1);
                }
            }
            shared.stats.sent += count;
        }
    }

    /// One call; true when the machine is to hear of room.
    fn flush_some(&mut self, shared: &mut Shared) -> Poll<io::Result<bool>> {
        let segmentation = self.segmentation;
        let (sender, outbox) = (&mut shared.sender, &self.outbox);
        let sent = self.source.try_io(Direction::Write, |fd| {
            sender.send(fd, outbox.iter().flat_map(|out| out.pieces(segmentation)))
        });
        match sent {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(n)) => Poll::Ready(Ok(self.sent(n, shared))),
            Poll::Ready(Err(error)) => self.not_sent(error, shared),
        }
    }

    /// The kernel took `n` pieces.
    fn sent(&mut self, n: usize, shared: &mut Shared) -> bool {
        let mut writable = false;
        for _ in 0..n {
            let Some(out) = self.outbox.front_mut() else {
                break;
            };
            let len = out.piece(self.segmentation).min(out.data.len() - out.sent);
            out.sent += len;
            shared.stats.sent_bytes += len as u64;
            shared.stats.sent += out.count(len);
            if out.sent >= out.data.len() {
                self.outbox.pop_front();
                writable |= self.room.remove(1);
            }
        }
        writable
    }

    /// The kernel refused the first piece.
    fn not_sent(&mut self, error: io::Error, shared: &mut Shared) -> Poll<io::Result<bool>> {
        let segmented = self.outbox.front().is_some_and(|out| out.segment.is_some());
        match Errno::from_io_error(&error) {
            // Not every device cuts (EIO), and not every size is cut (EINVAL): then we do.
            Some(Errno::IO | Errno::INVAL) if segmented && self.segmentation => {
                self.segmentation = false;
                Poll::Ready(Ok(false))
            }
            // What a peer said to an earlier datagram; this one was not tried.
            Some(Errno::CONNREFUSED | Errno::HOSTUNREACH) => {
                shared.stats.failed += 1;
                Poll::Ready(Err(error))
            }
            _ => {
                shared.stats.dropped += 1;
                self.outbox.pop_front();
                let _ = self.room.remove(1);
                Poll::Ready(Err(error))
            }
        }
    }
}

impl Through {
    /// Takes what the ring has received, one batch.
    fn receive(&mut self, source: &Source<OwnedFd>, id: SocketId, shared: &mut Shared) -> Step {
        for _ in 0..BATCH {
            match self.receiver.next() {
                Some(Ok(taken)) if taken.cut => {
                    shared.stats.cut += 1;
                    let error = Errno::MSGSIZE.into();
                    shared.events.push_back(Event::Failed { socket: id, error });
                }
                Some(Ok(taken)) => {
                    shared.take_in(id, taken.from, &taken.control, taken.data);
                }
                Some(Err(error)) => {
                    shared.stats.failed += 1;
                    shared.events.push_back(Event::Failed { socket: id, error });
                }
                None => {
                    self.receiver.refill();
                    if self.receiver.arm(&**source) {
                        return Step::Idle;
                    }
                    shared.stats.no_buffer += 1;
                    return Step::Starved(self.receiver.packet_len());
                }
            }
        }
        self.receiver.refill();
        Step::More
    }
}

impl Shared {
    /// A datagram, or a run of them, has come.
    fn take_in(&mut self, socket: SocketId, from: Address, control: &Control, data: Packet) {
        let datagram = Datagram {
            socket,
            from,
            local: control.local,
            // One alone is told as one.
            segment: control
                .segment
                .filter(|segment| usize::from(segment.get()) < data.len()),
            data,
        };
        self.stats.received += datagram.count() as u64;
        self.stats.received_bytes += datagram.data.len() as u64;
        self.events.push_back(Event::Datagram(datagram));
    }
}

impl Out {
    /// Datagrams in so many bytes of it.
    fn count(&self, len: usize) -> u64 {
        self.segment
            .map_or(1, |segment| len.div_ceil(usize::from(segment.get())) as u64)
    }

    /// Bytes in each call.
    fn piece(&self, segmentation: bool) -> usize {
        match self.segment.map(|segment| usize::from(segment.get())) {
            None => usize::MAX,
            Some(size) if segmentation => size * (SEGMENTED / size).clamp(1, SEGMENTS),
            Some(size) => size,
        }
    }

    /// What is left, in pieces that the kernel takes.
    fn pieces(&self, segmentation: bool) -> impl Iterator<Item = Outgoing<'_>> {
        let piece = self.piece(segmentation);
        let rest = &self.data.bytes()[self.sent..];
        let segment = self.segment.filter(|_| segmentation);
        let empty = rest.is_empty().then_some(rest);
        rest.chunks(piece).chain(empty).map(move |data| Outgoing {
            to: self.to.as_ref(),
            segment: segment.filter(|segment| usize::from(segment.get()) < data.len()),
            data,
        })
    }
}

/// What a machine hears of a packet that was not queued.
pub(super) fn refused(
    verdict: Verdict,
    socket: SocketId,
    data: Packet,
    shared: &mut Shared,
) -> Option<Event<Infallible>> {
    match verdict {
        Verdict::Refuse => Some(Event::Refused { socket, data }),
        _ => {
            shared.stats.dropped += 1;
            None
        }
    }
}
