//! The region itself: nodes, and turns over them.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use barrow_core::{Clock, NoClock, Work};

use super::{
    Graphviz, Mermaid, NodeIndex, NodeStats, Ran, Ready, RegionNode, ready::MAX_NODES,
    topology::Topology,
};

/// A graph of nodes that share an `X` while they run. See the [module](super) for the rules.
///
/// A panicking node fails alone: it is taken out of its place (which stays, and ignores its
/// marks), reported by [`Region::take_failures`], and may be [replaced](Region::replace_node).
///
/// ```
/// use barrow_graph::region::{NodeIndex, Ran, Ready, Region, RegionNode};
///
/// struct Source { sink: NodeIndex }
/// impl RegionNode<Vec<u32>> for Source {
///     fn run(&mut self, queue: &mut Vec<u32>, ready: &mut Ready, quantum: u32) -> Ran {
///         queue.extend(0..quantum.min(3));
///         ready.mark(self.sink);
///         Ran::all(quantum.min(3))
///     }
/// }
/// struct Sink;
/// impl RegionNode<Vec<u32>> for Sink {
///     fn run(&mut self, queue: &mut Vec<u32>, _: &mut Ready, _: u32) -> Ran {
///         Ran::all(queue.drain(..).count() as u32)
///     }
/// }
///
/// let mut region = Region::new();
/// let sink = region.add_node("sink", Box::new(Sink));
/// let source = region.add_node("source", Box::new(Source { sink }));
/// region.connect(source, sink);
/// region.mark(source);
/// let _ = region.turn(&mut Vec::new(), 64);
/// assert_eq!(region.stats(sink).items, 3);
/// ```
pub struct Region<X: ?Sized, C = NoClock> {
    slots: Vec<Slot<X>>,
    names: Vec<Option<Rc<str>>>,
    topology: Topology,
    ready: Ready,
    /// Vacant places, the most recent last.
    free: Vec<NodeIndex>,
    clock: C,
    passes: u64,
    failures: Vec<NodeFailure>,
}

/// A node and its counters in one cache line.
#[repr(align(64))]
struct Slot<X: ?Sized> {
    node: Box<dyn RegionNode<X>>,
    stats: NodeStats,
}

/// What stands in a place without node: takes no room, does nothing.
struct Vacant;

impl<X: ?Sized> RegionNode<X> for Vacant {
    fn run(&mut self, _: &mut X, _: &mut Ready, _: u32) -> Ran {
        Ran::all(0)
    }
}

/// A node that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFailure {
    /// Where it was.
    pub index: NodeIndex,
    /// Its name.
    pub name: Rc<str>,
    /// The panic's message.
    pub message: String,
}

/// One row of a listing.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its index.
    pub index: NodeIndex,
    /// Its name.
    pub name: Rc<str>,
    /// Its place in the order of runs.
    pub rank: u32,
    /// Its counters.
    pub stats: NodeStats,
}

/// A connection between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its source.
    pub from: NodeIndex,
    /// Its target.
    pub to: NodeIndex,
    /// Whether what goes along it waits for the next pass.
    pub feedback: bool,
}

impl<X: ?Sized + 'static> Region<X> {
    /// An empty region that does not measure.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(NoClock)
    }
}

impl<X: ?Sized + 'static> Default for Region<X> {
    fn default() -> Self {
        Self::new()
    }
}

impl<X: ?Sized + 'static, C: Clock> Region<X, C> {
    /// An empty region whose runs are measured by the host's clock.
    #[must_use]
    pub fn with_clock(clock: C) -> Self {
        Self {
            slots: Vec::new(),
            names: Vec::new(),
            topology: Topology::default(),
            ready: Ready::new(),
            free: Vec::new(),
            clock,
            passes: 0,
            failures: Vec::new(),
        }
    }

    /// Adds a node. Its index is the lowest vacant one, or the next.
    ///
    /// # Panics
    /// If the region has 262,144 nodes.
    pub fn add_node(&mut self, name: &str, node: Box<dyn RegionNode<X>>) -> NodeIndex {
        let slot = Slot {
            node,
            stats: NodeStats::default(),
        };
        if let Some(index) = self.free.pop() {
            self.slots[index.0 as usize] = slot;
            self.names[index.0 as usize] = Some(Rc::from(name));
            return index;
        }
        let index = self.slots.len() as u32;
        assert!(index < MAX_NODES, "a region has at most {MAX_NODES} nodes");
        self.slots.push(slot);
        self.names.push(Some(Rc::from(name)));
        self.topology.push();
        self.ready.push();
        NodeIndex(index)
    }

    /// Removes a node with its edges and marks; the node comes back. `None` if there is none.
    pub fn remove_node(&mut self, index: NodeIndex) -> Option<Box<dyn RegionNode<X>>> {
        self.names.get_mut(index.0 as usize)?.take()?;
        self.ready.unmark(index);
        let moved = self.topology.isolate(index.0);
        self.ready.rerank(&moved);
        let place = self.free.partition_point(|free| *free > index);
        self.free.insert(place, index);
        let vacant: Box<dyn RegionNode<X>> = Box::new(Vacant);
        Some(std::mem::replace(
            &mut self.slots[index.0 as usize].node,
            vacant,
        ))
    }

    /// Puts another node into the place of one: name, edges, marks and counters stay. The old one
    /// comes back; `None` if there is none (the new one is dropped).
    pub fn replace_node(
        &mut self,
        index: NodeIndex,
        node: Box<dyn RegionNode<X>>,
    ) -> Option<Box<dyn RegionNode<X>>> {
        self.name(index)?;
        Some(std::mem::replace(
            &mut self.slots[index.0 as usize].node,
            node,
        ))
    }

    /// Adds an edge: `to` runs after `from`, unless that would close a cycle. Adding it again
    /// changes nothing; a node that does not exist neither.
    pub fn connect(&mut self, from: NodeIndex, to: NodeIndex) {
        if self.name(from).is_some() && self.name(to).is_some() {
            let moved = self.topology.connect(from.0, to.0);
            self.ready.rerank(&moved);
        }
    }

    /// Takes an edge out.
    pub fn disconnect(&mut self, from: NodeIndex, to: NodeIndex) {
        if self.name(from).is_some() && self.name(to).is_some() {
            let moved = self.topology.disconnect(from.0, to.0);
            self.ready.rerank(&moved);
        }
    }

    /// Says from outside that a node has work.
    #[inline]
    pub fn mark(&mut self, node: NodeIndex) {
        self.ready.mark(node);
    }

    /// The ready set, for what stands beside the region and marks nodes between turns.
    pub fn ready(&mut self) -> &mut Ready {
        &mut self.ready
    }

    /// Whether some node has work.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Runs ready nodes in rank order until about `budget` items were handled or the pass ends.
    /// A run counts at least one item. [`Work::More`] if something may be left, for this pass or
    /// the next; else [`Work::Idle`].
    pub fn turn(&mut self, x: &mut X, budget: u32) -> Work {
        match catch_unwind(AssertUnwindSafe(|| self.pass(x, budget))) {
            Ok(work) => work,
            Err(payload) => {
                self.fail(&*payload);
                Work::More
            }
        }
    }

    fn pass(&mut self, x: &mut X, mut budget: u32) -> Work {
        let mut stamp = self.clock.clocks();
        while budget > 0 {
            let Some(rank) = self.ready.pop() else { break };
            let number = self.topology.node_at(rank);
            let slot = &mut self.slots[number as usize];
            let Ran { items, left } = slot.node.run(x, &mut self.ready, budget);
            if left {
                self.ready.mark(NodeIndex(number));
            }
            let end = self.clock.clocks();
            slot.stats.book(items, end.wrapping_sub(stamp));
            stamp = end;
            budget = budget.saturating_sub(items.max(1));
        }
        if self.ready.is_mid_pass() {
            return Work::More;
        }
        self.passes += u64::from(self.ready.running().is_some());
        if self.ready.roll() {
            Work::More
        } else {
            Work::Idle
        }
    }

    /// The running node panicked: its place stays, empty.
    #[cold]
    fn fail(&mut self, payload: &(dyn Any + Send)) {
        let Some(rank) = self.ready.running() else {
            return;
        };
        let index = NodeIndex(self.topology.node_at(rank));
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        if let Some(name) = self.name(index).cloned() {
            let message = text.unwrap_or_else(|| "a panic without text".to_owned());
            self.failures.push(NodeFailure {
                index,
                name,
                message,
            });
        }
        let failed = self.replace_node(index, Box::new(Vacant));
        // Its destructor may panic as well; once is enough to be reported.
        drop(catch_unwind(AssertUnwindSafe(|| drop(failed))));
    }

    /// Takes the nodes that failed since the last call. O(1) when there are none.
    pub fn take_failures(&mut self) -> Vec<NodeFailure> {
        std::mem::take(&mut self.failures)
    }

    /// A node as what it is; `None` if it is not there or something else.
    pub fn node_mut<N: RegionNode<X>>(&mut self, index: NodeIndex) -> Option<&mut N> {
        let node: &mut dyn Any = &mut *self.slots.get_mut(index.0 as usize)?.node;
        node.downcast_mut()
    }

    /// A node's name; `None` if there is none at this index.
    #[must_use]
    pub fn name(&self, index: NodeIndex) -> Option<&Rc<str>> {
        self.names.get(index.0 as usize)?.as_ref()
    }

    /// The first node with this name. O(nodes).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NodeIndex> {
        let found = self.names.iter().position(|n| n.as_deref() == Some(name))?;
        Some(NodeIndex(found as u32))
    }

    /// A node's counters; zeros if there is none.
    #[must_use]
    pub fn stats(&self, index: NodeIndex) -> NodeStats {
        self.slots
            .get(index.0 as usize)
            .map_or_else(NodeStats::default, |slot| slot.stats)
    }

    /// Zeroes every counter.
    pub fn clear_stats(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.stats = NodeStats::default());
        self.passes = 0;
    }

    /// Passes completed.
    #[must_use]
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether the region has no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every node, in the order of runs.
    pub fn nodes(&self) -> impl Iterator<Item = NodeInfo> {
        (0..self.slots.len() as u32).filter_map(|rank| {
            let number = self.topology.node_at(rank);
            let name = self.names[number as usize].clone()?;
            let stats = self.slots[number as usize].stats;
            Some(NodeInfo {
                index: NodeIndex(number),
                name,
                rank,
                stats,
            })
        })
    }

    /// Every edge, by source in the order of runs, then in the order of connection.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.nodes().flat_map(|node| {
            let targets = self.topology.targets(node.index.0);
            targets.map(move |(to, feedback)| Edge {
                from: node.index,
                to: NodeIndex(to),
                feedback,
            })
        })
    }

    /// The graph in Graphviz's language.
    #[must_use]
    pub fn graphviz(&self) -> Graphviz {
        Graphviz::new(self.nodes().collect(), self.edges().collect())
    }

    /// The graph in Mermaid's language.
    #[must_use]
    pub fn mermaid(&self) -> Mermaid {
        Mermaid::new(self.nodes().collect(), self.edges().collect())
    }
}

impl NodeStats {
    #[inline]
    fn book(&mut self, items: u32, clocks: u64) {
        self.calls += 1;
        self.items += u64::from(items);
        self.max_items = self.max_items.max(items);
        self.clocks = self.clocks.wrapping_add(clocks);
        if clocks > self.max_clocks {
            self.max_clocks = clocks;
            self.max_clocks_items = items;
        }
    }
}

impl<X: ?Sized, C> fmt::Debug for Region<X, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("nodes", &(self.slots.len() - self.free.len()))
            .field("passes", &self.passes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
