//! What the IPv4 nodes of one thread read of the forwarding tables.

use super::mtrie::Ip4Mtrie;
use crate::adj::Adjacencies;
use crate::fib::{LbIndex, LoadBalances};
use arc_swap::ArcSwap;
use barrow_stats::CombinedRow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// One published state of all tables, by FIB index.
#[derive(Debug, Default)]
pub struct Tables(Vec<Option<Arc<Ip4Mtrie>>>);

impl Tables {
    /// The table of a FIB index.
    #[inline]
    #[must_use]
    pub fn get(&self, fib_index: u32) -> Option<&Ip4Mtrie> {
        self.0.get(fib_index as usize)?.as_deref()
    }
}

/// Tables, load balances and adjacencies together; cheap to clone, `Send` and `Sync`.
///
/// The list of tables is replaced whole when one is made or removed; the tables themselves change in
/// place, a word at a time.
#[derive(Clone, Debug)]
pub struct Forwarding {
    tables: Arc<ArcSwap<Tables>>,
    load_balances: LoadBalances,
    adjacencies: Adjacencies,
    router_id: Arc<AtomicU32>,
}

impl Forwarding {
    /// No tables yet.
    #[must_use]
    pub fn new(load_balances: LoadBalances, adjacencies: Adjacencies) -> Self {
        Self {
            tables: Arc::default(),
            load_balances,
            adjacencies,
            router_id: Arc::default(),
        }
    }

    /// The tables now; nodes keep them for a vector.
    #[inline]
    #[must_use]
    pub fn tables(&self) -> arc_swap::Guard<Arc<Tables>> {
        self.tables.load()
    }

    /// What routes lead to.
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

    /// What makes this router's flow hashes differ from those of the next.
    #[inline]
    #[must_use]
    pub fn router_id(&self) -> u32 {
        self.router_id.load(Ordering::Relaxed)
    }

    /// Changes the router's part in flow hashes.
    pub fn set_router_id(&self, id: u32) {
        self.router_id.store(id, Ordering::Relaxed);
    }

    /// Publishes a table, or that it is gone. Main thread only, by convention.
    pub fn set_table(&self, fib_index: u32, table: Option<Arc<Ip4Mtrie>>) {
        let mut list = self.tables.load().0.clone();
        let slot = fib_index as usize;
        if list.len() <= slot {
            list.resize(slot + 1, None);
        }
        list[slot] = table;
        self.tables.store(Arc::new(Tables(list)));
    }
}

/// One thread's counters of routes, by load balance.
#[derive(Debug)]
pub struct RouteRows(CombinedRow);

impl RouteRows {
    /// The rows of `/net/route/to` or `/net/route/via`.
    #[must_use]
    pub const fn new(row: CombinedRow) -> Self {
        Self(row)
    }

    /// Counts packets and bytes of a route.
    #[inline]
    pub fn add(&self, route: LbIndex, packets: u64, bytes: u64) {
        self.0.add2(route.0, packets, bytes);
    }

    /// Asks for a route's counter to be brought close.
    #[inline]
    pub fn prefetch(&self, route: LbIndex) {
        self.0.prefetch(route.0);
    }
}
