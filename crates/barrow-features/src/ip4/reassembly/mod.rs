//! `ip4-local-full-reassembly`: puts fragments for this node together (RFC 791 section 3.2).
//!
//! `ip4-receive` and `ip4-local` send fragments here; whole packets begin anew at `ip4-input`, as in VPP
//! (`vpp:src/vnet/ip/reass/ip4_full_reass.c`). All fragments of a packet are taken by one thread, which their
//! addresses and identification choose, so that no lock is needed: others hand them over.
//!
//! As in VPP a packet waits 200 ms for its next fragment, and a thread keeps 1,024 packets. Unlike in VPP a
//! packet may have 128 fragments (VPP: 3, so that a ping of 9,020 bytes is not answered there), a thread holds no
//! more than its share of a quarter of all buffers, a packet with overlapping fragments is given up whole, and
//! the sender of one that is never completed is told.

mod datagram;
mod expire;
mod table;
#[cfg(test)]
mod tests;

use super::Ip4Error;
use super::check::header_of;
use super::header::{DONT_FRAGMENT, Ip4Header};
use crate::ip::checksum::Sum;
use barrow_engine::{
    Buffer, BufferExt, EngineBuilder, Frame, Instant, NextNodes, NodeThread, Packet, PacketCache,
    PacketContext, PacketFlags, PacketNode, RegisterError, Restart, Vector,
};
use datagram::Piece;
use expire::{Expire, Pending};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use table::{Key, Late, Limits, Progress, Table, Taken};
use zerocopy::FromBytes;

/// Packets that a thread puts together at a time (VPP's number).
const PACKETS: usize = 1024;
/// Fragments of a packet: the longest one, cut for links of 576 bytes.
const FRAGMENTS: usize = 128;
/// How long a packet waits for its next fragment (VPP's number).
const PATIENCE: Duration = Duration::from_millis(200);
/// One in so many of all buffers may be held.
const SHARE: usize = 4;

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Whole.
    #[next_node = "ip4-input"]
    Input,
    /// Given up.
    #[next_node = "ip4-drop"]
    Drop,
}

/// Flags that are not true of a whole packet because they were of a fragment.
const OF_A_FRAGMENT: [PacketFlags; 6] = [
    PacketFlags::FLOW_HASH_VALID,
    PacketFlags::L4_CKSUM_COMPUTED,
    PacketFlags::L4_CKSUM_CORRECT,
    PacketFlags::L4_HDR_OFFSET_VALID,
    PacketFlags::OFFLOAD_ANY,
    PacketFlags::GSO,
];

/// The node; one a thread.
pub struct Ip4Reassembly {
    table: Table<Buffer>,
    pending: Pending,
    owners: Owners,
    threads: Vec<usize>,
}

/// Which thread takes a packet's fragments. The hash is keyed, so that nobody outside chooses.
#[derive(Clone, Debug)]
struct Owners {
    hasher: RandomState,
    threads: usize,
}

impl Owners {
    fn of(&self, key: &Key) -> usize {
        match self.threads.checked_sub(1) {
            None | Some(0) => 0,
            // Workers, if there are any.
            Some(workers) => 1 + (self.hasher.hash_one(key) % workers as u64) as usize,
        }
    }
}

/// Registers the node and the process that gives packets up.
pub(crate) fn register(engine: &mut EngineBuilder) -> Result<(), RegisterError> {
    let (pending, rung) = Pending::new();
    let threads = engine.control().thread_count();
    let owners = Owners {
        hasher: RandomState::new(),
        threads,
    };
    let limits = Limits {
        packets: PACKETS,
        fragments: FRAGMENTS,
        held: engine.control().pool().size() / SHARE / threads,
        patience: PATIENCE,
    };
    let shared = pending.clone();
    let node = engine.node("ip4-local-full-reassembly", move |_: NodeThread| {
        Ip4Reassembly {
            table: Table::new(limits),
            pending: shared.clone(),
            owners: owners.clone(),
            threads: Vec::with_capacity(256),
        }
    })?;
    let mut expire = Some(Expire {
        control: engine.control().clone(),
        node,
        pending,
        rung,
    });
    engine.process(Restart::Never, move || expire.take().expect("started once"))?;
    Ok(())
}

/// A fragment's step as `show trace` prints it.
struct Trace {
    before: Progress,
    piece: Piece,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress {
            serial,
            steps,
            bytes,
        } = self.before;
        let Piece { start, end, last } = self.piece;
        write!(
            f,
            "reass id: {serial}, op id: {steps}, data len: {bytes}, ip/fragment[{start}, {}]{}",
            end - 1,
            if last { " last" } else { "" }
        )
    }
}

fn key_of(packet: &Packet<'_>, header: &Ip4Header) -> Key {
    Key {
        fib: packet.fib_index,
        source: header.source,
        destination: header.destination,
        id: header.id.get(),
        protocol: header.protocol,
    }
}

impl PacketNode for Ip4Reassembly {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        if self.owners.threads > 1 {
            let owner = |packet: Packet<'_>| {
                let key = header_of(&packet).map(|header| key_of(&packet, header));
                key.map_or(cx.thread(), |key| self.owners.of(&key))
            };
            self.threads.clear();
            self.threads.extend(vector.packets().map(owner));
            if self.threads.iter().any(|thread| *thread != cx.thread()) {
                let node = cx.node();
                return cx.handoff_each(vector, &self.threads, node);
            }
        }
        for buffer in vector.drain() {
            self.take(cx, buffer);
        }
        self.pending.set(self.table.len());
    }
}

impl Ip4Reassembly {
    fn take(&mut self, cx: &mut PacketContext<'_, Self>, mut buffer: Buffer) {
        cx.count(Ip4Error::ReassemblyFragmentsReceived, 1);
        let mut packet = buffer.packet();
        let header = header_of(&packet).copied();
        let place = header.and_then(|header| Some((header, Piece::of(&header)?)));
        let Some((header, piece)) = place else {
            return drop_all(cx, Ip4Error::ReassemblyMalformed, [buffer]);
        };
        // What the link has padded.
        packet.truncate(usize::from(header.total_length.get()), cx.cache());
        let key = key_of(&packet, &header);
        cx.trace_with(&packet, || Trace {
            before: self.table.progress(&key),
            piece,
        });
        match self.table.accept(key, piece, cx.now(), buffer) {
            Taken::Kept => {}
            Taken::Whole(fragments) => {
                let count = fragments.len() as u64;
                match join(fragments, cx.cache()) {
                    Ok(whole) => {
                        cx.count(Ip4Error::ReassemblySuccess, 1);
                        cx.count(Ip4Error::ReassemblyFragmentsReassembled, count);
                        let input = cx.next(Next::Input);
                        cx.push(whole, input);
                    }
                    Err(fragments) => drop_all(cx, Ip4Error::ReassemblyMalformed, fragments),
                }
            }
            Taken::Dropped(why, fragments) => drop_all(cx, why, fragments),
        }
    }

    /// Takes out what has waited too long.
    fn expire(&mut self, now: Instant) -> Vec<Late<Buffer>> {
        let late = self.table.expire(now);
        self.pending.set(self.table.len());
        late
    }
}

fn drop_all(
    cx: &mut PacketContext<'_, Ip4Reassembly>,
    why: Ip4Error,
    fragments: impl IntoIterator<Item = Buffer>,
) {
    let drop = cx.next(Next::Drop);
    for mut buffer in fragments {
        cx.error(&mut buffer.packet(), why);
        cx.push(buffer, drop);
    }
}

/// Makes one packet of its fragments, which are in order and without gaps: the first one's header, all
/// payloads in further buffers. Gives them back when they are too long together with the first one's options.
fn join(mut fragments: Vec<Buffer>, cache: &mut PacketCache) -> Result<Buffer, Vec<Buffer>> {
    let header_len = |packet: &Packet<'_>| header_of(packet).map_or(0, Ip4Header::header_len);
    let mut total = 0;
    for (n, fragment) in fragments.iter_mut().enumerate() {
        let packet = fragment.packet();
        total += packet.total_len();
        if n > 0 {
            total -= header_len(&packet);
        }
    }
    let Ok(total) = u16::try_from(total) else {
        return Err(fragments);
    };
    let mut rest: Option<Buffer> = None;
    while fragments.len() > 1 {
        let Some(mut fragment) = fragments.pop() else {
            break;
        };
        let mut packet = fragment.packet();
        packet.advance(header_len(&packet) as i16);
        if packet.is_empty()
            && let Some(payload) = packet.take_rest()
        {
            cache.free_one(std::mem::replace(&mut fragment, payload));
        }
        if let Some(rest) = rest.take() {
            fragment.packet().chain(rest);
        }
        rest = Some(fragment);
    }
    let Some(mut whole) = fragments.pop() else {
        return Err(fragments);
    };
    let mut packet = whole.packet();
    if let Some(rest) = rest {
        packet.chain(rest);
    }
    OF_A_FRAGMENT
        .iter()
        .for_each(|flag| packet.flags.remove(*flag));
    packet.error = 0;
    let len = header_len(&packet);
    if let Some(bytes) = packet.at_mut(0, len) {
        if let Ok((header, _)) = Ip4Header::mut_from_prefix(bytes) {
            header.total_length = total.into();
            header.flags_and_offset = (header.flags_and_offset.get() & DONT_FRAGMENT).into();
            header.checksum = 0.into();
        }
        let sum = Sum::new().bytes(bytes).finish();
        if let Ok((header, _)) = Ip4Header::mut_from_prefix(bytes) {
            header.checksum = sum.into();
        }
    }
    Ok(whole)
}

/// What a node that goes away still holds is freed by its thread.
impl Drop for Ip4Reassembly {
    fn drop(&mut self) {
        let mut frame = Frame::new();
        for late in self.table.clear() {
            for mut buffer in late.fragments {
                while let Err(back) = frame.push(buffer) {
                    buffer = back;
                    // A frame leaves its packets to the thread when it goes.
                    drop(std::mem::take(&mut frame));
                }
            }
        }
        self.pending.set(0);
    }
}

impl fmt::Debug for Ip4Reassembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Reassembly")
            .field("packets", &self.table.len())
            .finish_non_exhaustive()
    }
}
