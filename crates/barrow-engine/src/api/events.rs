//! Subscriptions and the events they bring.

use super::{ApiContext, ApiError, ClientIndex, Clients, TableHandle};
use barrow_wire::{EventOf, Header, Subscribe, frame};
use std::{cell::RefCell, fmt, rc::Rc};

/// Subscriptions that one client may hold with one request type.
const MAX_PER_CLIENT: usize = 1024;

/// The clients that subscribed with a request of type `R`, each with its request. Clones are handles to the same list.
///
/// A client that goes away is removed.
pub struct Subscribers<R> {
    list: Rc<RefCell<Vec<Subscription<R>>>>,
    clients: Clients,
    table: TableHandle,
}

struct Subscription<R> {
    client: ClientIndex,
    request: R,
}

impl<R: Subscribe> Subscribers<R> {
    pub(super) fn new(clients: &Clients, table: TableHandle) -> Self {
        let list: Rc<RefCell<Vec<Subscription<R>>>> = Rc::default();
        let watched = Rc::downgrade(&list);
        clients.on_gone(move |gone| {
            if let Some(list) = watched.upgrade() {
                list.borrow_mut()
                    .retain(|subscription| subscription.client != gone);
            }
        });
        Self {
            list,
            clients: clients.clone(),
            table,
        }
    }

    /// Subscribes the client of `cx`. A subscription of the same client that `same` recognises is in the way.
    ///
    /// # Errors
    /// INVALID_REGISTRATION (-31) if it is subscribed already, or too often.
    pub fn add(
        &self,
        cx: &ApiContext<'_>,
        request: R,
        same: impl Fn(&R) -> bool,
    ) -> Result<(), ApiError> {
        let client = cx.client_index();
        let mut list = self.list.borrow_mut();
        let own = || {
            list.iter()
                .filter(|subscription| subscription.client == client)
        };
        if own().any(|known| same(&known.request)) || own().count() >= MAX_PER_CLIENT {
            return Err(ApiError::INVALID_REGISTRATION);
        }
        list.push(Subscription { client, request });
        Ok(())
    }

    /// Ends those subscriptions of the client of `cx` that `same` recognises.
    ///
    /// # Errors
    /// INVALID_REGISTRATION (-31) if there is none.
    pub fn remove(&self, cx: &ApiContext<'_>, same: impl Fn(&R) -> bool) -> Result<(), ApiError> {
        let client = cx.client_index();
        let mut list = self.list.borrow_mut();
        let before = list.len();
        list.retain(|known| known.client != client || !same(&known.request));
        if list.len() < before {
            Ok(())
        } else {
            Err(ApiError::INVALID_REGISTRATION)
        }
    }

    /// Sends each subscriber the event that `make` makes of its request, if it makes one.
    pub fn publish<E: EventOf<R>>(&self, mut make: impl FnMut(&R) -> Option<E>) {
        let Some(id) = self.table.get().and_then(|table| table.id_of::<E>()) else {
            return;
        };
        // Made with the list borrowed, sent without: a send wakes and may run other code.
        let events: Vec<_> = {
            let list = self.list.borrow();
            list.iter()
                .filter_map(|s| Some((s.client, make(&s.request)?)))
                .collect()
        };
        for (index, event) in events {
            let Some(client) = self.clients.get(index) else {
                continue;
            };
            let header = Header {
                id,
                client_index: index.get(),
                context: 0,
            };
            client.push_event(|out| {
                // An event of fixed fields always has a wire form; `out` is left alone otherwise.
                frame::encode(header, &event, out).ok();
            });
        }
    }

    /// Calls `visit` with each subscription, in the order in which they were made: for listings.
    pub fn for_each(&self, mut visit: impl FnMut(ClientIndex, &R)) {
        for subscription in self.list.borrow().iter() {
            visit(subscription.client, &subscription.request);
        }
    }

    /// Whether nobody subscribed: then events need not be made.
    pub fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }
}

impl<R> Clone for Subscribers<R> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            clients: self.clients.clone(),
            table: self.table.clone(),
        }
    }
}

impl<R> fmt::Debug for Subscribers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.list.borrow().len();
        f.debug_struct("Subscribers")
            .field("count", &count)
            .finish_non_exhaustive()
    }
}
