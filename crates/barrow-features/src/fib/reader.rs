//! The tables as workers see them.

use super::table::MAX_TABLES;
use super::{FibIndex, LoadBalances};
use crate::adj::Adjacencies;
use crate::ip4::mtrie::Ip4Mtrie;
use arc_swap::{ArcSwapOption, Guard};
use std::sync::Arc;

/// An IPv4 table for lookups, kept alive while it is held; take one a vector.
pub type Ip4TableGuard = Guard<Option<Arc<Ip4Mtrie>>>;

/// Everything that forwarding reads. Cheap to clone; `Send` and `Sync`.
///
/// ```text
/// address ─ ip4_table(fib) ─► Ip4Mtrie::lookup ─► LbIndex ─ load_balances ─► Dpo ─ adjacencies ─► Adjacency
/// ```
///
/// A thread that reads registers with [`Epochs::worker`](super::Epochs::worker) and announces once a turn.
#[derive(Clone, Debug)]
pub struct FibReader {
    ip4: Arc<[ArcSwapOption<Ip4Mtrie>]>,
    load_balances: LoadBalances,
    adjacencies: Adjacencies,
}

impl FibReader {
    pub(super) fn new(load_balances: LoadBalances, adjacencies: Adjacencies) -> Self {
        let ip4 = (0..MAX_TABLES).map(|_| ArcSwapOption::empty()).collect();
        Self {
            ip4,
            load_balances,
            adjacencies,
        }
    }

    /// An IPv4 table; empty when there is none of this index (packets are dropped).
    #[inline]
    #[must_use]
    pub fn ip4_table(&self, fib: FibIndex) -> Ip4TableGuard {
        match self.ip4.get(fib.0 as usize) {
            Some(table) => table.load(),
            None => Guard::from_inner(None),
        }
    }

    /// What the results of lookups lead to.
    #[inline]
    #[must_use]
    pub const fn load_balances(&self) -> &LoadBalances {
        &self.load_balances
    }

    /// How packets leave.
    #[inline]
    #[must_use]
    pub const fn adjacencies(&self) -> &Adjacencies {
        &self.adjacencies
    }

    pub(super) fn publish(&self, fib: FibIndex, table: Option<Arc<Ip4Mtrie>>) {
        if let Some(slot) = self.ip4.get(fib.0 as usize) {
            slot.store(table);
        }
    }
}
