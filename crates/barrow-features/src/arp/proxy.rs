//! `arp-proxy`: answers for ranges of addresses that live elsewhere, on interfaces where that is enabled.

use super::ArpError;
use super::header::{ArpPacket, REQUEST};
use super::reply::{ArpView, Next};
use super::trace::ArpTrace;
use crate::fib::FibIndex;
use crate::interface::SwIfIndex;
use crate::neighbor::ArpRows;
use arc_swap::ArcSwap;
use barrow_engine::{NodeId, PacketContext, PacketNode, Vector};
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use zerocopy::FromBytes;

/// Addresses that are answered for, in one table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ProxyRange {
    /// The table that the asking interface must be in.
    pub table: FibIndex,
    /// The first address.
    pub low: Ipv4Addr,
    /// The last address.
    pub high: Ipv4Addr,
}

/// All ranges; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct ProxyRanges(Arc<ArcSwap<Vec<ProxyRange>>>);

impl ProxyRanges {
    /// Adds or removes a range. Main thread only, by convention.
    pub fn set(&self, range: ProxyRange, add: bool) {
        let mut list = Vec::clone(&self.0.load());
        list.retain(|known| *known != range);
        if add {
            list.push(range);
            list.sort_unstable();
        }
        self.0.store(Arc::new(list));
    }

    /// The ranges, in order.
    #[must_use]
    pub fn list(&self) -> Vec<ProxyRange> {
        Vec::clone(&self.0.load())
    }

    fn contains(&self, table: FibIndex, address: Ipv4Addr) -> bool {
        let list = self.0.load();
        list.iter()
            .any(|range| range.table == table && (range.low..=range.high).contains(&address))
    }
}

/// The node; one a thread.
pub struct ArpProxy {
    view: ArpView,
    ranges: ProxyRanges,
    rows: ArpRows,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for ArpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArpProxy").finish_non_exhaustive()
    }
}

impl ArpProxy {
    /// Makes the instance of one thread.
    #[must_use]
    pub fn new(view: ArpView, ranges: ProxyRanges, rows: ArpRows) -> Self {
        Self {
            view,
            ranges,
            rows,
            nexts: Vec::with_capacity(256),
        }
    }

    fn is_ours_to_answer(&self, data: &[u8], interface: SwIfIndex) -> bool {
        let Ok((arp, _)) = ArpPacket::ref_from_prefix(data) else {
            return false;
        };
        let table = FibIndex(self.view.words.get(interface).fib_index());
        arp.operation.get() == REQUEST
            && !arp.is_gratuitous()
            && self.ranges.contains(table, arp.target_ip())
    }
}

impl PacketNode for ArpProxy {
    type NextNodes = Next;
    type Errors = ArpError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| ArpTrace::new(packet.data()));
        let mut nexts = std::mem::take(&mut self.nexts);
        nexts.clear();
        for mut packet in vector.packets() {
            let interface = SwIfIndex(packet.rx_sw_if_index);
            let answered = if self.is_ours_to_answer(packet.data(), interface) {
                self.view.answer(&mut packet)
            } else {
                None
            };
            let next = match answered {
                Some(output) => {
                    self.rows.reply(interface);
                    cx.count(ArpError::ProxyRepliesSent, 1);
                    output
                }
                None => cx.next_feature(&mut packet),
            };
            nexts.push(next);
        }
        cx.enqueue(vector, &nexts);
        self.nexts = nexts;
    }
}
