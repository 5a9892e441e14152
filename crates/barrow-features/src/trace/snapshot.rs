//! What clients read traces from.

use super::show::walk;
use barrow_engine::Control;
use barrow_engine::api::{ClientIndex, Clients};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// The texts of all traced packets, by thread, in the order in which they came.
pub(super) type Snapshot = Rc<[Vec<Rc<str>>]>;

/// One snapshot a client; a cheap handle of the main thread.
#[derive(Clone)]
pub struct Snapshots {
    control: Control,
    by_client: Rc<RefCell<HashMap<ClientIndex, Snapshot>>>,
}

impl Snapshots {
    /// Snapshots of this node's traces, forgotten with their clients.
    #[must_use]
    pub fn new(control: &Control, clients: &Clients) -> Self {
        let by_client = Rc::<RefCell<HashMap<ClientIndex, Snapshot>>>::default();
        let forgotten = Rc::downgrade(&by_client);
        clients.on_gone(move |client| {
            if let Some(by_client) = forgotten.upgrade() {
                by_client.borrow_mut().remove(&client);
            }
        });
        Self {
            control: control.clone(),
            by_client,
        }
    }

    /// Forgets a client's snapshot.
    pub(super) fn clear(&self, client: ClientIndex) {
        self.by_client.borrow_mut().remove(&client);
    }

    /// The client's snapshot, if it has one with packets in it.
    pub(super) fn get(&self, client: ClientIndex) -> Option<Snapshot> {
        self.by_client.borrow().get(&client).cloned()
    }

    /// The client's snapshot, taken now if it has none.
    pub(super) fn get_or_take(&self, client: ClientIndex) -> Snapshot {
        if let Some(known) = self.get(client) {
            return known;
        }
        let taken = self.take();
        // One without packets is not worth keeping: the next call looks again, as VPP does.
        if taken.iter().any(|packets| !packets.is_empty()) {
            self.by_client.borrow_mut().insert(client, taken.clone());
        }
        taken
    }

    fn take(&self) -> Snapshot {
        let mut threads = vec![Vec::new(); self.control.thread_count()];
        for packet in self.control.trace().packets() {
            if let Some(packets) = threads.get_mut(packet.thread) {
                packets.push(walk(&self.control, &packet).into());
            }
        }
        threads.into()
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots")
            .field("clients", &self.by_client.borrow().len())
            .finish()
    }
}
