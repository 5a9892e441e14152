//! Running the nodes of a graph in topological order, as often as they have work.
//!
//! A **pass** goes once through the ready nodes, upstream before downstream, so that vectors grow
//! before they are spent: a node that several others feed runs once, after all of them. What a
//! node marks *behind* its own rank (itself, or along a feedback edge) waits for the next pass,
//! so no loop in the graph can keep a pass alive. A turn is bounded by its budget; a pass that
//! does not fit goes on in the next turn, so sinks are never starved by sources.
//!
//! Ranks are kept in order incrementally (after Pearce and Kelly, "A dynamic topological sort
//! algorithm for directed acyclic graphs", 2006): nodes and edges may be added between turns at a
//! cost that depends on what has to move. An edge that would close a cycle is a feedback edge;
//! which one that is depends only on the order in which edges were connected.
//!
//! Readiness is a bit a rank, in a bitmap with two levels of summary: marking and taking the next
//! are a few instructions each and never allocate, whatever the number of nodes.

mod export;
mod node;
mod ready;
mod run;
mod topology;
mod unit;

pub use export::{Graphviz, Mermaid};
pub use node::{NodeIndex, NodeStats, Ran, RegionNode};
pub use ready::Ready;
pub use run::{Edge, NodeFailure, NodeInfo, Region};
pub use unit::RegionUnit;
