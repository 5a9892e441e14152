//! The clients of a node, and what their leases do to it.

use super::detect::{Guard, Guards};
use super::lease::Lease;
use super::machine::{Counts, DhcpClient, Input, Loss, Output, Phase};
use super::message::Identity;
use super::process::{Counted, Event};
use crate::fib::{EntryFlags, Fib, FibIndex, PathKind, PathSpec, Prefix, Source};
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip::{Addresses, InterfaceAddress};
use barrow_core::Machine;
use barrow_core::channel::Sender;
use barrow_engine::api::ApiError;
use barrow_engine::{Control, Instant};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// Why a client was not added or removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DhcpError {
    /// There is no such interface, or none with a link address.
    #[error("no such interface")]
    NoSuchInterface,
    /// The interface has a client.
    #[error("dhcp client already enabled")]
    Enabled,
    /// The interface has none.
    #[error("dhcp client not enabled")]
    NotEnabled,
}

impl From<DhcpError> for ApiError {
    fn from(error: DhcpError) -> Self {
        match error {
            DhcpError::NoSuchInterface => Self::INVALID_SW_IF_INDEX,
            DhcpError::Enabled | DhcpError::NotEnabled => Self::INVALID_VALUE,
        }
    }
}

/// What a client is to be like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The host's name; empty: none is told.
    pub host_name: Vec<u8>,
    /// The client identifier; empty: the link address counts.
    pub client_id: Vec<u8>,
    /// Servers are asked to broadcast.
    pub broadcast: bool,
    /// Class of its packets.
    pub dscp: u8,
    /// Who wants to be told of leases: client of the API, and a number of its own.
    pub told: Option<(barrow_engine::api::ClientIndex, u32)>,
}

/// What the clients work on.
pub(super) struct Plant {
    pub(super) control: Control,
    pub(super) interfaces: Interfaces,
    pub(super) addresses: Addresses,
    pub(super) fib: Fib,
    pub(super) guards: Guards,
    pub(super) events: Sender<Event>,
}

/// What a lease put in place.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Installed {
    address: InterfaceAddress,
    table: FibIndex,
    router: Option<Ipv4Addr>,
    lease: Lease,
}

struct Entry {
    settings: Settings,
    machine: DhcpClient,
    installed: Option<Installed>,
    /// What the process has counted already.
    counted: Counts,
    /// On the arc `ip4-unicast` now.
    detects: bool,
}

/// One client, for listings.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) index: SwIfIndex,
    pub(super) settings: Settings,
    pub(super) phase: Phase,
    pub(super) installed: bool,
    pub(super) lease: Option<Lease>,
    pub(super) attempts: u32,
    pub(super) next: Option<Instant>,
}

/// Who is told of leases.
type Listener = Box<dyn Fn(&View)>;

/// The clients; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Clients(Rc<Inner>);

struct Inner {
    plant: Plant,
    entries: RefCell<BTreeMap<SwIfIndex, Entry>>,
    listener: RefCell<Option<Listener>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.entries.borrow().keys())
            .finish()
    }
}

impl Clients {
    pub(super) fn new(plant: Plant) -> Self {
        Self(Rc::new(Inner {
            plant,
            entries: RefCell::default(),
            listener: RefCell::default(),
        }))
    }

    /// Calls `listener` with each client that got a lease.
    pub(super) fn on_lease(&self, listener: impl Fn(&View) + 'static) {
        *self.0.listener.borrow_mut() = Some(Box::new(listener));
    }

    /// Gives an interface a client, which begins at once.
    ///
    /// # Errors
    /// [`DhcpError::NoSuchInterface`], [`DhcpError::Enabled`].
    pub fn add(&self, index: SwIfIndex, settings: Settings) -> Result<(), DhcpError> {
        let plant = &self.0.plant;
        let mac = plant.interfaces.outputs().mac(index);
        let mac = mac.filter(|_| index != SwIfIndex::LOCAL0);
        let mac = mac.ok_or(DhcpError::NoSuchInterface)?;
        let mut entries = self.0.entries.borrow_mut();
        if entries.contains_key(&index) {
            return Err(DhcpError::Enabled);
        }
        let identity = Identity {
            mac,
            host_name: settings.host_name.clone(),
            client_id: settings.client_id.clone(),
            broadcast: settings.broadcast,
        };
        let [_, _, a, b, c, d] = mac;
        let wall = plant.control.clock().wall().as_nanos() as u64;
        let seed = wall ^ u64::from(u32::from_be_bytes([a, b, c, d])) << 32;
        let now = plant.control.spawner().now();
        let entry = Entry {
            settings,
            machine: DhcpClient::new(identity, seed, now),
            installed: None,
            counted: Counts::default(),
            detects: false,
        };
        entries.insert(index, entry);
        drop(entries);
        self.0.watch_arp(index, true);
        self.0.changed();
        Ok(())
    }

    /// Takes the client from an interface, and gives its lease back.
    ///
    /// # Errors
    /// [`DhcpError::NotEnabled`].
    pub fn remove(&self, index: SwIfIndex) -> Result<(), DhcpError> {
        let entry = self.0.entries.borrow_mut().remove(&index);
        let mut entry = entry.ok_or(DhcpError::NotEnabled)?;
        let now = self.0.plant.control.spawner().now();
        entry.machine.handle_shutdown(now);
        while let Some(output) = entry.machine.poll_output(now) {
            // Not by the routes: they are gone when the packet would be looked up.
            if let Output::Unicast { from, to, message } = output {
                let dscp = entry.settings.dscp;
                self.0.plant.direct(index, dscp, (from, to), &message);
            }
        }
        if let Some(installed) = entry.installed.take() {
            self.0.uninstall(index, &installed);
        }
        self.0.detect(index, &mut entry, false);
        self.0.watch_arp(index, false);
        self.0.changed();
        Ok(())
    }

    /// Every client, by interface.
    pub(super) fn list(&self) -> Vec<View> {
        let entries = self.0.entries.borrow();
        entries
            .iter()
            .map(|(index, entry)| view(*index, entry))
            .collect()
    }

    /// Tells a client what came in.
    pub(super) fn hear(&self, now: Instant, event: &Event) {
        let mut entries = self.0.entries.borrow_mut();
        let (interface, input) = match event {
            Event::Changed => return,
            Event::Message { interface, bytes } => (*interface, Input::Message(bytes)),
            Event::Conflict { interface, address } => (*interface, Input::Conflict(*address)),
        };
        if let Some(entry) = entries.get_mut(&SwIfIndex(interface)) {
            entry.machine.handle_input(now, input);
        }
    }

    /// Lets every client do what is due; when the next one is.
    pub(super) fn drive(&self, now: Instant, count: impl Fn(Counted, u64)) -> Option<Instant> {
        let indexes: Vec<_> = self.0.entries.borrow().keys().copied().collect();
        for index in indexes {
            // Taken out: what it causes may come back here.
            let Some(mut entry) = self.0.entries.borrow_mut().remove(&index) else {
                continue;
            };
            let bound = self.0.drive(index, &mut entry, now, &count);
            let shown = view(index, &entry);
            self.0.entries.borrow_mut().insert(index, entry);
            if bound && let Some(listener) = &*self.0.listener.borrow() {
                listener(&shown);
            }
        }
        self.0.guard();
        let entries = self.0.entries.borrow();
        entries
            .values()
            .filter_map(|e| e.machine.poll_timeout())
            .min()
    }
}

fn view(index: SwIfIndex, entry: &Entry) -> View {
    View {
        index,
        settings: entry.settings.clone(),
        phase: entry.machine.phase(),
        installed: entry.installed.is_some(),
        lease: entry.machine.lease().cloned(),
        attempts: entry.machine.attempts(),
        next: entry.machine.poll_timeout(),
    }
}

impl Inner {
    /// Lets the process look at everything again.
    fn changed(&self) {
        self.guard();
        // A full inbox wakes the process as well.
        let _full = self.plant.events.try_send(Event::Changed);
    }

    /// Publishes what the packet nodes have to watch.
    fn guard(&self) {
        let entries = self.entries.borrow();
        let outputs = self.plant.interfaces.outputs();
        let guards: FxHashMap<_, _> = entries
            .iter()
            .filter_map(|(index, entry)| {
                let address = entry.machine.guarded();
                let mac = outputs.mac(*index)?;
                Some((index.0, Guard { address, mac }))
            })
            .collect();
        self.plant.guards.set(guards);
    }

    /// Lets one client do what is due. True if it got a lease, or more time.
    fn drive(
        &self,
        index: SwIfIndex,
        entry: &mut Entry,
        now: Instant,
        count: &impl Fn(Counted, u64),
    ) -> bool {
        let mut bound = false;
        let dscp = entry.settings.dscp;
        if entry.machine.poll_timeout().is_some_and(|at| at <= now) {
            entry.machine.handle_timeout(now);
        }
        while let Some(output) = entry.machine.poll_output(now) {
            match output {
                Output::Broadcast(message) => self.plant.broadcast(index, dscp, &message),
                Output::Unicast { from, to, message } => {
                    self.plant.unicast(index, dscp, (from, to), &message);
                }
                Output::Probe(address) => self.plant.probe(index, address),
                Output::Bound(lease) => {
                    bound = true;
                    if !self.settle(index, entry, &lease) {
                        count(Counted::NotInstalled, 1);
                    }
                }
                Output::Lost(loss) => self.lost(index, entry, loss),
            }
        }
        let with_lease = matches!(entry.machine.phase(), Phase::Bound | Phase::Renewing);
        self.detect(index, entry, !with_lease);
        let (new, old) = (entry.machine.counts(), entry.counted);
        for (counted, new, old) in [
            (Counted::Discover, new.discovers, old.discovers),
            (Counted::Offer, new.offers, old.offers),
            (Counted::Request, new.requests, old.requests),
            (Counted::Ack, new.acks, old.acks),
            (Counted::Nak, new.naks, old.naks),
            (Counted::Decline, new.declines, old.declines),
            (Counted::Ignored, new.ignored, old.ignored),
        ] {
            count(counted, new - old);
        }
        entry.counted = new;
        bound
    }

    /// Catches answers on the arc while the interface has no address.
    fn detect(&self, index: SwIfIndex, entry: &mut Entry, on: bool) {
        if entry.detects != on {
            entry.detects = on;
            let arcs = self.plant.control.arcs();
            let arc = arcs.enable("ip4-unicast", "ip4-dhcp-client-detect", index.0, on, &[]);
            debug_assert!(arc.is_ok(), "the feature is on the arc: {arc:?}");
            self.plant.interfaces.features_changed(index);
        }
    }

    /// Looks at what others say of the client's address.
    fn watch_arp(&self, index: SwIfIndex, on: bool) {
        let arcs = self.plant.control.arcs();
        let arc = arcs.enable("arp", "arp-dhcp-client-detect", index.0, on, &[]);
        debug_assert!(arc.is_ok(), "the feature is on the arc: {arc:?}");
    }

    /// Sets the interface up as a lease says; true if it is now.
    fn settle(&self, index: SwIfIndex, entry: &mut Entry, lease: &Lease) -> bool {
        let log = self.plant.control.log().class("dhcp");
        if let Some(installed) = &mut entry.installed
            && installed.lease.same_setup(lease)
        {
            installed.lease = lease.clone();
            return true;
        }
        if let Some(old) = entry.installed.take() {
            self.uninstall(index, &old);
        }
        let address = InterfaceAddress {
            address: lease.address,
            len: lease.prefix_len,
        };
        let done = self.plant.addresses.add(index, address);
        let table = self.plant.addresses.table_of(index);
        let (Ok(()), Ok(table)) = (&done, table) else {
            log.error(format_args!(
                "address {} is not installed: {done:?}",
                lease.address
            ));
            return false;
        };
        entry.installed = Some(Installed {
            address,
            table,
            router: lease.router,
            lease: lease.clone(),
        });
        let name = self.plant.interfaces.name(index).unwrap_or_default();
        log.notice(format_args!(
            "{name} has {}/{} from {}",
            lease.address, lease.prefix_len, lease.server
        ));
        let own = lease.router.map(|router| (index, router));
        self.default_route(table, own);
        true
    }

    fn lost(&self, index: SwIfIndex, entry: &mut Entry, loss: Loss) {
        let log = self.plant.control.log().class("dhcp");
        if let Some(installed) = entry.installed.take() {
            let address = installed.address.address;
            log.notice(format_args!("address {address} is given up: {loss:?}"));
            self.uninstall(index, &installed);
        }
    }

    fn uninstall(&self, index: SwIfIndex, installed: &Installed) {
        self.default_route(installed.table, None);
        // Somebody else may have taken it already.
        let _gone = self.plant.addresses.remove(index, installed.address);
    }

    /// Makes the default route of a table lead to the routers of all leases in it; `own` is of the client
    /// that is driven now, which is not among the entries.
    fn default_route(&self, table: FibIndex, own: Option<(SwIfIndex, Ipv4Addr)>) {
        let entries = self.entries.borrow();
        let others = entries.iter().filter_map(|(index, entry)| {
            let installed = entry.installed.as_ref().filter(|i| i.table == table)?;
            Some((*index, installed.router?))
        });
        let paths: Vec<_> = others
            .chain(own)
            .map(|(interface, router)| {
                PathSpec::new(PathKind::AttachedNextHop {
                    next_hop: IpAddr::V4(router),
                    interface,
                })
            })
            .collect();
        let Ok(everything) = Prefix::new(Ipv4Addr::UNSPECIFIED.into(), 0) else {
            return;
        };
        let fib = &self.plant.fib;
        let changed = if paths.is_empty() {
            fib.remove(table, everything, Source::DHCP)
        } else {
            let flags = EntryFlags::default();
            fib.update(table, everything, Source::DHCP, flags, &paths)
                .map(drop)
        };
        if let Err(error) = changed {
            let log = self.plant.control.log().class("dhcp");
            log.error(format_args!(
                "the default route is not as leases say: {error}"
            ));
        }
    }
}
