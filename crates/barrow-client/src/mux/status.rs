//! What users see of the connection.

use crate::error::{Closed, Lost};
use slab::Slab;
use std::collections::VecDeque;
use std::task::Waker;

/// How it stands with the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// No attempt has succeeded or failed yet, or one is under way.
    Connecting,
    /// Calls can be made.
    Connected {
        /// 1 for the first connection, and one more for each further one.
        generation: u64,
        /// Whether the server is another process than on the connection before: its configuration is gone. `None` on
        /// the first connection.
        restarted: Option<bool>,
    },
    /// The server is silent: the latest probes failed. Calls can still be made.
    NotResponding {
        /// How many in a row.
        failures: u32,
    },
    /// There is no connection; another attempt follows.
    Disconnected(Lost),
    /// There is none and will be none.
    Closed(Closed),
}

impl ConnectionState {
    /// Whether calls can be made.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. } | Self::NotResponding { .. })
    }
}

/// How it stands, with figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The state.
    pub state: ConnectionState,
    /// How many connections there have been.
    pub generation: u64,
    /// The server's process, if it has told.
    pub pid: Option<u32>,
    /// Calls in flight.
    pub in_flight: usize,
    /// Calls that wait for a place in the window.
    pub waiting: usize,
    /// Channels that are open or still have a call in flight.
    pub channels: usize,
    /// Contexts in use: calls in flight, results not fetched yet, and calls given up whose answer is still owed.
    pub contexts: usize,
    /// Bytes not sent yet.
    pub unsent: usize,
    /// Events lost because their streams were slow.
    pub events_lost: u64,
    /// What the session has counted.
    pub session: crate::session::SessionCounters,
}

/// Names a reader of [`Transitions`].
pub(crate) type Reader = usize;

/// The current state and those who follow its changes.
#[derive(Debug)]
pub(crate) struct Transitions {
    current: ConnectionState,
    readers: Slab<Follower>,
}

#[derive(Debug, Default)]
struct Follower {
    unseen: VecDeque<ConnectionState>,
    waker: Option<Waker>,
}

/// States that wait for one reader; the oldest go first. The last is always there.
const UNSEEN: usize = 64;

impl Transitions {
    pub(crate) fn new() -> Self {
        Self {
            current: ConnectionState::Connecting,
            readers: Slab::new(),
        }
    }

    pub(crate) fn current(&self) -> &ConnectionState {
        &self.current
    }

    pub(crate) fn set(&mut self, state: ConnectionState, wake: &mut Vec<Waker>) {
        if self.current == state {
            return;
        }
        self.current = state;
        for (_, reader) in &mut self.readers {
            if reader.unseen.len() == UNSEEN {
                reader.unseen.pop_front();
            }
            reader.unseen.push_back(self.current.clone());
            wake.extend(reader.waker.take());
        }
    }

    /// A reader that sees the current state first.
    pub(crate) fn follow(&mut self) -> Reader {
        self.readers.insert(Follower {
            unseen: VecDeque::from([self.current.clone()]),
            waker: None,
        })
    }

    pub(crate) fn next(&mut self, reader: Reader, waker: &Waker) -> Option<ConnectionState> {
        let reader = &mut self.readers[reader];
        let next = reader.unseen.pop_front();
        if next.is_none() {
            reader.waker = Some(waker.clone());
        }
        next
    }

    pub(crate) fn unfollow(&mut self, reader: Reader) {
        self.readers.remove(reader);
    }
}
