//! Who is connected.

use super::limits::{ApiCounters, ApiLimits, count};
use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
    task::Waker,
};

/// What a client puts into the `client_index` of its requests: a slot number with bit 31 set, as VPP makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientIndex(u32);

impl ClientIndex {
    const SOCKET: u32 = 1 << 31;

    /// The number on the wire.
    pub fn get(self) -> u32 {
        self.0
    }

    fn of_slot(slot: usize) -> Option<Self> {
        let slot = u32::try_from(slot)
            .ok()
            .filter(|slot| *slot < Self::SOCKET)?;
        Some(Self(slot | Self::SOCKET))
    }

    fn slot(self) -> usize {
        (self.0 & !Self::SOCKET) as usize
    }
}

/// One client. Clones are handles to the same one.
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

struct Shared {
    index: ClientIndex,
    descriptor: i32,
    read_only: Cell<bool>,
    name: RefCell<String>,
    /// Frames of events that its session has not taken yet.
    events: RefCell<Vec<u8>>,
    max_events: usize,
    flooded: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    registry: Weak<RefCell<Slots>>,
}

impl Client {
    /// Its index.
    pub fn index(&self) -> ClientIndex {
        self.shared.index
    }

    /// The name it gave itself; empty before it did.
    pub fn name(&self) -> String {
        self.shared.name.borrow().clone()
    }

    /// The number of its file descriptor, for listings.
    pub fn descriptor(&self) -> i32 {
        self.shared.descriptor
    }

    /// Lets it only look, or do everything.
    pub fn set_read_only(&self, read_only: bool) {
        self.shared.read_only.set(read_only);
    }

    /// Whether it may only look.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only.get()
    }

    /// What cannot be printed becomes a question mark, as the name goes into listings and the log.
    pub(super) fn set_name(&self, name: &str) {
        let printable = |c: char| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        };
        *self.shared.name.borrow_mut() = name.chars().map(printable).collect();
    }

    /// Appends an event, unless too many wait already: then its session closes.
    pub(super) fn push_event(&self, append: impl FnOnce(&mut Vec<u8>)) {
        let mut events = self.shared.events.borrow_mut();
        if self.shared.flooded.get() {
            return;
        }
        append(&mut events);
        if events.len() > self.shared.max_events {
            self.shared.flooded.set(true);
            *events = Vec::new();
        }
        drop(events);
        let waker = self.shared.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves the events that wait to the end of `out`; gives their bytes.
    pub(super) fn take_events(&self, out: &mut Vec<u8>) -> usize {
        let mut events = self.shared.events.borrow_mut();
        let bytes = events.len();
        out.append(&mut events);
        bytes
    }

    pub(super) fn is_flooded(&self) -> bool {
        self.shared.flooded.get()
    }

    pub(super) fn register(&self, waker: &Waker) {
        let mut known = self.shared.waker.borrow_mut();
        match &mut *known {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("index", &self.index())
            .field("name", &self.name())
            .finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            let mut slots = registry.borrow_mut();
            slots.clients[self.index.slot()] = None;
            let gone = std::mem::take(&mut slots.gone);
            drop(slots);
            for forget in &gone {
                forget(self.index);
            }
            let mut slots = registry.borrow_mut();
            slots.gone.extend(gone);
        }
    }
}

/// All clients. Clones are handles to the same list.
#[derive(Clone)]
pub struct Clients {
    slots: Rc<RefCell<Slots>>,
    limits: Rc<ApiLimits>,
    counters: Rc<ApiCounters>,
}

type Forget = Box<dyn Fn(ClientIndex)>;

#[derive(Default)]
struct Slots {
    /// By slot; slot 0 is never used, as it is the listener's in VPP.
    clients: Vec<Option<Weak<Shared>>>,
    /// Called with the index of each client that is gone.
    gone: Vec<Forget>,
}

impl Clients {
    /// Nobody yet.
    pub fn new(limits: Rc<ApiLimits>, counters: Rc<ApiCounters>) -> Self {
        let slots = Slots {
            clients: vec![None],
            gone: Vec::new(),
        };
        Self {
            slots: Rc::new(RefCell::new(slots)),
            limits,
            counters,
        }
    }

    /// A new client in the lowest free slot; none if there are too many. It is gone with its last handle.
    pub fn connect(&self, descriptor: i32) -> Option<Client> {
        let mut slots = self.slots.borrow_mut();
        let free = (1..slots.clients.len()).find(|slot| slots.clients[*slot].is_none());
        let slot = free.unwrap_or(slots.clients.len());
        if slot > self.limits.max_clients {
            count(&self.counters.refused);
            return None;
        }
        count(&self.counters.accepted);
        let shared = Rc::new(Shared {
            index: ClientIndex::of_slot(slot)?,
            descriptor,
            read_only: Cell::new(false),
            name: RefCell::default(),
            events: RefCell::default(),
            max_events: self.limits.max_events,
            flooded: Cell::new(false),
            waker: RefCell::default(),
            registry: Rc::downgrade(&self.slots),
        });
        if slot == slots.clients.len() {
            slots.clients.push(None);
        }
        slots.clients[slot] = Some(Rc::downgrade(&shared));
        Some(Client { shared })
    }

    /// The clients by index.
    pub fn list(&self) -> Vec<Client> {
        let slots = self.slots.borrow();
        let clients = slots.clients.iter().flatten().filter_map(Weak::upgrade);
        clients.map(|shared| Client { shared }).collect()
    }

    /// The client with this index.
    pub fn get(&self, index: ClientIndex) -> Option<Client> {
        let slots = self.slots.borrow();
        let shared = slots.clients.get(index.slot())?.as_ref()?.upgrade()?;
        Some(Client { shared })
    }

    /// Calls `forget` with the index of each client that is gone, before that index is used again.
    pub fn on_gone(&self, forget: impl Fn(ClientIndex) + 'static) {
        self.slots.borrow_mut().gone.push(Box::new(forget));
    }

    /// The bounds of a client.
    pub fn limits(&self) -> &Rc<ApiLimits> {
        &self.limits
    }

    /// What happened to clients.
    pub fn counters(&self) -> &Rc<ApiCounters> {
        &self.counters
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(max_clients: usize) -> Clients {
        let limits = ApiLimits {
            max_clients,
            max_events: 100,
            ..ApiLimits::default()
        };
        Clients::new(Rc::new(limits), Rc::default())
    }

    #[test]
    fn the_first_client_has_slot_1_and_the_lowest_free_slot_is_used_again() {
        let clients = clients(10);
        let [a, b, c] = [1, 2, 3].map(|fd| clients.connect(fd).unwrap());
        assert_eq!(
            [&a, &b, &c].map(|c| c.index().get()),
            [0x8000_0001, 0x8000_0002, 0x8000_0003]
        );
        drop(b);
        assert_eq!(clients.list().len(), 2);
        assert_eq!(clients.connect(4).unwrap().index().get(), 0x8000_0002);
    }

    #[test]
    fn clients_are_limited_and_counted() {
        let clients = clients(2);
        let first = clients.connect(1).unwrap();
        let _second = clients.connect(2).unwrap();
        assert!(clients.connect(3).is_none());
        drop(first);
        assert!(clients.connect(3).is_some());
        assert_eq!(
            (
                clients.counters.accepted.get(),
                clients.counters.refused.get()
            ),
            (3, 1)
        );
    }

    #[test]
    fn whoever_asked_is_told_before_an_index_is_used_again() {
        let clients = clients(1);
        let gone = Rc::new(RefCell::new(Vec::new()));
        let seen = gone.clone();
        clients.on_gone(move |index| seen.borrow_mut().push(index));
        let first = clients.connect(1).unwrap();
        let index = first.index();
        drop(first);
        assert_eq!(*gone.borrow(), [index]);
        assert_eq!(clients.connect(2).unwrap().index(), index);
    }

    #[test]
    fn a_client_that_reads_no_events_holds_a_bounded_number() {
        let clients = clients(1);
        let client = clients.connect(1).unwrap();
        for _ in 0..1000 {
            client.push_event(|out| out.extend([0; 16]));
        }
        assert!(client.is_flooded());
        assert_eq!(client.take_events(&mut Vec::new()), 0);
    }
}
