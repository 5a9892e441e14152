//! `ip4-input`: checks that a packet is one, and starts the arc `ip4-unicast`.
//!
//! `ip4-input-no-checksum` is the same for packets whose header checksum the device has verified.

use super::Ip4Error;
use super::check::check;
use super::trace::Ip4Trace;
use crate::icmp::error::{IcmpError, set_error};
use crate::interface::{InterfaceRows, Simple};
use barrow_engine::{ArcEntry, ArcHandle, NextNodes, NodeId, PacketContext, PacketNode, Vector};
use std::fmt;

/// Where packets go that do not start an arc.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Not a valid packet.
    #[next_node = "error-drop"]
    Drop,
    /// Nobody's.
    #[next_node = "error-punt"]
    Punt,
    /// Right, but with options that somebody must look at.
    #[next_node = "ip4-options"]
    Options,
    /// To the forwarding table.
    #[next_node = "ip4-lookup"]
    Lookup,
    /// Passed too many routers.
    #[next_node = "ip4-icmp-error"]
    IcmpError,
}

/// The node; one a thread.
pub struct Ip4Input {
    unicast: ArcHandle,
    rows: InterfaceRows,
    verify_checksum: bool,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Input")
            .field("verify_checksum", &self.verify_checksum)
            .finish()
    }
}

impl Ip4Input {
    /// Makes the instance of one thread.
    #[must_use]
    pub fn new(unicast: ArcHandle, rows: InterfaceRows, verify_checksum: bool) -> Self {
        Self {
            unicast,
            rows,
            verify_checksum,
            nexts: Vec::with_capacity(256),
        }
    }
}

impl PacketNode for Ip4Input {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let (lookup, options) = (cx.next(Next::Lookup), cx.next(Next::Options));
        let drop = cx.next(Next::Drop);
        let mut interface = u32::MAX;
        let mut entry = ArcEntry::default();
        let mut run = 0;
        self.nexts.clear();
        for i in 0..vector.len() {
            vector.prefetch(i + 8);
            let mut packet = vector.packet(i);
            if packet.rx_sw_if_index != interface {
                self.rows.count(Simple::Ip4, interface, run);
                (interface, run) = (packet.rx_sw_if_index, 0);
                entry = cx.arc_entry(self.unicast, interface);
            }
            run += 1;
            let next = match check(packet.data(), packet.total_len(), self.verify_checksum) {
                Ok(header) => {
                    let next = if header.version_and_length == 0x45 {
                        lookup
                    } else {
                        options
                    };
                    cx.arc_begin(entry, &mut packet, next)
                }
                Err(error) => {
                    cx.error(&mut packet, error);
                    if error == Ip4Error::TimeExpired {
                        set_error(&mut packet, IcmpError::TTL_EXPIRED);
                        cx.next(Next::IcmpError)
                    } else {
                        drop
                    }
                }
            };
            self.nexts.push(next);
        }
        self.rows.count(Simple::Ip4, interface, run);
        cx.enqueue(vector, &self.nexts);
    }
}
