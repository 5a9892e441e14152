//! Mailboxes that belong to the host and outlive the runs of a node.

use std::{
    any::Any,
    cell::RefCell,
    collections::HashMap,
    error::Error,
    fmt,
    ops::{Deref, DerefMut},
    rc::Rc,
};

use crate::channel::{Receiver, Sender, bounded};

/// The receiving end of a named inbox, as long as a run of a node holds it.
///
/// Dropping it, also by a panic, gives it back to the host: the next run finds what was sent in between, and
/// no sender notices. It derefs to the [`Receiver`].
pub struct Inbox<T: 'static> {
    /// `None` only while it is dropped.
    receiver: Option<Receiver<T>>,
    place: Rc<Place<T>>,
}

struct Place<T> {
    /// Keeps the channel open, and makes more senders.
    sender: Sender<T>,
    receiver: RefCell<Option<Receiver<T>>>,
}

impl<T> Deref for Inbox<T> {
    type Target = Receiver<T>;

    fn deref(&self) -> &Receiver<T> {
        self.receiver.as_ref().expect("there until dropped")
    }
}

impl<T> DerefMut for Inbox<T> {
    fn deref_mut(&mut self) -> &mut Receiver<T> {
        self.receiver.as_mut().expect("there until dropped")
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let receiver = self.receiver.take();
        *self.place.receiver.borrow_mut() = receiver;
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inbox").field(&**self).finish()
    }
}

/// Why an inbox is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxError {
    /// Somebody receives from it now.
    Taken,
    /// There is one of this name for values of another type.
    OtherType,
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "somebody else receives from this inbox",
            Self::OtherType => "the inbox of this name is for values of another type",
        })
    }
}

impl Error for InboxError {}

/// The inboxes of one host by name.
#[derive(Default)]
pub(crate) struct Inboxes {
    places: RefCell<HashMap<Box<str>, Rc<dyn Any>>>,
}

impl Inboxes {
    fn place<T: 'static>(&self, name: &str, capacity: usize) -> Result<Rc<Place<T>>, InboxError> {
        let mut places = self.places.borrow_mut();
        let known = places.get(name).cloned();
        let place = known.unwrap_or_else(|| {
            let (sender, receiver) = bounded::<T>(capacity);
            let place: Rc<dyn Any> = Rc::new(Place {
                sender,
                receiver: RefCell::new(Some(receiver)),
            });
            places.insert(name.into(), place.clone());
            place
        });
        place.downcast().map_err(|_| InboxError::OtherType)
    }

    /// One more sender into an inbox, which is made if nobody asked for it before.
    pub(crate) fn sender<T: 'static>(
        &self,
        name: &str,
        capacity: usize,
    ) -> Result<Sender<T>, InboxError> {
        self.place(name, capacity).map(|place| place.sender.clone())
    }

    /// The receiving end, which is made if nobody asked for it before.
    pub(crate) fn receive<T: 'static>(
        &self,
        name: &str,
        capacity: usize,
    ) -> Result<Inbox<T>, InboxError> {
        let place = self.place(name, capacity)?;
        let receiver = place.receiver.borrow_mut().take();
        match receiver {
            Some(receiver) => Ok(Inbox {
                receiver: Some(receiver),
                place,
            }),
            None => Err(InboxError::Taken),
        }
    }

    /// Closes every inbox: the host ends.
    pub(crate) fn clear(&self) {
        let places = self.places.take();
        drop(places);
    }
}
