//! The IPv4 addresses of interfaces.
//!
//! An address exists as long as somebody wants it; its routes exist while its interface is up. This table
//! keeps the first, checks for conflicts, and makes the forwarding tables follow the second.

use crate::fib::{Fib, FibError, FibIndex, Source};
use crate::icmp::SourceAddresses;
use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::ArcTable;
use barrow_engine::api::ApiError;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// Why an address was not added or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// No interface has this index.
    NoSuchInterface,
    /// The interface that is to lend its address does not exist.
    NoSuchLender,
    /// The prefix is longer than an address.
    PrefixLength,
    /// The address or its network is in use, on this interface or another one in the same table.
    InUse,
    /// The interface does not have this address.
    NotFound,
    /// The table of an interface cannot be changed while it has addresses.
    HasAddresses,
    /// No table has this id.
    NoSuchTable,
    /// An interface can borrow from another one of its own table only.
    DifferentTables,
    /// A sub-interface that takes frames with further tags cannot have addresses.
    NotExact,
    /// The forwarding tables refused.
    Fib(FibError),
}

impl AddressError {
    /// VPP's error number (`vpp:src/vnet/error.h`).
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            Self::NoSuchInterface => -2,  // INVALID_SW_IF_INDEX
            Self::NoSuchTable => -3,      // NO_SUCH_FIB
            Self::NoSuchLender => -10,    // INVALID_SW_IF_INDEX_2
            Self::PrefixLength => -59,    // ADDRESS_LENGTH_MISMATCH
            Self::NotFound => -60,        // ADDRESS_NOT_FOUND_FOR_INTERFACE
            Self::DifferentTables => -74, // UNEXPECTED_INTF_STATE
            Self::InUse => -105,          // ADDRESS_IN_USE
            Self::HasAddresses => -114,   // ADDRESS_FOUND_FOR_INTERFACE
            Self::NotExact => -126,       // UNSUPPORTED
            Self::Fib(error) => error.retval(),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface => f.write_str("unknown interface"),
            Self::NoSuchLender => f.write_str("unknown interface to borrow from"),
            Self::PrefixLength => f.write_str("prefix longer than an address"),
            Self::InUse => f.write_str("address or network in use"),
            Self::NotFound => f.write_str("the interface has no such address"),
            Self::HasAddresses => f.write_str("the interface has addresses"),
            Self::NoSuchTable => f.write_str("no such table"),
            Self::DifferentTables => f.write_str("both interfaces must be in the same table"),
            Self::NotExact => f.write_str("a sub-interface needs an exact match to have addresses"),
            Self::Fib(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AddressError {}

impl From<AddressError> for ApiError {
    fn from(error: AddressError) -> Self {
        Self(error.retval())
    }
}

impl From<FibError> for AddressError {
    fn from(error: FibError) -> Self {
        Self::Fib(error)
    }
}

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of the network, 0 to 32.
    pub len: u8,
}

impl InterfaceAddress {
    const fn mask(self) -> u32 {
        if self.len == 0 {
            0
        } else {
            u32::MAX << (32 - self.len)
        }
    }

    /// Whether an address is in the network.
    #[must_use]
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ address.to_bits()) & self.mask() == 0
    }

    fn overlaps(self, other: Self) -> bool {
        let shorter = if self.len < other.len { self } else { other };
        shorter.contains(self.address) && shorter.contains(other.address)
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

#[derive(Clone, Copy, Debug)]
struct Held {
    address: InterfaceAddress,
    /// Grows with each address: the cursor of dumps.
    serial: u64,
    /// Its routes are in the table.
    routed: bool,
    /// Goes at the end of the replacement that is under way.
    marked: bool,
}

#[derive(Debug, Default)]
struct State {
    by_interface: BTreeMap<SwIfIndex, Vec<Held>>,
    next_serial: u64,
    /// Reasons other than own addresses for which an interface takes IPv4 packets.
    enabled: BTreeMap<SwIfIndex, u32>,
    /// Interfaces that a client wants to take IPv4 packets.
    wanted: BTreeSet<SwIfIndex>,
}

type Moved = Rc<dyn Fn(SwIfIndex)>;

/// The addresses of all interfaces; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Addresses {
    state: Rc<RefCell<State>>,
    interfaces: Interfaces,
    fib: Fib,
    arcs: ArcTable,
    sources: SourceAddresses,
    moved: Rc<RefCell<Vec<Moved>>>,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.borrow().fmt(f)
    }
}

impl Addresses {
    pub(super) fn new(
        interfaces: Interfaces,
        fib: Fib,
        arcs: ArcTable,
        sources: SourceAddresses,
    ) -> Self {
        Self {
            state: Rc::default(),
            interfaces,
            fib,
            arcs,
            sources,
            moved: Rc::default(),
        }
    }

    /// Calls `moved` on the main thread whenever an interface is in another table than before, as long as
    /// the former one still exists.
    pub fn on_table_change(&self, moved: impl Fn(SwIfIndex) + 'static) {
        self.moved.borrow_mut().push(Rc::new(moved));
    }

    /// The address that is in the way of another one: its network overlaps, and it is of another interface
    /// of the same table, or of another length. Addresses that a replacement has not seen yet are in nobody's
    /// way.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn conflict(
        &self,
        index: SwIfIndex,
        address: InterfaceAddress,
    ) -> Result<Option<(SwIfIndex, InterfaceAddress)>, AddressError> {
        let table = self.table_of(index)?;
        let state = self.state.borrow();
        let all = state.by_interface.iter();
        let mut all = all.flat_map(|(other, own)| own.iter().map(move |held| (*other, held)));
        let found = all.find(|(other, held)| {
            let same_network = *other == index
                && held.address.len == address.len
                && held.address.address != address.address;
            !held.marked
                && !same_network
                && held.address.overlaps(address)
                && self.table_of(*other).is_ok_and(|other| other == table)
        });
        Ok(found.map(|(other, held)| (other, held.address)))
    }

    /// Gives an interface an address.
    ///
    /// # Errors
    /// [`InUse`](AddressError::InUse) when the address is there, or its network overlaps one of another
    /// interface in the same table; while a replacement is under way, an address that is there is kept.
    pub fn add(&self, index: SwIfIndex, address: InterfaceAddress) -> Result<(), AddressError> {
        if address.len > 32 {
            return Err(AddressError::PrefixLength);
        }
        if self.conflict(index, address)?.is_some() {
            return Err(AddressError::InUse);
        }
        let sub = self.interfaces.sw(index).and_then(|sw| sw.sub);
        if sub.is_some_and(|sub| sub.vlan.tags > 0 && !sub.vlan.exact) {
            return Err(AddressError::NotExact);
        }
        if self.keep_marked(index, address) {
            return Ok(());
        }
        if let Some(former) = self.marked_elsewhere(index, address)? {
            self.remove(former, address)?;
        }
        {
            let state = &mut *self.state.borrow_mut();
            let held = Held {
                address,
                serial: state.next_serial,
                routed: false,
                marked: false,
            };
            state.next_serial += 1;
            state.by_interface.entry(index).or_default().push(held);
        }
        self.settle(index)
    }

    /// Whether a replacement that is under way has this address to keep; it is seen now.
    fn keep_marked(&self, index: SwIfIndex, address: InterfaceAddress) -> bool {
        let mut state = self.state.borrow_mut();
        let own = state.by_interface.entry(index).or_default();
        match own.iter_mut().find(|held| held.address == address) {
            Some(held) => {
                held.marked = false;
                true
            }
            None => false,
        }
    }

    /// The interface of the same table from which an address moves during a replacement.
    fn marked_elsewhere(
        &self,
        index: SwIfIndex,
        address: InterfaceAddress,
    ) -> Result<Option<SwIfIndex>, AddressError> {
        let table = self.table_of(index)?;
        let state = self.state.borrow();
        let mut others = state.by_interface.iter();
        let found = others.find(|(other, own)| {
            own.iter()
                .any(|held| held.marked && held.address == address)
                && self.table_of(**other).is_ok_and(|other| other == table)
        });
        Ok(found.map(|(other, _)| *other))
    }

    /// Takes an address from an interface.
    ///
    /// # Errors
    /// [`NotFound`](AddressError::NotFound) when it does not have it.
    pub fn remove(&self, index: SwIfIndex, address: InterfaceAddress) -> Result<(), AddressError> {
        if address.len > 32 {
            return Err(AddressError::PrefixLength);
        }
        let table = self.table_of(index)?;
        let held = {
            let mut state = self.state.borrow_mut();
            let own = state.by_interface.entry(index).or_default();
            let at = own.iter().position(|held| held.address == address);
            own.remove(at.ok_or(AddressError::NotFound)?)
        };
        if held.routed {
            self.fib
                .remove_address(table, index, address.address.into(), address.len)?;
        }
        self.settle(index)
    }

    /// Takes all addresses from an interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn remove_all(&self, index: SwIfIndex) -> Result<(), AddressError> {
        self.table_of(index)?;
        for address in self.of(index) {
            self.remove(index, address)?;
        }
        Ok(())
    }

    /// Marks all addresses; those not added again until [`replace_end`](Self::replace_end) go then.
    pub fn replace_begin(&self) {
        let mut state = self.state.borrow_mut();
        state
            .by_interface
            .values_mut()
            .flatten()
            .for_each(|held| held.marked = true);
    }

    /// Removes the addresses that are still marked.
    ///
    /// # Errors
    /// What removing one gives.
    pub fn replace_end(&self) -> Result<(), AddressError> {
        let marked: Vec<_> = {
            let state = self.state.borrow();
            let all = state.by_interface.iter();
            let each = all.flat_map(|(index, own)| own.iter().map(move |held| (*index, *held)));
            each.filter(|(_, held)| held.marked)
                .map(|(index, held)| (index, held.address))
                .collect()
        };
        marked
            .into_iter()
            .try_for_each(|(index, address)| self.remove(index, address))
    }

    /// Borrows the addresses of another interface, or gives them back with `None`.
    ///
    /// # Errors
    /// [`NoSuchLender`](AddressError::NoSuchLender), [`NoSuchInterface`](AddressError::NoSuchInterface),
    /// [`DifferentTables`](AddressError::DifferentTables).
    pub fn set_unnumbered(
        &self,
        index: SwIfIndex,
        lender: Option<SwIfIndex>,
    ) -> Result<(), AddressError> {
        self.table_of(index)?;
        if lender.is_some_and(|lender| self.interfaces.sw(lender).is_none()) {
            return Err(AddressError::NoSuchLender);
        }
        if let Some(lender) = lender
            && self.table_of(lender)? != self.table_of(index)?
        {
            return Err(AddressError::DifferentTables);
        }
        let changed = self
            .interfaces
            .change_sw(index, |sw| sw.unnumbered = lender);
        changed.map_err(|_| AddressError::NoSuchInterface)?;
        self.fib.interface_changed(index);
        self.settle(index)
    }

    /// Lets an interface without an address take IPv4 packets, or no longer.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn enable(&self, index: SwIfIndex, on: bool) -> Result<(), AddressError> {
        self.table_of(index)?;
        {
            let mut state = self.state.borrow_mut();
            let reasons = state.enabled.entry(index).or_default();
            *reasons = if on {
                *reasons + 1
            } else {
                reasons.saturating_sub(1)
            };
        }
        self.settle(index)
    }

    /// Lets an interface take IPv4 packets because a client wants it, or no longer; twice is once.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn want(&self, index: SwIfIndex, on: bool) -> Result<(), AddressError> {
        self.table_of(index)?;
        {
            let mut state = self.state.borrow_mut();
            if on {
                state.wanted.insert(index);
            } else {
                state.wanted.remove(&index);
            }
        }
        self.settle(index)
    }

    /// Whether a client wants an interface to take IPv4 packets.
    #[must_use]
    pub fn is_wanted(&self, index: SwIfIndex) -> bool {
        self.state.borrow().wanted.contains(&index)
    }

    /// Moves an interface into another table, which it then keeps alive.
    ///
    /// # Errors
    /// [`HasAddresses`](AddressError::HasAddresses) while it has or borrows addresses,
    /// [`NoSuchTable`](AddressError::NoSuchTable).
    pub fn set_table(&self, index: SwIfIndex, table: FibIndex) -> Result<(), AddressError> {
        let former = self.table_of(index)?;
        if self.fib.table(table).is_none() {
            return Err(AddressError::NoSuchTable);
        }
        if self.first(index).is_some() {
            return Err(AddressError::HasAddresses);
        }
        if table != FibIndex::DEFAULT {
            self.fib.lock_table(table, Source::INTERFACE)?;
        }
        let changed = self
            .interfaces
            .change_sw(index, |sw| sw.ip4_fib_index = table.0);
        changed.map_err(|_| AddressError::NoSuchInterface)?;
        let moved = self.moved.borrow().clone();
        moved.iter().for_each(|moved| moved(index));
        if former != FibIndex::DEFAULT {
            self.fib.unlock_table(former, Source::INTERFACE);
        }
        self.fib.interface_changed(index);
        Ok(())
    }

    /// The address of an interface that was added next after the one of number `after`, with its number:
    /// the cursor of dumps.
    #[must_use]
    pub fn next(&self, index: SwIfIndex, after: Option<u64>) -> Option<(u64, InterfaceAddress)> {
        let state = self.state.borrow();
        let mut own = state.by_interface.get(&index)?.iter();
        let held = own.find(|held| after.is_none_or(|after| held.serial > after))?;
        Some((held.serial, held.address))
    }

    /// The addresses of an interface, in the order in which they were added.
    #[must_use]
    pub fn of(&self, index: SwIfIndex) -> Vec<InterfaceAddress> {
        let state = self.state.borrow();
        let own = state.by_interface.get(&index).into_iter().flatten();
        own.map(|held| held.address).collect()
    }

    /// The address that an interface speaks from: its first, or the first of the one it borrows from.
    #[must_use]
    pub fn first(&self, index: SwIfIndex) -> Option<InterfaceAddress> {
        let own = self.of(index).first().copied();
        let lender = || self.interfaces.sw(index)?.unnumbered;
        own.or_else(|| self.of(lender()?).first().copied())
    }

    /// Whether an address is one of this node's in a table, on an interface that is up.
    #[must_use]
    pub fn is_local(&self, table: FibIndex, address: Ipv4Addr) -> bool {
        let state = self.state.borrow();
        state.by_interface.iter().any(|(index, own)| {
            own.iter()
                .any(|held| held.routed && held.address.address == address)
                && self.table_of(*index).is_ok_and(|own| own == table)
        })
    }

    /// The table that an interface's packets are looked up in.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn table_of(&self, index: SwIfIndex) -> Result<FibIndex, AddressError> {
        let sw = self
            .interfaces
            .sw(index)
            .ok_or(AddressError::NoSuchInterface)?;
        Ok(FibIndex(sw.ip4_fib_index))
    }

    /// Makes routes, packet nodes and the arc follow what an interface has now.
    fn settle(&self, index: SwIfIndex) -> Result<(), AddressError> {
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
    pub(super) fn take_up_local0(&self) {
        let created = self.follow(InterfaceEvent::Created(SwIfIndex::LOCAL0));
        debug_assert_eq!(created, Ok(()), "the arc is there");
    }

    /// Follows a change of an interface.
    pub(super) fn follow(&self, event: InterfaceEvent) -> Result<(), AddressError> {
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
