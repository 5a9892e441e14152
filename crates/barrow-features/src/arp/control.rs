//! Where ARP is answered for others: ranges of addresses, and the interfaces that answer.

use super::proxy::{ProxyRange, ProxyRanges};
use crate::fib::Fib;
use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::api::ApiError;
use barrow_engine::{ArcTable, ConfigStage, RunningConfig};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::rc::Rc;

/// The control side of proxy ARP; a cheap handle, main thread only.
#[derive(Clone)]
pub struct ProxyArp {
    ranges: ProxyRanges,
    enabled: Rc<RefCell<BTreeSet<SwIfIndex>>>,
    arcs: ArcTable,
}

impl fmt::Debug for ProxyArp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyArp")
            .field("ranges", &self.ranges)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl ProxyArp {
    pub(super) fn new(ranges: ProxyRanges, arcs: ArcTable, interfaces: &Interfaces) -> Self {
        let enabled = Rc::<RefCell<BTreeSet<SwIfIndex>>>::default();
        let own = Rc::clone(&enabled);
        interfaces.subscribe(move |event| {
            if let InterfaceEvent::Deleting(index) = event {
                own.borrow_mut().remove(&index);
            }
        });
        Self {
            ranges,
            enabled,
            arcs,
        }
    }

    /// Adds a range (twice is once) or removes one.
    ///
    /// # Errors
    /// NO_SUCH_ENTRY (-6) for the removal of one that is not there.
    pub fn set(&self, range: ProxyRange, add: bool) -> Result<(), ApiError> {
        if !add && !self.ranges.list().contains(&range) {
            return Err(ApiError::NO_SUCH_ENTRY);
        }
        self.ranges.set(range, add);
        Ok(())
    }

    /// The ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> Vec<ProxyRange> {
        self.ranges.list()
    }

    /// Has an interface, which exists, answer or not.
    ///
    /// # Errors
    /// When the arc has no room.
    pub fn enable(&self, index: SwIfIndex, on: bool) -> Result<(), ApiError> {
        let switched = self.arcs.enable("arp", "arp-proxy", index.0, on, &[]);
        switched.map_err(|_| ApiError::UNSPECIFIED)?;
        let mut enabled = self.enabled.borrow_mut();
        if on {
            enabled.insert(index);
        } else {
            enabled.remove(&index);
        }
        Ok(())
    }

    /// The commands that make ranges and interfaces again.
    pub(super) fn write(&self, fib: &Fib, interfaces: &Interfaces, config: &mut RunningConfig) {
        for ProxyRange { table, low, high } in self.ranges() {
            if let Some(table) = fib.table(table) {
                let id = table.id;
                let command = format_args!("set arp proxy table-id {id} start {low} end {high}");
                config.line(ConfigStage::Borrowed, 0, command);
            }
        }
        for name in self
            .enabled
            .borrow()
            .iter()
            .filter_map(|index| interfaces.name(*index))
        {
            let command = format_args!("set interface proxy-arp {name} enable");
            config.line(ConfigStage::Features, 0, command);
        }
    }

    /// The first interface behind `last` that answers: the cursor of dumps.
    #[must_use]
    pub fn next_interface(&self, last: Option<SwIfIndex>) -> Option<SwIfIndex> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        let enabled = self.enabled.borrow();
        enabled.range((from, Bound::Unbounded)).next().copied()
    }
}
