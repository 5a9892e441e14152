//! The handles that users hold.

mod call;
mod channel;
mod dump;
mod events;
mod states;

#[cfg(feature = "dynamic")]
pub(crate) use call::{Flight, Progress};
#[cfg(feature = "dynamic")]
pub(crate) use dump::{Next, RawChunk};

pub use call::Call;
pub use channel::Channel;
pub use dump::{Dump, Items};
pub use events::{Event, EventStream, Subscribing};
pub use states::States;

use crate::config::Config;
use crate::error::Error;
use crate::mux::{ConnectionState, Hub, Status};
use crate::session::{Compatibility, MessageTable};
use barrow_wire::{CursorStream, ModuleInfo, Request, Subscribe};
use std::sync::Arc;

/// A connection to a VPP or Barrow, shared by any number of users.
///
/// Cheap to clone; usable from any task or thread. It connects, watches, reconnects by itself. When the last handle
/// (clones, channels, calls and streams included) is dropped, it signs off.
///
/// Calls made by the client itself go through one channel of the default size; a user who is to have its own share
/// takes a [`channel`](Self::channel).
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
}

/// What keeps a connection alive.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) hub: Arc<Hub>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.hub.close();
    }
}

impl Client {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let config = hub.with(|state| Arc::clone(&state.config));
        let handle = Arc::new(Handle { hub });
        Self {
            channel: Channel::open(&handle, config.channel_requests, config.channel_replies),
        }
    }

    fn hub(&self) -> &Hub {
        self.channel.hub()
    }

    /// Its own share of the connection, of the default size: as many requests in flight and replies waiting as
    /// [`Config`] says, 100 and 100.
    #[must_use]
    pub fn channel(&self) -> Channel {
        let config = self.config();
        self.channel_with(config.channel_requests, config.channel_replies)
    }

    /// Its own share of the connection: at most `requests` in flight at once; `replies` is how many events wait for
    /// each of its streams, and how many hundredths of [`Config::dump_buffer`] each of its dumps may fill.
    ///
    /// More requests suit bulk configuration, more replies large dumps and bursts of events.
    #[must_use]
    pub fn channel_with(&self, requests: usize, replies: usize) -> Channel {
        Channel::open(self.channel.handle(), requests, replies)
    }

    /// Makes a call; see [`Channel::call`].
    pub fn call<M: Request + Unpin>(&self, request: M) -> Call<M>
    where
        M::Reply: Sync,
    {
        self.channel.call(request)
    }

    /// Asks for a list; see [`Channel::dump`].
    pub fn dump<M: barrow_wire::Dump + Unpin>(&self, request: M) -> Dump<M> {
        self.channel.dump(request)
    }

    /// Asks for a list in runs; see [`Channel::stream`].
    pub fn stream<M: CursorStream + Unpin>(&self, request: M) -> Items<M>
    where
        M::Reply: barrow_wire::Reply + Sync,
    {
        self.channel.stream(request)
    }

    /// Subscribes to events; see [`Channel::subscribe`].
    pub fn subscribe<M: Subscribe>(&self, request: M) -> Subscribing<M>
    where
        M::Reply: Sync,
    {
        self.channel.subscribe(request)
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.hub().with(|state| Arc::clone(&state.config))
    }

    /// How it stands with the connection, with figures.
    #[must_use]
    pub fn status(&self) -> Status {
        self.hub().with(|state| state.status())
    }

    /// The states of the connection: the current one, and then each change.
    #[must_use]
    pub fn states(&self) -> States {
        States::new(self.channel.handle())
    }

    /// Waits until calls can be made.
    ///
    /// # Errors
    /// [`Error::Closed`] when that will never be.
    pub async fn connected(&self) -> Result<(), Error> {
        let mut states = self.states();
        while let Some(state) = states.next().await {
            match state {
                ConnectionState::Closed(why) => return Err(Error::Closed(why)),
                state if state.is_connected() => return Ok(()),
                _ => {}
            }
        }
        Err(Error::Closed(crate::Closed::ByUser))
    }

    /// What the server knows: of this connection, or the last one.
    #[must_use]
    pub fn message_table(&self) -> MessageTable {
        self.hub().with(|state| state.session.table().clone())
    }

    /// Compares the messages of these modules with the server's.
    #[must_use]
    pub fn compatibility(&self, modules: &[&ModuleInfo]) -> Compatibility {
        self.hub()
            .with(|state| state.session.table().compare(modules))
    }

    /// Says goodbye now, whoever else holds a handle. Calls in flight are answered if the server is quick.
    pub fn close(&self) {
        self.hub().close();
    }
}
