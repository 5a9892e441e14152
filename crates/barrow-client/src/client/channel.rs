//! One user's share of a connection.

use super::{Call, Dump, EventStream, Handle, Items, Subscribing};
use crate::error::Error;
use crate::mux::{ChannelKey, Hub, Overflow};
use barrow_core::Instant;
use barrow_wire::{CursorStream, Message, OneWay, Reply, Request, Subscribe};
use std::sync::Arc;
use std::time::Duration;

/// One user's share of a connection: its places in flight, its buffers, its timeout.
///
/// A light view that needs no closing. Calls of one channel leave in the order they are first polled; channels are
/// served in turn.
#[derive(Clone, Debug)]
pub struct Channel {
    shared: Arc<Shared>,
    timeout: Option<Duration>,
    overflow: Overflow,
}

#[derive(Debug)]
struct Shared {
    handle: Arc<Handle>,
    key: ChannelKey,
    replies: usize,
    dump_buffer: usize,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.handle
            .hub
            .with(|state| state.window.close_channel(self.key));
    }
}

impl Channel {
    pub(super) fn open(handle: &Arc<Handle>, requests: usize, replies: usize) -> Self {
        let (key, config) = handle.hub.with(|state| {
            let key = state.window.open_channel(requests);
            (key, Arc::clone(&state.config))
        });
        Self {
            shared: Arc::new(Shared {
                handle: Arc::clone(handle),
                key,
                replies,
                dump_buffer: (config.dump_buffer / 100).saturating_mul(replies.max(1)),
            }),
            timeout: config.timeout,
            overflow: Overflow::default(),
        }
    }

    pub(super) fn handle(&self) -> &Arc<Handle> {
        &self.shared.handle
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.shared.handle.hub
    }

    pub(super) fn key(&self) -> ChannelKey {
        self.shared.key
    }

    pub(crate) fn dump_buffer(&self) -> usize {
        self.shared.dump_buffer
    }

    /// When a call that starts now is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timeout = self.timeout?;
        Some(self.hub().now() + timeout)
    }

    /// This channel with another timeout for the calls made through the view that is returned. `None`: for ever.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self {
            timeout: timeout.into(),
            ..self.clone()
        }
    }

    /// This channel with another rule for events that nobody takes.
    #[must_use]
    pub fn with_overflow(&self, overflow: Overflow) -> Self {
        Self {
            overflow,
            ..self.clone()
        }
    }

    /// Makes a call. Nothing happens before the future is polled; dropping it takes the call back, or has its answer
    /// dropped when it comes.
    ///
    /// A `retval` other than 0 is [`Error::Api`], with the reply attached.
    pub fn call<M: Request + Unpin>(&self, request: M) -> Call<M>
    where
        M::Reply: Sync,
    {
        Call::new(self.clone(), request)
    }

    /// Asks for a list: a stream of details, lazily decoded, ended by a ping behind the request.
    pub fn dump<M: barrow_wire::Dump + Unpin>(&self, request: M) -> Dump<M> {
        Dump::new(self.clone(), request)
    }

    /// Asks for a list that comes in runs: a stream of details. It goes on from the server's cursor by itself for as
    /// long as the reply says so (-165).
    pub fn stream<M: CursorStream + Unpin>(&self, request: M) -> Items<M>
    where
        M::Reply: Reply + Sync,
    {
        Items::new(self.clone(), request)
    }

    /// Sends a message that is not answered.
    ///
    /// # Errors
    /// When it cannot be sent: not connected, not known to the server, or no wire form.
    pub fn send<M: OneWay>(&self, message: &M) -> Result<(), Error> {
        self.hub().with(|state| {
            if let Some(why) = state.closed() {
                return Err(Error::Closed(why.clone()));
            }
            state.session.send(message)?;
            state.ring_to_send();
            Ok(())
        })
    }

    /// Subscribes to events: sends the request with its field `enable_disable` set, and gives a typed stream once the
    /// server has agreed. Equal requests share one subscription; the last stream dropped ends it. After a reconnect
    /// it is made again, and each stream gets [`Event::Gap`](super::Event::Gap).
    ///
    /// While there is no connection the future waits for one.
    pub fn subscribe<M: Subscribe>(&self, request: M) -> Subscribing<M>
    where
        M::Reply: Sync,
    {
        Subscribing::new(self.clone(), request)
    }

    /// The events of type `E`, whoever asked the server for them.
    ///
    /// # Errors
    /// When the server does not have the message.
    pub fn events<E: Message>(&self) -> Result<EventStream<E>, Error> {
        EventStream::open(self.clone(), None).map(|(stream, _)| stream)
    }

    pub(super) fn queue(&self) -> (usize, Overflow) {
        (self.shared.replies, self.overflow)
    }
}
