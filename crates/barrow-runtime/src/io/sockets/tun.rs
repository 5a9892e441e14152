//! TUN and TAP devices with several queues.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::Poll;

use super::queue::{Room, Verdict};
use super::{Shared, Step};
use crate::buf::HEADROOM;
use crate::io::machine::{Event, Frame, Mode, Offload, SocketId, Tun};
use crate::io::packet::{LARGE, Packet};
use crate::io::reactor::{Direction, Reactor, Source};
use crate::sys::tun::{HEADER, Kind, open_queue, set_offload};

/// Packets read from one queue before the next one has its turn.
const BURST: usize = 32;
/// Where packets begin in large buffers: the longest frame is a little longer than 64 KiB.
const LARGE_START: usize = HEADROOM / 2;

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) queues: Vec<Queue>,
    offload: bool,
    /// The queue whose turn it is to be read.
    next: usize,
    pub(super) name: String,
}

/// One queue of a device.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) source: Source<OwnedFd>,
    pub(super) room: Room,
    outbox: VecDeque<(Offload, Packet)>,
}

impl Device {
    /// Makes the device; also a remark on what the kernel refused.
    pub(super) fn open(reactor: &Reactor, tun: &Tun) -> io::Result<(Self, Option<String>)> {
        if !(1..=256).contains(&tun.queues) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let kind = Kind {
            frames: tun.mode == Mode::Frames,
            multi_queue: tun.queues > 1,
            header: tun.offload,
        };
        let (mut queues, mut name, mut note) = (Vec::new(), tun.name.clone(), None);
        for _ in 0..tun.queues {
            let (fd, given) = open_queue(&name, kind)?;
            name = given;
            if tun.offload && !set_offload(&fd)? {
                note = Some("the kernel cuts UDP itself".to_owned());
            }
            queues.push(Queue {
                source: reactor.register(fd)?,
                room: Room::new(tun.queue, tun.when_full),
                outbox: VecDeque::new(),
            });
        }
        let device = Self {
            queues,
            offload: tun.offload,
            next: 0,
            name,
        };
        Ok((device, note))
    }

    /// Reads a burst from one queue.
    pub(super) fn receive(&mut self, id: SocketId, shared: &mut Shared) -> io::Result<Step> {
        let count = self.queues.len();
        for turn in 0..count {
            let at = (self.next + turn) % count;
            match self.receive_from(at, id, shared)? {
                Step::Idle => {}
                step => {
                    self.next = (at + 1) % count;
                    return Ok(step);
                }
            }
        }
        Ok(Step::Idle)
    }

    fn receive_from(&mut self, at: usize, id: SocketId, shared: &mut Shared) -> io::Result<Step> {
        let (len, header) = if self.offload {
            (LARGE, HEADER)
        } else {
            (1, 0)
        };
        let start = if self.offload { LARGE_START } else { HEADROOM };
        let queue = &self.queues[at];
        for n in 0..BURST {
            if !queue.source.is_ready(Direction::Read) {
                return Ok(if n > 0 { Step::More } else { Step::Idle });
            }
            let Ok(mut data) = shared.packets.alloc(len) else {
                shared.stats.no_buffer += 1;
                return Ok(Step::Starved(len));
            };
            let Some(room) = data.room_mut().map(|room| &mut room[start - header..]) else {
                return Ok(Step::Idle);
            };
            let read = |fd: &OwnedFd| rustix::io::read(fd, &mut *room);
            match queue.source.try_io(Direction::Read, read) {
                Poll::Pending => return Ok(if n > 0 { Step::More } else { Step::Idle }),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(got)) if got < header => shared.stats.cut += 1,
                Poll::Ready(Ok(got)) => {
                    let offload = match self.offload {
                        true => parse(&data.room()[start - header..start]),
                        false => Offload::default(),
                    };
                    data.set_view(start, got - header);
                    shared.stats.received += 1;
                    shared.stats.received_bytes += data.len() as u64;
                    shared.events.push_back(Event::Frame(Frame {
                        socket: id,
                        queue: at as u16,
                        offload,
                        data,
                    }));
                }
            }
        }
        Ok(Step::More)
    }

    /// Queues a packet.
    pub(super) fn queue(
        &mut self,
        queue: u16,
        offload: Offload,
        data: Packet,
        shared: &mut Shared,
    ) -> Result<(), (Verdict, Packet)> {
        let at = usize::from(queue) % self.queues.len();
        let with_header = self.offload;
        let queue = &mut self.queues[at];
        if queue.room.is_full() {
            let _ = queue.flush(with_header, shared);
        }
        match queue.room.verdict() {
            Verdict::Queue => {
                queue.room.add(1);
                queue.outbox.push_back((offload, data));
                Ok(())
            }
            verdict => Err((verdict, data)),
        }
    }

    /// Writes what is queued, as far as the kernel takes it. True when nothing is left.
    pub(super) fn flush(&mut self, id: SocketId, shared: &mut Shared) -> bool {
        let mut done = true;
        for queue in &mut self.queues {
            if queue.flush(self.offload, shared) {
                shared.events.push_back(Event::Writable { socket: id });
            }
            done &= queue.outbox.is_empty();
        }
        done
    }
}

impl Queue {
    /// True when the machine is to hear of room.
    fn flush(&mut self, with_header: bool, shared: &mut Shared) -> bool {
        let mut writable = false;
        while let Some((offload, data)) = self.outbox.front() {
            let header = emit(*offload);
            let header = &header[..if with_header { HEADER } else { 0 }];
            let pieces = [IoSlice::new(header), IoSlice::new(data)];
            let pieces = if with_header {
                &pieces[..]
            } else {
                &pieces[1..]
            };
            let write = |fd: &OwnedFd| rustix::io::writev(fd, pieces);
            match self.source.try_io(Direction::Write, write) {
                Poll::Pending => return writable,
                Poll::Ready(Ok(_)) => {
                    shared.stats.sent += 1;
                    shared.stats.sent_bytes += data.len() as u64;
                }
                // The device is down, or the packet is none: it alone is lost.
                Poll::Ready(Err(_)) => shared.stats.dropped += 1,
            }
            self.outbox.pop_front();
            writable |= self.room.remove(1);
        }
        writable
    }
}

/// Reads a virtio-net header in this machine's byte order, as TUN devices have it.
fn parse(bytes: &[u8]) -> Offload {
    let word = |at: usize| {
        bytes
            .get(at..at + 2)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u16::from_ne_bytes)
    };
    Offload {
        flags: bytes.first().copied().unwrap_or(0),
        segmentation: bytes.get(1).copied().unwrap_or(0),
        header_len: word(2),
        segment_size: word(4),
        checksum_start: word(6),
        checksum_offset: word(8),
    }
}

fn emit(offload: Offload) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[0] = offload.flags;
    bytes[1] = offload.segmentation;
    bytes[2..4].copy_from_slice(&offload.header_len.to_ne_bytes());
    bytes[4..6].copy_from_slice(&offload.segment_size.to_ne_bytes());
    bytes[6..8].copy_from_slice(&offload.checksum_start.to_ne_bytes());
    bytes[8..10].copy_from_slice(&offload.checksum_offset.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offload_headers_survive_the_kernels_form() {
        let offload = Offload {
            flags: 1,
            segmentation: 4,
            header_len: 74,
            segment_size: 1440,
            checksum_start: 40,
            checksum_offset: 16,
        };
        assert_eq!(parse(&emit(offload)), offload);
        assert_eq!(parse(&[]), Offload::default());
    }
}
