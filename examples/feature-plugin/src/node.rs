//! `portblock`: a feature of the arc `ip4-unicast`.

use crate::table::{Blocked, Key};
use barrow_engine::{ErrorCounters, NextNodes, NodeId, PacketContext, PacketNode, Vector};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where blocked packets go; the others go to the next feature of the arc.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum Next {
    #[next_node = "error-drop"]
    Drop,
}

/// What the node counts.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum Error {
    #[error_counter(name = "blocked", description = "packets to blocked ports", severity = ERROR)]
    Blocked,
}

/// The node; one a thread.
#[derive(Debug)]
pub(crate) struct PortBlockNode {
    blocked: Blocked,
    seen: u64,
    copy: BTreeMap<Key, Arc<AtomicU64>>,
    nexts: Vec<NodeId>,
}

impl PortBlockNode {
    pub(crate) fn new(blocked: Blocked) -> Self {
        Self {
            blocked,
            seen: u64::MAX,
            copy: BTreeMap::new(),
            nexts: Vec::with_capacity(256),
        }
    }
}

/// The destination port behind an IPv4 header.
fn port_of(data: &[u8]) -> Option<u16> {
    let header_len = usize::from(data.first()? & 0x0f) * 4;
    let has_ports = matches!(data.get(9)?, 6 | 17);
    let port = data.get(header_len + 2..)?.first_chunk::<2>()?;
    has_ports.then(|| u16::from_be_bytes(*port))
}

/// What `show trace` prints.
struct Trace {
    port: Option<u16>,
    blocked: bool,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "port {port}")?,
            None => f.write_str("no port")?,
        }
        f.write_str(if self.blocked { " blocked" } else { " passed" })
    }
}

impl PacketNode for PortBlockNode {
    type NextNodes = Next;
    type Errors = Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        self.blocked.refresh(&mut self.seen, &mut self.copy);
        let drop = cx.next(Next::Drop);
        let tracing = cx.tracing();
        self.nexts.clear();
        for mut packet in vector.packets() {
            let port = port_of(packet.data());
            let entry = port.and_then(|port| self.copy.get(&(packet.rx_sw_if_index, port)));
            if tracing {
                cx.trace_with(&packet, || Trace {
                    port,
                    blocked: entry.is_some(),
                });
            }
            let next = match entry {
                Some(count) => {
                    count.fetch_add(1, Ordering::Relaxed);
                    cx.error(&mut packet, Error::Blocked);
                    drop
                }
                None => cx.next_feature(&mut packet),
            };
            self.nexts.push(next);
        }
        cx.enqueue(vector, &self.nexts);
    }
}
