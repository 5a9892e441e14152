//! `ip4-options`: what becomes of packets with IP options.
//!
//! Options are carried along, not obeyed: source routes are refused (RFC 7126 section 4.3 and 4.4), and
//! a packet with "router alert" for a protocol that routers speak is for this node (RFC 2113).

use super::Ip4Error;
use super::check::header_of;
use super::header::{HEADER_LEN, protocol};
use barrow_engine::{NextNodes, NodeId, Packet, PacketContext, PacketNode, Vector};
use std::fmt;

/// Loose and strict source route, router alert (IANA IP option numbers).
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// On their way.
    #[next_node = "ip4-lookup"]
    Lookup,
    /// To this node.
    #[next_node = "ip4-local"]
    Local,
    /// Refused.
    #[next_node = "ip4-drop"]
    Drop,
}

/// The node; one a thread.
#[derive(Default)]
pub struct Ip4Options {
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Options").finish_non_exhaustive()
    }
}

/// What the options of a packet ask for.
fn ask(packet: &Packet<'_>) -> Option<Next> {
    let header = header_of(packet)?;
    let mut options = packet.at(HEADER_LEN, header.header_len().checked_sub(HEADER_LEN)?)?;
    while let Some(&kind) = options.first() {
        match kind {
            0 => break,
            1 => options = &options[1..],
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => return None,
            ROUTER_ALERT if header.protocol == protocol::IGMP => return Some(Next::Local),
            _ => {
                let len = usize::from(*options.get(1)?);
                options = if len < 2 {
                    return None;
                } else {
                    options.get(len..)?
                };
            }
        }
    }
    Some(Next::Lookup)
}

impl PacketNode for Ip4Options {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        self.nexts.clear();
        for mut packet in vector.packets() {
            let next = ask(&packet).unwrap_or_else(|| {
                cx.error(&mut packet, Ip4Error::Options);
                Next::Drop
            });
            self.nexts.push(cx.next(next));
        }
        cx.enqueue(vector, &self.nexts);
    }
}
