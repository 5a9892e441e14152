//! Neighbours: who has which address on which link, and the packets that wait to know.
//!
//! ```text
//! ip4-lookup --> ip4-arp, ip4-glean --question--> NAME-output
//!                    | hold                             ...
//!                    v                                  v
//!                 packet waits        arp-input --> arp-reply --Learnt--> neighbor-learn (main)
//!                    |                                                        |
//!                    +<-- release, looked up anew <-- adjacency complete <-- Neighbors
//! ```

mod api;
mod cli;
mod config;
mod counters;
mod feature;
mod hold;
mod process;
pub mod resolve;
mod running_config;
mod table;
#[cfg(test)]
mod tests;
mod watchers;

pub use counters::{ArpCounters, ArpRows, ArpTotals};
pub use feature::NeighborFeature;
pub use process::{Learner, Learnt};
pub use table::{
    Neighbor, NeighborConfig, NeighborError, NeighborEvent, NeighborKey, Neighbors, Origin,
};
