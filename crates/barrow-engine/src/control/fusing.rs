//! Groups of nodes that run as one, from the main thread.

use super::Control;
use crate::fuse::{Fused, FusedGroup, GroupEntry};
use crate::node::{NodeError, NodeId, NodeThread, RuntimeRow};
use std::rc::Rc;
use std::sync::Arc;

/// What went through a group.
#[derive(Clone, Debug)]
pub struct FusedRuntime {
    /// Its name.
    pub name: Rc<str>,
    /// Its nodes, in order; clocks are those of the first.
    pub nodes: Vec<String>,
    /// Packets that went through it as one, since the start.
    pub packets: u64,
}

impl Control {
    /// Lets groups of nodes run as one (the default), or only the single nodes. The same packets come out
    /// either way.
    pub fn set_fusing(&self, on: bool) {
        for thread in 0..self.thread_count() {
            self.on_thread(thread, move |thread| thread.packets().fused.switch(on));
        }
    }

    /// What went through each group, on all threads.
    #[must_use]
    pub fn fused(&self) -> Vec<FusedRuntime> {
        let groups = self.0.groups.borrow();
        let runtime = |group: &GroupEntry| FusedRuntime {
            name: group.name.clone(),
            nodes: group.nodes.clone(),
            packets: group.rows.iter().map(|row| row.read().vectors).sum(),
        };
        groups.iter().map(runtime).collect()
    }

    /// Notes a group, until the graph is put in place.
    pub(crate) fn add_group<G: FusedGroup>(
        &self,
        name: &str,
        nodes: &[&str],
        make: impl Fn(NodeThread) -> G + 'static,
    ) {
        self.0.groups.borrow_mut().push(GroupEntry {
            name: name.into(),
            nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
            make: Rc::new(move |thread| Box::new(make(thread))),
            rows: (0..self.thread_count())
                .map(|_| Arc::new(RuntimeRow::default()))
                .collect(),
        });
    }

    /// Gives each thread its instance of every group.
    pub(super) fn place_groups(&self) -> Result<(), NodeError> {
        for group in &*self.0.groups.borrow() {
            let find = |name: &String| {
                let missing = || NodeError::UnknownNext {
                    node: group.name.to_string(),
                    next: name.clone(),
                };
                self.node_by_name(name).ok_or_else(missing)
            };
            let members: Vec<NodeId> = group.nodes.iter().map(find).collect::<Result<_, _>>()?;
            let Some(first) = members.first() else {
                continue;
            };
            for (thread, row) in group.rows.iter().enumerate() {
                let instance = (group.make)(self.node_thread(thread, *first));
                let fused = Fused::new(instance, members.clone(), row.clone());
                self.on_thread(thread, move |thread| thread.fuse(fused));
            }
        }
        Ok(())
    }
}
