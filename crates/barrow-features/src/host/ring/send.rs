//! Handing frames to the kernel, a vector in one call.

use super::socket::PacketSocket;
use crate::virtio::{FrameSink, VirtioNetHeader};
use barrow_engine::Packet;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg, sendmsg};
use smallvec::SmallVec;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zerocopy::IntoBytes;

/// Frames of a vector, and parts of these, that need no memory from the heap.
const FRAMES: usize = barrow_engine::VECTOR;
const PARTS: usize = 2 * FRAMES;

/// One transmit queue of a link; a cheap handle, for any number of threads.
#[derive(Clone, Debug)]
pub(in crate::host) struct TxSocket(Arc<State>);

#[derive(Debug)]
struct State {
    socket: PacketSocket,
    /// Frames pass by the queueing discipline of the link.
    bypasses: AtomicBool,
}

impl TxSocket {
    /// Sends on a link; past its queueing discipline or through it.
    pub(in crate::host) fn open(link: u32, qdisc_bypass: bool) -> io::Result<Self> {
        let socket = PacketSocket::new()?;
        socket.set_qdisc_bypass(qdisc_bypass)?;
        socket.bind_to_send(link)?;
        let bypasses = AtomicBool::new(qdisc_bypass);
        Ok(Self(Arc::new(State { socket, bypasses })))
    }

    /// Whether a frame that was refused is to be tried again.
    ///
    /// The kernel's short way past the queueing discipline refuses a frame that is to be cut in pieces where
    /// the link does not cut by itself (`__dev_direct_xmit` of `net/core/dev.c`); the usual way
    /// cuts it. So a socket that meets such a link goes the usual way from then on.
    fn goes_another_way(&self, header: &VirtioNetHeader, error: rustix::io::Errno) -> bool {
        let is_refused = error == rustix::io::Errno::NOBUFS && header.is_segmented();
        is_refused
            && self.0.bypasses.swap(false, Ordering::Relaxed)
            && self.0.socket.set_qdisc_bypass(false).is_ok()
    }
}

impl FrameSink for TxSocket {
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()> {
        let mut parts: SmallVec<[IoSlice<'_>; 36]> = SmallVec::new();
        parts.push(IoSlice::new(header.as_bytes()));
        parts.extend(packet.segments().map(IoSlice::new));
        let mut nothing = SendAncillaryBuffer::default();
        let socket = &self.0.socket;
        let mut send = || sendmsg(socket, &parts, &mut nothing, SendFlags::DONTWAIT);
        match send() {
            Err(error) if self.goes_another_way(header, error) => send()?,
            sent => sent?,
        };
        Ok(())
    }

    fn send_all(
        &mut self,
        frames: &[(VirtioNetHeader, Packet<'_>)],
        failed: &mut dyn FnMut(io::Error),
    ) {
        let mut parts: SmallVec<[IoSlice<'_>; PARTS]> = SmallVec::new();
        let mut ends: SmallVec<[usize; FRAMES]> = SmallVec::new();
        for (header, packet) in frames {
            parts.push(IoSlice::new(header.as_bytes()));
            parts.extend(packet.segments().map(IoSlice::new));
            ends.push(parts.len());
        }
        let nothing = frames.iter().map(|_| SendAncillaryBuffer::default());
        let mut nothing: SmallVec<[_; FRAMES]> = nothing.collect();
        let mut messages: SmallVec<[_; FRAMES]> = SmallVec::new();
        let mut begin = 0;
        for (end, nothing) in ends.into_iter().zip(&mut nothing) {
            messages.push(MMsgHdr::new(&parts[begin..end], nothing));
            begin = end;
        }
        // The kernel stops at a frame that it refuses, and tells why when that is the first one.
        let mut sent = 0;
        while sent < messages.len() {
            match sendmmsg(&self.0.socket, &mut messages[sent..], SendFlags::DONTWAIT) {
                Ok(done) => sent += done.max(1),
                Err(error) if self.goes_another_way(&frames[sent].0, error) => {}
                Err(error) => {
                    failed(error.into());
                    sent += 1;
                }
            }
        }
    }
}
