//! Adjacencies: how a packet leaves towards one neighbour, or onto one link.
//!
//! ```text
//!   routes ── load balance ──►┐                        ┌─ interface, output node, MTU
//!   routes ── load balance ──►├─ adjacency 5 (record) ─┤─ kind: incomplete | rewrite | glean | broadcast
//!   routes ── load balance ──►┘   10.0.1.2 on pg1      └─ rewrite: the link header, ready to copy
//! ```
//!
//! An adjacency is made when the first path needs it and shared by all; [`AdjTable`] (main thread) keeps
//! the database, [`Adjacencies`] (any thread) reads the records. When a neighbour is resolved, lost or
//! changes its address, only its record changes, in one step and without touching a route: a million
//! routes through one neighbour start to forward with one store.
//!
//! What a record needs to know comes from two traits: [`Links`] (the interface feature: state, header
//! bytes, MTU) and [`Neighbours`] (the neighbour feature: who has which address). They tell the table of
//! changes by [`AdjTable::interface_changed`] and [`AdjTable::neighbour_changed`].

mod index;
mod link;
mod record;
mod rewrite;
mod show;
mod table;
#[cfg(test)]
pub(crate) mod test_links;

pub use index::AdjIndex;
pub use link::{Links, Neighbours, NoNeighbours, Output, Reach};
pub use record::{AdjFlags, AdjKind, Adjacencies, Adjacency};
pub use rewrite::Rewrite;
pub use table::{AdjKey, AdjTable, AdjTarget};
