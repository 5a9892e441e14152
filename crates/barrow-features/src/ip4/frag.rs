//! `ip4-frag`: cuts a packet into fragments (RFC 791 section 3.2).
//!
//! `ip4-rewrite` sends packets here that are larger than the link and may be cut, with the MTU in
//! `opaque[0]`; the fragments go back to it and leave through the same adjacency. Options that must be in
//! every fragment are copied (the "copied" bit of RFC 791), the others stay in the first.

use super::check::header_of;
use super::header::{FRAGMENT_OFFSET, HEADER_LEN, Ip4Header, MORE_FRAGMENTS};
use crate::ip::checksum::Sum;
use barrow_engine::{
    Buffer, BufferExt, ErrorCounters, NextNodes, Packet, PacketContext, PacketNode, Vector,
};
use std::fmt;
use zerocopy::IntoBytes;

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// The fragments.
    #[next_node = "ip4-rewrite"]
    Rewrite,
    /// What cannot be cut.
    #[next_node = "ip4-drop"]
    Drop,
}

/// Counters of the node; names and descriptions are VPP's (`vpp:src/vnet/ip/ip_frag.h`).
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub enum FragError {
    /// Packets that were cut.
    #[error_counter(name = "none", description = "packet fragmented", severity = INFO)]
    None,
    /// The packet fits after all.
    #[error_counter(name = "small_packet", description = "packet smaller than MTU", severity = ERROR)]
    SmallPacket,
    /// Fragments made.
    #[error_counter(name = "fragment_sent", description = "number of sent fragments", severity = INFO)]
    FragmentSent,
    /// The MTU has no room for a header and eight bytes.
    #[error_counter(name = "cant_fragment_header", description = "can't fragment header", severity = ERROR)]
    CannotCutHeader,
    /// The packet must not be cut.
    #[error_counter(
        name = "dont_fragment_set",
        description = "can't fragment this packet",
        severity = ERROR
    )]
    DontFragment,
    /// The packet is no valid one.
    #[error_counter(name = "malformed", description = "malformed packet", severity = ERROR)]
    Malformed,
    /// No buffer.
    #[error_counter(name = "memory", description = "could not allocate buffer", severity = ERROR)]
    Memory,
}

/// The node; one a thread.
#[derive(Default)]
pub struct Ip4Frag {
    payload: Vec<u8>,
    fragments: Vec<Buffer>,
}

impl fmt::Debug for Ip4Frag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Frag").finish_non_exhaustive()
    }
}

/// Where one fragment's payload lies, in bytes of the packet's.
struct Piece {
    start: usize,
    end: usize,
}

/// The pieces of a payload: each but the last a multiple of eight bytes.
fn pieces(payload: usize, room: usize) -> impl Iterator<Item = Piece> {
    let step = room & !7;
    (0..payload).step_by(step.max(8)).map(move |start| Piece {
        start,
        end: payload.min(start + step),
    })
}

/// The options that every fragment carries: those whose first bit is set (RFC 791 section 3.1).
fn copied_options(options: &[u8]) -> Vec<u8> {
    let mut copied = Vec::with_capacity(options.len());
    let mut rest = options;
    while let Some(&kind) = rest.first() {
        let len = match kind {
            0 => break,
            1 => 1,
            _ => usize::from(rest.get(1).copied().unwrap_or(0)).max(2),
        };
        let Some((option, after)) = rest.split_at_checked(len) else {
            break;
        };
        if kind & 0x80 != 0 {
            copied.extend_from_slice(option);
        }
        rest = after;
    }
    copied.resize(copied.len().next_multiple_of(4), 0);
    copied
}

impl Ip4Frag {
    /// Cuts a packet into `self.fragments`, which the caller empties.
    fn cut(
        &mut self,
        cx: &mut PacketContext<'_, Self>,
        packet: &Packet<'_>,
    ) -> Result<(), FragError> {
        let mtu = packet.opaque[0] as usize;
        let header = *header_of(packet).ok_or(FragError::Malformed)?;
        if header.dont_fragment() {
            return Err(FragError::DontFragment);
        }
        let header_len = header.header_len();
        let options = packet.at(HEADER_LEN, header_len.saturating_sub(HEADER_LEN));
        let options = options.ok_or(FragError::Malformed)?;
        let total = usize::from(header.total_length.get());
        if total > packet.total_len() || total < header_len {
            return Err(FragError::Malformed);
        }
        if total <= mtu {
            return Err(FragError::SmallPacket);
        }
        let room = mtu.checked_sub(header_len).filter(|room| *room >= 8);
        let room = room.ok_or(FragError::CannotCutHeader)?;
        self.payload.clear();
        for segment in packet.segments() {
            self.payload.extend_from_slice(segment);
        }
        self.payload.truncate(total);
        self.payload.drain(..header_len);
        let copied = copied_options(options);
        for piece in pieces(self.payload.len(), room) {
            let options = if piece.start == 0 { options } else { &copied };
            let more = piece.end < self.payload.len();
            let mut buffer = cx.alloc_one().ok_or(FragError::Memory)?;
            let done = fill(
                &mut buffer.packet(),
                packet,
                fragment_header(&header, &piece, options, more),
                options,
                &self.payload[piece.start..piece.end],
            );
            self.fragments.push(buffer);
            if !done {
                return Err(FragError::Memory);
            }
        }
        Ok(())
    }
}

fn fragment_header(whole: &Ip4Header, piece: &Piece, options: &[u8], more: bool) -> Ip4Header {
    let mut header = *whole;
    let len = HEADER_LEN + options.len();
    header.version_and_length = 0x40 | (len / 4) as u8;
    header.total_length = ((len + piece.end - piece.start) as u16).into();
    let field = whole.flags_and_offset.get();
    // A fragment that is cut again keeps its place, and its last piece says "more" if it did.
    let offset = (field & FRAGMENT_OFFSET) + (piece.start / 8) as u16;
    let more = if more {
        MORE_FRAGMENTS
    } else {
        field & MORE_FRAGMENTS
    };
    header.flags_and_offset = (offset & FRAGMENT_OFFSET | more).into();
    header.checksum = 0.into();
    header.checksum = Sum::new()
        .bytes(header.as_bytes())
        .bytes(options)
        .finish()
        .into();
    header
}

/// Writes a fragment; says whether it fits in one buffer.
fn fill(
    fragment: &mut Packet<'_>,
    whole: &Packet<'_>,
    header: Ip4Header,
    options: &[u8],
    payload: &[u8],
) -> bool {
    fragment.copy_metadata_from(whole);
    fragment.restart(0);
    fragment.append_bytes(header.as_bytes())
        && fragment.append_bytes(options)
        && fragment.append_bytes(payload)
}

impl PacketNode for Ip4Frag {
    type NextNodes = Next;
    type Errors = FragError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let (rewrite, drop) = (cx.next(Next::Rewrite), cx.next(Next::Drop));
        for mut buffer in vector.drain() {
            match self.cut(cx, &buffer.packet()) {
                Ok(()) => {
                    cx.count(FragError::None, 1);
                    cx.count(FragError::FragmentSent, self.fragments.len() as u64);
                    for fragment in self.fragments.drain(..) {
                        cx.push(fragment, rewrite);
                    }
                    cx.free_one(buffer);
                }
                Err(error) => {
                    for fragment in self.fragments.drain(..) {
                        cx.free_one(fragment);
                    }
                    cx.error(&mut buffer.packet(), error);
                    cx.push(buffer, drop);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_payload_once_in_steps_of_eight() {
        for payload in [1, 8, 1480, 1481, 9000] {
            for room in [8, 1480, 1483] {
                let mut at = 0;
                for piece in pieces(payload, room) {
                    assert_eq!(piece.start, at);
                    assert!(piece.end - piece.start <= room);
                    assert!(piece.end == payload || (piece.end - piece.start) % 8 == 0);
                    at = piece.end;
                }
                assert_eq!(at, payload);
            }
        }
    }

    #[test]
    fn only_options_marked_to_be_copied_are() {
        // No-operation, a copied option of 3 bytes, one that is not, end of list.
        let options = [1, 0x83, 3, 4, 7, 3, 4, 0];
        assert_eq!(copied_options(&options), [0x83, 3, 4, 0]);
        assert_eq!(
            copied_options(&[0x83, 200]),
            [0u8; 0],
            "a length beyond the end is no option"
        );
    }

    #[test]
    fn the_last_piece_of_a_middle_fragment_still_says_more() {
        let a = std::net::Ipv4Addr::new(10, 0, 0, 1);
        let mut whole = Ip4Header::new(a, a, 17, 64, 1500);
        whole.flags_and_offset = (MORE_FRAGMENTS | 100).into();
        let piece = Piece {
            start: 800,
            end: 1480,
        };
        let header = fragment_header(&whole, &piece, &[], false);
        assert_eq!(header.flags_and_offset.get(), MORE_FRAGMENTS | 200);
        assert_eq!(header.total_length.get(), 700);
        assert!(header.checksum_is_right());
    }
}
