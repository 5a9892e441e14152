//! Forwarding tables: prefixes, sources, path lists, recursion, load balances.
//!
//! # The model
//!
//! ```text
//!  control plane (main thread, Fib)                     data plane (any thread, FibReader)
//!
//!  table ─ prefix 23.0.0.0/8 ─ entry 19 ─────────────►  Ip4Mtrie: address ─► load balance 20
//!             sources: API ◄─ best, CLI                        │
//!                │ forwards by                                 ▼
//!          path list 25 (shared, in order of preference) ► LoadBalances: [20] via load balance 21
//!             path: via 20.0.0.1 in table 0                    │
//!                │ resolves through                            ▼
//!             entry 20 (20.0.0.1/32, made for resolution) ► [21] adjacency 4
//!                │ follows its covering route                  │
//!             entry 16 (20.0.0.0/8) ─ path list 22             ▼
//!                path: 10.0.1.2 on pg1 ─ adjacency 4 ───► Adjacencies: [4] rewrite, MTU, node
//! ```
//!
//! * A *route* (entry) is a prefix of a *table*. Several [`Source`]s may have a say in it; the best one
//!   decides. It has one load balance for life, whose index is also that of its counters.
//! * A *path list* is shared by all routes of the same paths, and comes to one destination or to a block
//!   of buckets. Only resolved paths of the best preference count.
//! * A *recursive path* resolves through the host route of its next hop. That route exists for the purpose
//!   and follows whatever covers it, until somebody adds a better one. Data recurses too: a million routes
//!   through one BGP next hop name its load balance, and a change behind it stores one word. Paths that
//!   lead back to themselves are unresolved, and recursion deeper than [`MAX_RECURSION`] drops.
//! * *Addresses* of interfaces make local, connected and special routes; *neighbours* make host routes, but
//!   only inside a network that is attached to their link.
//!
//! # Concurrency
//!
//! The main thread changes, workers read, nobody waits. Each step of a lookup reads one atomic word (an
//! adjacency: one consistent copy), and each word is at any time the old or the new one. New things are
//! complete before the word that leads to them is stored; old things are reused when no worker can hold
//! them any more ([`Epochs`]). A replaced route switches in one store: no packet that has a route is lost.
//!
//! # Memory of a route through a shared path list
//!
//! ```text
//! entry                 24 bytes
//! load balance           8
//! prefix hash        5..11   (5 bytes a slot, 44 % to 87 % full)
//! plies                  4   consecutive /24 (1 KiB for 256 of them), 67 for a million random /24
//! ```
//!
//! So a million consecutive /24 take 46 MB, random ones 110 MB, of which the counters in the statistics
//! segment are no part.
//!
//! # For packet nodes
//!
//! [`Fib::reader`] gives a [`FibReader`] to clone into nodes; register each thread with [`Epochs::worker`]
//! and announce once a turn. Then, a vector at a time: [`FibReader::ip4_table`],
//! [`Ip4Mtrie::lookup_batch`](crate::ip4::mtrie::Ip4Mtrie::lookup_batch), [`LoadBalances::load_batch`],
//! [`LoadBalances::pick`] (or [`LoadBalances::resolve`] to the end), and [`Dpo::kind`] as an index into the
//! next nodes; for [`DpoKind::Adjacency`], [`Adjacencies::kind`](crate::adj::Adjacencies::kind) tells rewrite
//! from ARP and glean.

mod chunked;
mod client;
mod control;
mod counters;
mod dpo;
mod entry;
mod epoch;
mod error;
mod feature;
mod flags;
mod flow_hash;
mod interface;
mod lists;
mod load_balance;
mod path;
mod path_list;
mod prefix;
mod reader;
mod record;
mod routes;
mod select;
mod show;
mod source;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod weights;

pub use chunked::Chunked;
pub use control::{Fib, RouteChange, RouteInfo, TableInfo};
pub use counters::{NoCounters, ObjectCounters, Totals};
pub use dpo::{Dpo, DpoKind, LbIndex};
pub use epoch::{Epochs, Retired, Worker};
pub use error::FibError;
pub use flags::EntryFlags;
pub use flow_hash::{FlowHashConfig, Ip4Flow};
pub use load_balance::{Choice, LoadBalances, MAX_RECURSION};
pub use path::{PathKind, PathSpec, RoutePath};
pub(crate) use prefix::mask4;
pub use prefix::{AddressFamily, Prefix};
pub use reader::{FibReader, Ip4TableGuard};
pub use show::{ShowFib, ShowPart};
pub use source::Source;
pub use table::{FibIndex, MAX_TABLES};
