//! What a client is told before it connects.

mod govpp;

pub use govpp::{GovppConf, GovppConfError};

use crate::{Health, Reconnect};
use std::time::Duration;

/// The settings of a client. Each connection has its own; nothing is global.
///
/// ```
/// use barrow_client::Config;
/// use std::time::Duration;
///
/// let config = Config {
///     name: "agent".into(),
///     timeout: Some(Duration::from_secs(2)),
///     ..Config::default()
/// };
/// assert_eq!((config.window, config.channel_requests, config.channel_replies), (256, 100, 100));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The client's name in `show api clients`; 63 bytes of it are used.
    pub name: String,
    /// How long a call may take from its start to its end, unless it says otherwise. `None`: for ever.
    pub timeout: Option<Duration>,
    /// How many calls of all channels may be in flight.
    pub window: usize,
    /// How many bytes may wait to be sent before further calls wait. VPP reads 4 KiB at a time: more gains nothing.
    pub unsent: usize,
    /// How many calls of one channel may be in flight, unless the channel says otherwise.
    pub channel_requests: usize,
    /// How many events may wait for each stream of a channel, and how many hundredths of
    /// [`dump_buffer`](Self::dump_buffer) each of its dumps may fill, unless the channel says otherwise.
    pub channel_replies: usize,
    /// How many bytes of details may wait for the consumer of one dump of a default channel; then the dump is cut.
    pub dump_buffer: usize,
    /// The longest message that is accepted.
    pub max_message_len: usize,
    /// When a silent server is given up.
    pub health: Health,
    /// What to do without a connection.
    pub reconnect: Reconnect,
    /// How long the sign-off may take.
    pub sign_off: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "barrow-client".into(),
            timeout: Some(Duration::from_secs(5)),
            window: 256,
            unsent: 4096,
            channel_requests: 100,
            channel_replies: 100,
            dump_buffer: 64 << 20,
            max_message_len: 16 << 20,
            health: Health::default(),
            reconnect: Reconnect::default(),
            sign_off: Duration::from_millis(100),
        }
    }
}

/// Where the API socket of a VPP or Barrow that root started is.
pub const DEFAULT_SOCKET: &str = "/run/vpp/api.sock";
