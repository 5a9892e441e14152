//! What a client may cost, and what was counted when it cost more.

use crate::config::SocksvrSettings;
use std::{cell::Cell, time::Duration};

/// Bounds of the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiLimits {
    /// The longest message that is accepted.
    pub max_message: usize,
    /// Bytes that may wait for a connection before its next requests stay unread. One message more may be added.
    pub max_queued: usize,
    /// Bytes of events that may wait for a connection before it is closed.
    pub max_events: usize,
    /// A connection that accepts nothing for so long, though something waits, is closed.
    pub stall_timeout: Duration,
    /// Connections at a time.
    pub max_clients: usize,
    /// Details that a cursor stream gives in one run.
    pub cursor_run: usize,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self::from(&SocksvrSettings::default())
    }
}

impl From<&SocksvrSettings> for ApiLimits {
    fn from(settings: &SocksvrSettings) -> Self {
        Self {
            max_message: 16 << 20,
            max_queued: settings.max_queued,
            max_events: settings.max_events,
            stall_timeout: settings.stall_timeout,
            max_clients: settings.max_clients,
            cursor_run: 256,
        }
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident: $text:literal,)*) => {
        /// What happened on all connections since the start.
        #[derive(Debug, Default)]
        pub struct ApiCounters {
            $($(#[doc = $doc])* pub $name: Cell<u64>,)*
        }

        impl ApiCounters {
            /// Every counter with what it counts, for listings.
            pub fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$(($text, self.$name.get()),)*]
            }
        }
    };
}

counters! {
    /// Connections accepted.
    accepted: "connections accepted",
    /// Connections refused because there were too many.
    refused: "connections refused: too many clients",
    /// Messages handled.
    messages: "messages handled",
    /// Messages dropped because their id belongs to no request.
    unknown: "messages dropped: no handler for their id",
    /// Messages dropped because they are shorter than their definition.
    truncated: "messages dropped: truncated",
    /// Messages dropped because they carry another client's index.
    foreign: "messages dropped: client index of another",
    /// Messages dropped because their reply could not be encoded.
    unencodable: "replies lost: not encodable",
    /// Connections closed because of a frame that breaks the stream.
    broken: "connections closed: broken frame",
    /// Connections closed because they accepted nothing for too long.
    stalled: "connections closed: stalled",
    /// Connections closed because too many events waited for them.
    flooded: "connections closed: events not read",
}

/// Adds one.
pub(super) fn count(counter: &Cell<u64>) {
    counter.set(counter.get().wrapping_add(1));
}
