//! The address that an interface answers from.

use crate::interface::SwIfIndex;
use arc_swap::ArcSwap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// First address of each interface (its own, or the one it borrows); cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct SourceAddresses(Arc<ArcSwap<Vec<Option<Ipv4Addr>>>>);

impl SourceAddresses {
    /// The address an interface answers from.
    #[must_use]
    pub fn get(&self, index: SwIfIndex) -> Option<Ipv4Addr> {
        self.0.load().get(index.slot()).copied().flatten()
    }

    /// Publishes the address, or that there is none. Main thread only, by convention.
    pub fn set(&self, index: SwIfIndex, address: Option<Ipv4Addr>) {
        let mut list = Vec::clone(&self.0.load());
        if list.len() <= index.slot() {
            list.resize(index.slot() + 1, None);
        }
        list[index.slot()] = address;
        self.0.store(Arc::new(list));
    }
}
