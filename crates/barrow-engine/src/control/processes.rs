//! What process nodes do and cost.

use super::Control;
use crate::node::table::Entry;
use crate::node::{NodeId, Runtime};
use barrow_core::{ProcessStatus, UnitStats};
use std::panic::Location;
use std::rc::Rc;

/// One process node, for listings.
#[derive(Clone, Debug)]
pub struct ProcessInfo {
    /// Its node.
    pub id: NodeId,
    /// Its name.
    pub name: Rc<str>,
    /// What it does, and what it waits for.
    pub status: ProcessStatus,
    /// What it cost; zeroes once it has ended.
    pub stats: UnitStats,
    /// Where in the source it was registered; `None` once it has ended.
    pub registered: Option<&'static Location<'static>>,
}

impl Control {
    /// Every process node, in the order of registration.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let nodes = self.0.nodes.borrow();
        nodes
            .iter()
            .filter_map(|(id, entry)| self.process_info(id, entry))
            .collect()
    }

    /// One process node; `None` if the node is none.
    #[must_use]
    pub fn process(&self, node: NodeId) -> Option<ProcessInfo> {
        self.process_info(node, self.0.nodes.borrow().get(node)?)
    }

    pub(super) fn process_info(&self, id: NodeId, entry: &Entry) -> Option<ProcessInfo> {
        let status = entry.process.clone()?;
        let unit = entry.unit.and_then(|unit| self.0.spawner.unit(unit));
        Some(ProcessInfo {
            id,
            name: entry.name.clone(),
            status,
            stats: unit.as_ref().map(|unit| unit.stats).unwrap_or_default(),
            registered: unit.map(|unit| unit.registered),
        })
    }
}

impl ProcessInfo {
    /// The same in the columns of `show runtime`.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        Runtime {
            suspends: self.status.suspends(),
            clocks: self.stats.clocks,
            max_clocks: self.stats.max_clocks,
            ..Runtime::default()
        }
    }
}
