//! Making routes, packet nodes and arcs follow the table and the state of interfaces.

use super::{AddressError, Addresses, InterfaceAddress};
use crate::fib::FibIndex;
use crate::interface::{InterfaceEvent, SwIfIndex};
use std::net::IpAddr;

impl Addresses {
    /// Makes routes, packet nodes and the arc follow what an interface has now.
    pub(super) fn settle(&self, index: SwIfIndex) -> Result<(), AddressError> {
        let table = self.table_of(index)?;
        let up = self.interfaces.is_up(index);
        let changed: Vec<_> = {
            let mut state = self.state.borrow_mut();
            let own = state.by_interface.entry(index).or_default();
            let differ = own.iter_mut().filter(|held| held.routed != up);
            differ
                .map(|held| {
                    held.routed = up;
                    held.address
                })
                .collect()
        };
        for InterfaceAddress { address, len } in changed {
            let address = IpAddr::V4(address);
            if up {
                self.fib.add_address(table, index, address, len)?;
            } else {
                self.fib.remove_address(table, index, address, len)?;
            }
        }
        self.publish(index);
        // What borrows from this interface speaks from another address now.
        let borrowers: Vec<_> = self.interfaces.iter_indexes().collect();
        for borrower in borrowers {
            if self
                .interfaces
                .sw(borrower)
                .is_some_and(|sw| sw.unnumbered == Some(index))
            {
                self.publish(borrower);
            }
        }
        Ok(())
    }

    fn publish(&self, index: SwIfIndex) {
        let mut speaks_from = self.of(index);
        if speaks_from.is_empty() {
            let lender = self.interfaces.sw(index).and_then(|sw| sw.unnumbered);
            speaks_from = lender.map(|lender| self.of(lender)).unwrap_or_default();
        }
        self.sources.set(index, &speaks_from);
        let wanted = {
            let state = self.state.borrow();
            state.wanted.contains(&index) || state.enabled.get(&index).is_some_and(|n| *n > 0)
        };
        let enabled = !speaks_from.is_empty() || wanted;
        let is_new = self
            .interfaces
            .sw(index)
            .is_some_and(|sw| sw.ip4_enabled != enabled);
        if is_new {
            // Interfaces exist as long as they are published, so neither of the two can fail.
            drop(self.interfaces.set_ip4_enabled(index, enabled));
            drop(
                self.arcs
                    .enable("ip4-unicast", "ip4-not-enabled", index.0, !enabled, &[]),
            );
        }
    }

    /// Closes `local0`, which is older than this table, to IPv4 packets, as every new interface is.
    pub(in crate::ip) fn take_up_local0(&self) {
        let created = self.follow(InterfaceEvent::Created(SwIfIndex::LOCAL0));
        debug_assert_eq!(created, Ok(()), "the arc is there");
    }

    /// Follows a change of an interface.
    pub(in crate::ip) fn follow(&self, event: InterfaceEvent) -> Result<(), AddressError> {
        let index = event.index();
        match event {
            InterfaceEvent::Created(_) => {
                let features =
                    self.arcs
                        .enable("ip4-unicast", "ip4-not-enabled", index.0, true, &[]);
                features.map_err(|_| AddressError::NoSuchInterface)
            }
            InterfaceEvent::Admin { .. } => {
                self.fib.interface_changed(index);
                self.settle(index)?;
                let children: Vec<_> = self.interfaces.iter_indexes().collect();
                for child in children {
                    let sub = self.interfaces.sw(child).and_then(|sw| sw.sub);
                    if sub.is_some_and(|sub| sub.parent == index) {
                        self.fib.interface_changed(child);
                        self.settle(child)?;
                    }
                }
                Ok(())
            }
            InterfaceEvent::Link { .. }
            | InterfaceEvent::Mtu(_)
            | InterfaceEvent::Mac(_)
            | InterfaceEvent::Features(_) => {
                self.fib.interface_changed(index);
                Ok(())
            }
            InterfaceEvent::Deleting(_) => {
                self.remove_all(index)?;
                self.forget_borrowers(index)?;
                {
                    let mut state = self.state.borrow_mut();
                    state.enabled.remove(&index);
                    state.wanted.remove(&index);
                }
                self.set_unnumbered(index, None)?;
                self.set_table(index, FibIndex::DEFAULT)?;
                self.sources.set(index, &[]);
                Ok(())
            }
            InterfaceEvent::Deleted(_) => {
                self.state.borrow_mut().by_interface.remove(&index);
                Ok(self.fib.interface_deleted(index)?)
            }
            InterfaceEvent::Name(_) | InterfaceEvent::Ip4(_) => Ok(()),
        }
    }

    fn forget_borrowers(&self, lender: SwIfIndex) -> Result<(), AddressError> {
        let all: Vec<_> = self.interfaces.iter_indexes().collect();
        for index in all {
            if self
                .interfaces
                .sw(index)
                .is_some_and(|sw| sw.unnumbered == Some(lender))
            {
                self.set_unnumbered(index, None)?;
            }
        }
        Ok(())
    }
}
