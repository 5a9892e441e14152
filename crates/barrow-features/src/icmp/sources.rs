//! The address that an interface speaks from.

use crate::interface::SwIfIndex;
use crate::ip::InterfaceAddress;
use arc_swap::ArcSwap;
use std::net::Ipv4Addr;
use std::sync::Arc;

type List = Vec<Arc<[InterfaceAddress]>>;

/// Addresses of each interface (its own, or those it borrows); cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct SourceAddresses(Arc<ArcSwap<List>>);

impl SourceAddresses {
    /// The address an interface answers from.
    #[must_use]
    pub fn get(&self, index: SwIfIndex) -> Option<Ipv4Addr> {
        let list = self.0.load();
        list.get(index.slot())?.first().map(|first| first.address)
    }

    /// The address to speak to `target` from: one of its network, else the first.
    #[must_use]
    pub fn towards(&self, index: SwIfIndex, target: Ipv4Addr) -> Option<Ipv4Addr> {
        let list = self.0.load();
        let own = list.get(index.slot())?;
        let near = own.iter().find(|own| own.contains(target));
        near.or_else(|| own.first()).map(|own| own.address)
    }

    /// Publishes the addresses of an interface. Main thread only, by convention.
    pub fn set(&self, index: SwIfIndex, addresses: &[InterfaceAddress]) {
        let mut list = List::clone(&self.0.load());
        if list.len() <= index.slot() {
            list.resize(index.slot() + 1, Arc::new([]));
        }
        list[index.slot()] = addresses.into();
        self.0.store(Arc::new(list));
    }
}
