//! One connection for many: what is shared between users and driver.
//!
//! The [`Hub`] holds the [`Session`], the [`Link`](link) that says when to connect and when to give up, the
//! [`Window`] of places in flight and the queues of events, behind one lock that is held for the length of one step
//! and never across a wait. Users add requests and take results; a driver moves bytes. Neither knows the other's
//! runtime: they meet in wakers and in the driver's bell.

mod hub;
mod link;
mod queue;
#[cfg(test)]
mod soak;
mod status;
mod subscriptions;
mod window;

pub use queue::Overflow;
pub use status::{ConnectionState, Status};

pub(crate) use hub::{Hub, State, Step, Transmit};
pub(crate) use queue::Entry;
pub(crate) use status::Reader;
pub(crate) use subscriptions::{
    ArmState, Request as SubscriptionRequest, SendFn, StreamKey, SubscriptionKey,
};
pub(crate) use window::{ChannelKey, Place, Ticket};
