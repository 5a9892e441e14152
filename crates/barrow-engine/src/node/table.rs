//! All nodes by name, on the main thread.
//!
//! A node's index is given out once; after a removal it rests behind [`REST`] others before it is given to
//! another node, so that packets and tables that still name it find nobody (its place is held by a node
//! that drops) rather than a stranger.

use super::slot::{Meta, Placed};
use super::{
    InputMode, Line, NodeId, NodeKind, NodeOptions, NodeThread, Role, Runtime, RuntimeRow,
};
use crate::error::ErrorTableError;
use crate::fuse::Placement;
use crate::trace::Arm;
use barrow_core::{CounterDescription, ProcessStatus};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Removed nodes that wait before the first of them is reused.
const REST: usize = 256;

/// Longest name, in bytes: that of an interface, and what its nodes have behind it.
const LONGEST_NAME: usize = 79;

/// Makes the instance for one thread.
pub(crate) type Factory = Rc<dyn Fn(NodeThread, Meta) -> Placed>;

/// Why a node could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A node of this name exists.
    #[error("node {0} exists already")]
    Duplicate(String),
    /// A name is 1 to 79 printable ASCII characters without blanks.
    #[error("{0:?} is no name for a node")]
    BadName(String),
    /// A next node does not exist.
    #[error("node {node} has next node {next}, which does not exist")]
    UnknownNext {
        /// The node.
        node: String,
        /// The missing one.
        next: String,
    },
    /// The node to share next nodes with does not exist.
    #[error("node {node} is to be a sibling of {sibling}, which does not exist")]
    UnknownSibling {
        /// The node.
        node: String,
        /// The missing one.
        sibling: String,
    },
    /// There is no such node.
    #[error("no node {0}")]
    Unknown(String),
    /// The node is of another kind than asked for.
    #[error("node {0} is of another kind")]
    WrongKind(String),
    /// All indices are in use.
    #[error("no room for another node")]
    Full,
    /// The node's counters could not be made.
    #[error(transparent)]
    Errors(#[from] ErrorTableError),
}

/// One next slot.
#[derive(Clone, Debug)]
pub(crate) struct Next {
    pub(crate) name: String,
    pub(crate) node: Option<NodeId>,
}

/// A node as the main thread knows it.
pub(crate) struct Entry {
    pub(crate) name: Rc<str>,
    pub(crate) kind: NodeKind,
    pub(crate) role: Role,
    /// When an input node runs, by thread.
    pub(crate) modes: Vec<Arc<Line<InputMode>>>,
    pub(crate) lazy_nexts: bool,
    /// By slot: those of `NextNodes`, then those added at run time.
    pub(crate) nexts: Vec<Next>,
    /// The slots of `NextNodes`, as the node's instances read them.
    pub(crate) declared: Arc<[Line<NodeId>]>,
    /// Nodes with the same number share their next slots.
    pub(crate) family: NodeId,
    pub(crate) errors: u16,
    pub(crate) counters: &'static [CounterDescription],
    pub(crate) factory: Option<Factory>,
    pub(crate) rows: Vec<Arc<RuntimeRow>>,
    pub(crate) arm: Arc<Arm>,
    /// Interrupt slot of an input node.
    pub(crate) input: Option<usize>,
    pub(crate) process: Option<ProcessStatus>,
    pub(crate) unit: Option<barrow_core::UnitId>,
    /// What the counters stood at when they were cleared, by thread.
    pub(crate) cleared: Vec<Runtime>,
}

/// One node, for listings.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its index.
    pub id: NodeId,
    /// Its name.
    pub name: Rc<str>,
    /// What kind of node it is.
    pub kind: NodeKind,
    /// What its vectors count as.
    pub role: Role,
    /// When it runs on each thread, if it is an input node.
    pub modes: Vec<InputMode>,
    /// Its next nodes by slot; `None` where the named node does not exist.
    pub nexts: Vec<(String, Option<NodeId>)>,
    /// The nodes that have it as a next node.
    pub previous: Vec<NodeId>,
    /// What its counters are.
    pub counters: &'static [CounterDescription],
    /// The number of its first counter.
    pub first_counter: u16,
    /// What a process node does.
    pub process: Option<ProcessStatus>,
}

#[derive(Default)]
pub(crate) struct NodeTable {
    entries: Vec<Option<Entry>>,
    by_name: HashMap<Rc<str>, NodeId>,
    resting: VecDeque<NodeId>,
    free_inputs: Vec<usize>,
    inputs: usize,
}

impl NodeTable {
    pub(crate) fn id(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Entry> {
        self.entries.get(id.slot())?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Entry> {
        self.entries.get_mut(id.slot())?.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Entry)> {
        let with_id = |(slot, entry): (usize, &'_ Option<Entry>)| {
            entry.as_ref().map(|_| NodeId::from_slot(slot))
        };
        self.entries
            .iter()
            .enumerate()
            .filter_map(with_id)
            .filter_map(|id| Some((id, self.get(id)?)))
    }

    /// Looks at a name before anything is made for it.
    pub(crate) fn check_name(&self, name: &str) -> Result<(), NodeError> {
        let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > LONGEST_NAME || !printable {
            return Err(NodeError::BadName(name.to_owned()));
        }
        if self.by_name.contains_key(name) {
            return Err(NodeError::Duplicate(name.to_owned()));
        }
        Ok(())
    }

    /// Adds an entry whose name was checked.
    pub(crate) fn insert(&mut self, entry: Entry) -> Result<NodeId, NodeError> {
        let rested = self.resting.len() > REST || self.entries.len() == NodeId::MAX;
        let id = match self.resting.front().filter(|_| rested) {
            Some(id) => *id,
            None if self.entries.len() == NodeId::MAX => return Err(NodeError::Full),
            None => NodeId::from_slot(self.entries.len()),
        };
        if rested {
            self.resting.pop_front();
        } else {
            self.entries.push(None);
        }
        self.by_name.insert(entry.name.clone(), id);
        self.entries[id.slot()] = Some(entry);
        Ok(id)
    }

    /// Takes an entry out. Next slots of others that lead to it lead nowhere then.
    pub(crate) fn remove(&mut self, id: NodeId) -> Option<Entry> {
        let entry = self.entries.get_mut(id.slot())?.take()?;
        self.by_name.remove(&entry.name);
        self.resting.push_back(id);
        if let Some(input) = entry.input {
            self.free_inputs.push(input);
        }
        for other in self.entries.iter_mut().flatten() {
            for slot in 0..other.nexts.len() {
                if other.nexts[slot].node == Some(id) {
                    other.set_next(slot, None);
                }
            }
        }
        Some(entry)
    }

    /// Gives a node another name, which was checked; the next slots that lead to it are called like it.
    pub(crate) fn rename(&mut self, id: NodeId, name: &str) -> Option<()> {
        let renamed: Rc<str> = name.into();
        let former = std::mem::replace(&mut self.get_mut(id)?.name, renamed.clone());
        self.by_name.remove(&former);
        self.by_name.insert(renamed, id);
        let nexts = self
            .entries
            .iter_mut()
            .flatten()
            .flat_map(|entry| &mut entry.nexts);
        for next in nexts.filter(|next| next.node == Some(id)) {
            name.clone_into(&mut next.name);
        }
        Some(())
    }

    /// A free interrupt slot.
    pub(crate) fn input_slot(&mut self) -> Option<usize> {
        self.free_inputs.pop().or_else(|| {
            (self.inputs < super::MOST_INPUTS).then(|| {
                self.inputs += 1;
                self.inputs - 1
            })
        })
    }

    /// Next slots that lead nowhere although their node exists now: (node, slot, next).
    pub(crate) fn resolvable(&self) -> Vec<(NodeId, usize, NodeId)> {
        let mut found = Vec::new();
        for (id, entry) in self.iter() {
            for (slot, next) in entry
                .nexts
                .iter()
                .enumerate()
                .filter(|(_, next)| next.node.is_none())
            {
                found.extend(self.id(&next.name).map(|node| (id, slot, node)));
            }
        }
        found
    }

    /// Adds a next node to a node and its siblings; returns the slot, which is the old one if it was there.
    /// The second part says which nodes got it newly.
    pub(crate) fn add_next(&mut self, from: NodeId, to: NodeId) -> Option<(usize, Vec<NodeId>)> {
        let name = self.get(to)?.name.to_string();
        let entry = self.get(from)?;
        if let Some(slot) = entry.nexts.iter().position(|next| next.node == Some(to)) {
            return Some((slot, Vec::new()));
        }
        let (family, slot) = (entry.family, entry.nexts.len());
        let family: Vec<_> = self
            .iter()
            .filter(|(_, entry)| entry.family == family)
            .map(|(id, _)| id)
            .collect();
        for id in &family {
            if let Some(entry) = self.get_mut(*id) {
                entry.nexts.push(Next {
                    name: name.clone(),
                    node: Some(to),
                });
            }
        }
        Some((slot, family))
    }

    pub(crate) fn info(&self, id: NodeId) -> Option<NodeInfo> {
        let entry = self.get(id)?;
        let leads_here = |other: &Entry| other.nexts.iter().any(|next| next.node == Some(id));
        Some(NodeInfo {
            id,
            name: entry.name.clone(),
            kind: entry.kind,
            role: entry.role,
            modes: entry.modes.iter().map(|mode| mode.get()).collect(),
            nexts: entry
                .nexts
                .iter()
                .map(|next| (next.name.clone(), next.node))
                .collect(),
            previous: self
                .iter()
                .filter(|(_, e)| leads_here(e))
                .map(|(id, _)| id)
                .collect(),
            counters: entry.counters,
            first_counter: entry.errors,
            process: entry.process.clone(),
        })
    }
}

impl Entry {
    /// Sets the node behind a next slot; without one, packets go to `null-node`.
    pub(crate) fn set_next(&mut self, slot: usize, next: Option<NodeId>) {
        self.nexts[slot].node = next;
        if let Some(line) = self.declared.get(slot) {
            line.set(next.unwrap_or(NodeId::NULL));
        }
    }

    /// The instance of this node for one thread. Packet and input nodes only.
    pub(crate) fn instance(&self, id: NodeId, thread: NodeThread) -> Option<Placed> {
        let factory = self.factory.as_ref()?;
        let meta = Meta {
            id,
            nexts: self.declared.clone(),
            mode: self.modes.get(thread.thread)?.clone(),
            errors: self.errors,
            row: self.rows.get(thread.thread)?.clone(),
            arm: self.arm.clone(),
        };
        Some(factory(thread, meta))
    }

    /// What else a thread knows of the node.
    pub(crate) fn placement(&self, thread: usize) -> Option<Placement> {
        Some(Placement {
            row: self.rows.get(thread)?.clone(),
            arm: self.arm.clone(),
        })
    }

    /// What the node cost on a thread since it was cleared.
    pub(crate) fn runtime(&self, thread: usize) -> Runtime {
        let Some(row) = self.rows.get(thread) else {
            return Runtime::default();
        };
        row.read()
            .since(self.cleared.get(thread).copied().unwrap_or_default())
    }

    pub(crate) fn clear_runtime(&mut self) {
        self.rows.iter().for_each(|row| row.clear_maximum());
        self.cleared = self.rows.iter().map(|row| row.read()).collect();
    }
}

impl fmt::Debug for NodeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

/// What a registration says of a node before it has an index.
pub(crate) struct Registration {
    pub(crate) options: NodeOptions,
    pub(crate) kind: NodeKind,
    pub(crate) nexts: &'static [&'static std::ffi::CStr],
    pub(crate) counters: &'static [CounterDescription],
    pub(crate) factory: Option<Factory>,
}
