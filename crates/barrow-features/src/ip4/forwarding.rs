//! What the IPv4 nodes of one thread read of the forwarding tables.

use crate::fib::{FibReader, LbIndex};
use arc_swap::{ArcSwapOption, Guard};
use barrow_stats::CombinedRow;
use rustc_hash::FxHashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Path MTUs by table (its index) and destination.
pub(crate) type PathMtuMap = FxHashMap<(u32, u32), u16>;

/// Tables, load balances and adjacencies, and this router's part in flow hashes; cheap to clone, `Send`
/// and `Sync`.
#[derive(Clone, Debug)]
pub struct Forwarding {
    tables: FibReader,
    router_id: Arc<AtomicU32>,
    path_mtus: Arc<ArcSwapOption<PathMtuMap>>,
}

impl Deref for Forwarding {
    type Target = FibReader;

    #[inline]
    fn deref(&self) -> &FibReader {
        &self.tables
    }
}

impl Forwarding {
    /// Reads these tables.
    #[must_use]
    pub fn new(tables: FibReader) -> Self {
        Self {
            tables,
            router_id: Arc::default(),
            path_mtus: Arc::default(),
        }
    }

    /// What makes this router's flow hashes differ from those of the next.
    #[inline]
    #[must_use]
    pub fn router_id(&self) -> u32 {
        self.router_id.load(Ordering::Relaxed)
    }

    /// The path MTUs; nothing when there are none, which is the common case.
    #[inline]
    pub(crate) fn path_mtus(&self) -> Guard<Option<Arc<PathMtuMap>>> {
        self.path_mtus.load()
    }

    pub(crate) fn set_path_mtus(&self, map: PathMtuMap) {
        let map = (!map.is_empty()).then(|| Arc::new(map));
        self.path_mtus.store(map);
    }

    /// Changes the router's part in flow hashes.
    pub fn set_router_id(&self, id: u32) {
        self.router_id.store(id, Ordering::Relaxed);
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
