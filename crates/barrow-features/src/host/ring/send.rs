//! Handing frames to the kernel, a vector in one call.

use super::socket::PacketSocket;
use crate::virtio::{FrameSink, VirtioNetHeader};
use barrow_engine::Packet;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg, sendmsg};
use std::io::{self, IoSlice};
use std::sync::Arc;
use zerocopy::IntoBytes;

/// One transmit queue of a link; a cheap handle, for any number of threads.
#[derive(Clone, Debug)]
pub(in crate::host) struct TxSocket(Arc<PacketSocket>);

impl TxSocket {
    /// Sends on a link; past its queueing discipline or through it.
    pub(in crate::host) fn open(link: u32, qdisc_bypass: bool) -> io::Result<Self> {
        let socket = PacketSocket::new()?;
        socket.set_qdisc_bypass(qdisc_bypass)?;
        socket.bind_to_send(link)?;
        Ok(Self(Arc::new(socket)))
    }
}

impl FrameSink for TxSocket {
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()> {
        let mut parts = Vec::with_capacity(8);
        parts.push(IoSlice::new(header.as_bytes()));
        parts.extend(packet.segments().map(IoSlice::new));
        let mut nothing = SendAncillaryBuffer::default();
        sendmsg(&*self.0, &parts, &mut nothing, SendFlags::DONTWAIT)?;
        Ok(())
    }

    fn send_all(
        &mut self,
        frames: &[(VirtioNetHeader, Packet<'_>)],
        failed: &mut dyn FnMut(io::Error),
    ) {
        let mut parts = Vec::with_capacity(2 * frames.len());
        let mut ends = Vec::with_capacity(frames.len());
        for (header, packet) in frames {
            parts.push(IoSlice::new(header.as_bytes()));
            parts.extend(packet.segments().map(IoSlice::new));
            ends.push(parts.len());
        }
        let mut nothing: Vec<_> = frames
            .iter()
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let mut messages = Vec::with_capacity(frames.len());
        let mut begin = 0;
        for (end, nothing) in ends.into_iter().zip(&mut nothing) {
            messages.push(MMsgHdr::new(&parts[begin..end], nothing));
            begin = end;
        }
        // The kernel stops at a frame that it refuses, and tells why when that is the first one.
        let mut rest = &mut messages[..];
        while !rest.is_empty() {
            let done = match sendmmsg(&*self.0, rest, SendFlags::DONTWAIT) {
                Ok(sent) => sent,
                Err(error) => {
                    failed(error.into());
                    1
                }
            };
            rest = rest.get_mut(done.max(1)..).unwrap_or_default();
        }
    }
}
