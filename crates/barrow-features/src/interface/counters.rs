//! The seventeen counters of an interface, kept in the statistics segment from the start.
//!
//! Simple counters count packets, combined ones packets and bytes. Each thread has a row of its own,
//! main first; index is `sw_if_index`. Paths are VPP's (`vpp:src/vnet/interface.c`).

use super::SwIfIndex;
use barrow_stats::{CombinedCounters, CombinedRow, EntryError, Segment, SimpleCounters, SimpleRow};

/// A counter of packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Simple {
    /// Dropped, received on this interface or about to leave by it.
    Drops,
    /// Punted.
    Punt,
    /// IPv4 packets received.
    Ip4,
    /// IPv6 packets received.
    Ip6,
    /// Lost for want of a buffer.
    RxNoBuffer,
    /// Lost by the device.
    RxMiss,
    /// Received in error.
    RxError,
    /// Not sent.
    TxError,
    /// MPLS packets received.
    Mpls,
}

impl Simple {
    /// All of them, in VPP's order.
    pub const ALL: [Self; 9] = [
        Self::Drops,
        Self::Punt,
        Self::Ip4,
        Self::Ip6,
        Self::RxNoBuffer,
        Self::RxMiss,
        Self::RxError,
        Self::TxError,
        Self::Mpls,
    ];

    /// Its name in paths and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drops => "drops",
            Self::Punt => "punt",
            Self::Ip4 => "ip4",
            Self::Ip6 => "ip6",
            Self::RxNoBuffer => "rx-no-buf",
            Self::RxMiss => "rx-miss",
            Self::RxError => "rx-error",
            Self::TxError => "tx-error",
            Self::Mpls => "mpls",
        }
    }
}

/// A counter of packets and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combined {
    /// Received.
    Rx,
    /// Received for one station (with detailed statistics on).
    RxUnicast,
    /// Received for a group.
    RxMulticast,
    /// Received for everybody.
    RxBroadcast,
    /// Sent.
    Tx,
    /// Sent to one station (with detailed statistics on).
    TxUnicast,
    /// Sent to a group.
    TxMulticast,
    /// Sent to everybody.
    TxBroadcast,
}

impl Combined {
    /// All of them, in VPP's order.
    pub const ALL: [Self; 8] = [
        Self::Rx,
        Self::RxUnicast,
        Self::RxMulticast,
        Self::RxBroadcast,
        Self::Tx,
        Self::TxUnicast,
        Self::TxMulticast,
        Self::TxBroadcast,
    ];

    /// Its name in paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rx => "rx",
            Self::RxUnicast => "rx-unicast",
            Self::RxMulticast => "rx-multicast",
            Self::RxBroadcast => "rx-broadcast",
            Self::Tx => "tx",
            Self::TxUnicast => "tx-unicast",
            Self::TxMulticast => "tx-multicast",
            Self::TxBroadcast => "tx-broadcast",
        }
    }
}

/// The counters on the main thread: made, read and cleared here, written by [`InterfaceRows`].
#[derive(Clone, Debug)]
pub struct InterfaceCounters {
    simple: [SimpleCounters; 9],
    combined: [CombinedCounters; 8],
}

impl InterfaceCounters {
    /// Adds the counters to a segment, one row a thread.
    ///
    /// # Errors
    /// When the segment has no room for them.
    pub fn new(segment: &Segment, threads: usize) -> Result<Self, EntryError> {
        let simple = Simple::ALL.map(|c| segment.simple(&format!("/if/{}", c.name()), threads));
        let combined =
            Combined::ALL.map(|c| segment.combined(&format!("/if/{}", c.name()), threads));
        Ok(Self {
            simple: all(simple)?,
            combined: all(combined)?,
        })
    }

    /// Makes room for an interface, its counters at 0.
    ///
    /// # Errors
    /// When the segment is full.
    pub fn ensure(&self, index: SwIfIndex) -> Result<(), EntryError> {
        self.simple.iter().try_for_each(|c| c.ensure(index.0))?;
        self.combined.iter().try_for_each(|c| c.ensure(index.0))?;
        self.clear(index);
        Ok(())
    }

    /// Sets the counters of an interface to 0.
    pub fn clear(&self, index: SwIfIndex) {
        self.simple.iter().for_each(|c| c.clear(index.0));
        self.combined.iter().for_each(|c| c.clear(index.0));
    }

    /// Sets the counters of all interfaces to 0.
    pub fn clear_all(&self) {
        self.simple.iter().for_each(SimpleCounters::clear_all);
        self.combined.iter().for_each(CombinedCounters::clear_all);
    }

    /// The counters themselves, to be linked to under other names.
    #[must_use]
    pub fn simple(&self, which: Simple) -> &SimpleCounters {
        &self.simple[which as usize]
    }

    /// The counters themselves, to be linked to under other names.
    #[must_use]
    pub fn combined(&self, which: Combined) -> &CombinedCounters {
        &self.combined[which as usize]
    }

    /// The rows that one thread writes; `None` when there is no such thread.
    #[must_use]
    pub fn rows(&self, thread: usize) -> Option<InterfaceRows> {
        let simple = self.simple.each_ref().map(|c| c.row(thread));
        let combined = self.combined.each_ref().map(|c| c.row(thread));
        if simple.iter().any(Option::is_none) || combined.iter().any(Option::is_none) {
            return None;
        }
        Some(InterfaceRows {
            simple: simple.map(|row| row.expect("looked at above")),
            combined: combined.map(|row| row.expect("looked at above")),
        })
    }
}

/// One thread's rows, for its packet nodes.
#[derive(Debug)]
pub struct InterfaceRows {
    simple: [SimpleRow; 9],
    combined: [CombinedRow; 8],
}

impl InterfaceRows {
    /// Counts packets.
    #[inline]
    pub fn count(&self, which: Simple, index: u32, packets: u64) {
        self.simple[which as usize].add(index, packets);
    }

    /// Counts packets and bytes.
    #[inline]
    pub fn count_bytes(&self, which: Combined, index: u32, packets: u64, bytes: u64) {
        self.combined[which as usize].add2(index, packets, bytes);
    }
}

fn all<T, const N: usize>(results: [Result<T, EntryError>; N]) -> Result<[T; N], EntryError> {
    let mut values = Vec::with_capacity(N);
    for result in results {
        values.push(result?);
    }
    let Ok(array) = values.try_into() else {
        unreachable!("one value a result")
    };
    Ok(array)
}
