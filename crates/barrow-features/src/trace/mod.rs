//! Packet traces for people and programs: the commands and messages on the engine's
//! [`TraceControl`](barrow_engine::TraceControl).
//!
//! A trace that a client reads in pieces over the API is read from a snapshot that is taken with the
//! first piece, and forgotten with the client ([`Snapshots`]).

mod api;
mod cli;
mod feature;
mod graph;
mod show;
mod snapshot;

#[cfg(test)]
mod tests;

pub use feature::TraceFeature;
pub use snapshot::Snapshots;

use barrow_engine::{Control, Filter, NodeId, NodeInfo, NodeKind, Role};

/// Whether packets can be traced from a node on: those that bring packets in, and those that end them
/// (VPP's flag `TRACE_SUPPORTED`).
fn is_traceable(node: &NodeInfo) -> bool {
    node.kind == NodeKind::Input
        || matches!(node.role, Role::Drop | Role::Punt)
        || [NodeId::ERROR_DROP, NodeId::ERROR_PUNT].contains(&node.id)
}

/// Sets which traces are kept, and ends what is being traced: what was caught so far was caught for
/// another filter (`vpp:src/vlib/trace.c`).
fn set_filter(control: &Control, filter: Filter) {
    for node in control.nodes() {
        control.trace().add(node.id, 0);
    }
    control.trace().set_filter(filter);
}
