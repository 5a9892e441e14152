//! Telling other features that an interface changed.

use super::SwIfIndex;
use std::rc::Rc;

/// A change of an interface, told to every subscriber on the main thread, after it was made
/// ([`Deleting`](InterfaceEvent::Deleting): before).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InterfaceEvent {
    /// It exists now.
    Created(SwIfIndex),
    /// It is about to go: give back what refers to it.
    Deleting(SwIfIndex),
    /// It is gone; its index may be given to another.
    Deleted(SwIfIndex),
    /// It was taken up or down.
    Admin {
        /// Which.
        index: SwIfIndex,
        /// Up now.
        up: bool,
    },
    /// Its link came or went.
    Link {
        /// Which.
        index: SwIfIndex,
        /// Up now.
        up: bool,
    },
    /// Its MTU changed.
    Mtu(SwIfIndex),
    /// The addresses it answers to changed, or whether it answers to all.
    Mac(SwIfIndex),
    /// Features were switched on or off on its arcs.
    Features(SwIfIndex),
    /// It takes IPv4 packets now, or no longer.
    Ip4(SwIfIndex),
    /// Its name changed.
    Name(SwIfIndex),
}

impl InterfaceEvent {
    /// The interface that changed.
    #[must_use]
    pub const fn index(self) -> SwIfIndex {
        match self {
            Self::Created(index)
            | Self::Deleting(index)
            | Self::Deleted(index)
            | Self::Admin { index, .. }
            | Self::Link { index, .. }
            | Self::Mtu(index)
            | Self::Mac(index)
            | Self::Features(index)
            | Self::Ip4(index)
            | Self::Name(index) => index,
        }
    }
}

/// Who is told.
pub(super) type Subscriber = Rc<dyn Fn(InterfaceEvent)>;
