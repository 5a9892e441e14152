//! The input node of devices behind a descriptor: `virtio-input` and `af-packet-input`.
//!
//! One instance a thread, which holds the receive queues that are placed there. A queue is read until it
//! is empty, over as many calls as that takes, at most [`BURST`] frames at a time, so that no queue starves
//! another.

use super::inbox::Room;
use super::{Inbox, VirtioNetHeader};
use crate::ethernet::trace::FrameTrace;
use crate::interface::{Combined, InterfaceRows, InterfaceWords, Simple, SwIfIndex};
use barrow_engine::{
    ArcHandle, Buffer, BufferExt, ErrorCounters, Frame, InputContext, InputNode, NextNodes, Polled,
};
use std::fmt;
use std::io;

/// Frames of one queue in one call.
const BURST: usize = 256;
/// Where frames come from; the device's end of one receive queue.
pub(crate) trait FrameSource: Send + 'static {
    /// What frames begin with.
    /// The next frame as a packet, and what its header said; `None` for one that no buffer was there for.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; anything else counts as a frame in error, with others behind it that
    /// are to be read without waiting when it is `Interrupted`.
    fn receive(&mut self, inbox: &mut Inbox<'_>) -> io::Result<Option<(Buffer, VirtioNetHeader)>>;

    /// Frames that the kernel had no room for since this was asked last.
    fn missed(&mut self) -> u64 {
        0
    }

    /// What the frames of this queue begin with.
    fn frames(&self) -> Frames {
        Frames::Ethernet
    }
}

/// What frames begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frames {
    /// An Ethernet header.
    Ethernet,
    /// An IPv4 header: a link without link headers.
    Ip4,
}

/// A receive queue on the thread that serves it.
pub(crate) struct RxQueue<S> {
    /// The interface that its frames come in on.
    pub(crate) interface: SwIfIndex,
    /// Its number on the device.
    pub(crate) queue: u32,
    /// The device.
    pub(crate) source: S,
}

/// Where frames go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum Next {
    #[next_node = "ethernet-input"]
    Ethernet,
    #[next_node = "ip4-input"]
    Ip4,
}

/// Counters of the node.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum Error {
    #[error_counter(name = "no-buffer", description = "frames without a buffer", severity = ERROR)]
    NoBuffer,
    #[error_counter(name = "receive-error", description = "frames in error", severity = ERROR)]
    Receive,
    #[error_counter(
        name = "not-ip4",
        description = "packets of another version than IPv4",
        severity = ERROR
    )]
    NotIp4,
    #[error_counter(
        name = "admin-down",
        description = "frames on an interface that is down",
        severity = WARNING
    )]
    Down,
}

/// The node.
pub(crate) struct DeviceInput<S> {
    queues: Vec<RxQueue<S>>,
    arc: ArcHandle,
    words: InterfaceWords,
    rows: InterfaceRows,
    room: Room,
    frame: Frame,
}

impl<S> fmt::Debug for DeviceInput<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceInput")
            .field("queues", &self.queues.len())
            .finish_non_exhaustive()
    }
}

impl<S> DeviceInput<S> {
    /// Makes the instance of one thread; `arc` is `device-input`.
    pub(crate) fn new(arc: ArcHandle, words: InterfaceWords, rows: InterfaceRows) -> Self {
        Self {
            queues: Vec::new(),
            arc,
            words,
            rows,
            room: Room::new(),
            frame: Frame::new(),
        }
    }

    /// Serves one more queue.
    pub(crate) fn add(&mut self, queue: RxQueue<S>) {
        self.queues.push(queue);
    }

    /// Gives a queue back, to be closed or served elsewhere.
    pub(crate) fn take(&mut self, interface: SwIfIndex, queue: u32) -> Option<RxQueue<S>> {
        let is_it = |held: &RxQueue<S>| held.interface == interface && held.queue == queue;
        let at = self.queues.iter().position(is_it)?;
        Some(self.queues.remove(at))
    }
}

/// A frame as `show trace` prints it.
struct Trace {
    interface: SwIfIndex,
    queue: u32,
    frame: FrameTrace,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sw_if_index {} queue {}", self.interface, self.queue)?;
        self.frame.fmt(f)
    }
}

impl<S: FrameSource> InputNode for DeviceInput<S> {
    type NextNodes = Next;
    type Errors = Error;

    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        let mut polled = Polled::NONE;
        let mut queues = std::mem::take(&mut self.queues);
        for queue in &mut queues {
            let (packets, drained) = self.serve(cx, queue);
            polled.packets += packets;
            polled.more |= !drained;
        }
        self.queues = queues;
        polled
    }
}

impl<S: FrameSource> DeviceInput<S> {
    /// Reads a burst of a queue; how many frames, and whether there are no more.
    fn serve(&mut self, cx: &mut InputContext<'_, Self>, queue: &mut RxQueue<S>) -> (u32, bool) {
        let index = queue.interface;
        let up = self.words.get(index).is_up();
        let (mut packets, mut bytes) = (0, 0);
        let mut drained = false;
        let entry = cx.arc_entry(self.arc, index.0);
        let frames = queue.source.frames();
        let (usual, usual_next) = match frames {
            Frames::Ethernet => (Next::Ethernet, cx.next(Next::Ethernet)),
            Frames::Ip4 => (Next::Ip4, cx.next(Next::Ip4)),
        };
        for _ in 0..BURST {
            let received = queue.source.receive(&mut Inbox {
                room: &mut self.room,
                cache: cx.cache(),
            });
            let (mut buffer, header) = match received {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.rows.count(Simple::RxNoBuffer, index.0, 1);
                    cx.count(Error::NoBuffer, 1);
                    continue;
                }
                Err(error) => {
                    drained = error.kind() == io::ErrorKind::WouldBlock;
                    if drained {
                        break;
                    }
                    self.rows.count(Simple::RxError, index.0, 1);
                    cx.count(Error::Receive, 1);
                    if error.kind() == io::ErrorKind::Interrupted {
                        continue;
                    }
                    // An error that stays would keep this thread busy: the next event tries again.
                    drained = true;
                    break;
                }
            };
            if !up {
                cx.count(Error::Down, 1);
                cx.free_one(buffer);
                continue;
            }
            let mut packet = buffer.packet();
            packet.rx_sw_if_index = index.0;
            if frames == Frames::Ip4 && packet.data().first().is_none_or(|first| first >> 4 != 4) {
                self.rows.count(Simple::RxError, index.0, 1);
                cx.count(Error::NotIp4, 1);
                cx.free_one(buffer);
                continue;
            }
            header.apply(&mut packet);
            if cx.tracing() {
                let queue = queue.queue;
                cx.trace_new(&mut packet, |packet| Trace {
                    interface: index,
                    queue,
                    frame: FrameTrace::new(packet.data()),
                });
            }
            packets += 1;
            bytes += packet.total_len() as u64;
            let next = cx.arc_begin(entry, &mut packet, usual_next);
            if entry.is_empty() {
                self.frame.push(buffer).expect("a burst fits a frame");
            } else {
                cx.push(buffer, next);
            }
        }
        self.room.clear(cx.cache());
        if !self.frame.is_empty() {
            let next = cx.next(usual);
            cx.enqueue_all(self.frame.vector(), next);
        }
        let missed = queue.source.missed();
        if missed > 0 {
            self.rows.count(Simple::RxMiss, index.0, missed);
        }
        self.rows
            .count_bytes(Combined::Rx, index.0, u64::from(packets), bytes);
        (packets, drained)
    }
}
