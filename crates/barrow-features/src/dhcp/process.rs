//! `dhcp-client-process`: drives all clients.

use super::clients::Clients;
use barrow_core::Backoff;
use barrow_engine::{
    EngineBuilder, ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode, RegisterError,
    Restart,
};
use std::ffi::CStr;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Name of the process and of its inbox.
pub(super) const NAME: &CStr = c"dhcp-client-process";
/// Events that may wait.
const BACKLOG: usize = 256;

/// What the process is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A server's message came in.
    Message {
        /// By this interface.
        interface: u32,
        /// The payload of the datagram.
        bytes: Box<[u8]>,
    },
    /// Another host uses an address.
    Conflict {
        /// Seen on this interface.
        interface: u32,
        /// The address.
        address: Ipv4Addr,
    },
    /// A client was added or removed.
    Changed,
}

/// Counters of the process.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(super) enum Counted {
    /// A server was looked for.
    #[error_counter(name = "discover", description = "DHCP discover packets sent", severity = INFO)]
    Discover,
    /// An offer was taken.
    #[error_counter(name = "offer", description = "DHCP offer packets received", severity = INFO)]
    Offer,
    /// An address was asked for, or more time.
    #[error_counter(name = "request", description = "DHCP request packets sent", severity = INFO)]
    Request,
    /// A lease was given or prolonged.
    #[error_counter(name = "ack", description = "DHCP ack packets received", severity = INFO)]
    Ack,
    /// A server refused.
    #[error_counter(name = "nak", description = "DHCP nak packets received", severity = WARNING)]
    Nak,
    /// Another host had the address.
    #[error_counter(name = "decline", description = "DHCP addresses declined", severity = WARNING)]
    Decline,
    /// A message was for others, or made no sense.
    #[error_counter(name = "ignored", description = "DHCP packets ignored", severity = INFO)]
    Ignored,
    /// An address could not be given to its interface.
    #[error_counter(
        name = "not_installed",
        description = "DHCP addresses that could not be installed",
        severity = CRITICAL
    )]
    NotInstalled,
}

/// The sending end of the process's inbox.
pub(super) fn inbox(
    engine: &EngineBuilder,
) -> Result<barrow_core::channel::Sender<Event>, RegisterError> {
    let name = NAME.to_string_lossy();
    let inbox = engine.control().spawner().inbox(&name, BACKLOG);
    inbox.map_err(RegisterError::other)
}

/// The process node; a run that fails leaves clients and events to the next one.
pub(super) struct Process {
    clients: Clients,
}

/// Starts the process.
pub(super) fn register(engine: &mut EngineBuilder, clients: &Clients) -> Result<(), RegisterError> {
    let clients = clients.clone();
    let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
    engine.process(Restart::AfterBackoff(backoff), move || Process {
        clients: clients.clone(),
    })?;
    Ok(())
}

impl ProcessNode for Process {
    const NAME: &'static CStr = NAME;
    type NextNodes = NoNext;
    type Errors = Counted;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let mut events = cx.inbox::<Event>(&NAME.to_string_lossy(), BACKLOG)?;
        loop {
            let count = |counted, by| cx.count(counted, by);
            let next = self.clients.drive(cx.now(), count);
            let event = match next {
                None => Ok(events.recv().await),
                Some(at) => cx.deadline(at, events.recv()).await,
            };
            match event {
                Ok(Some(event)) => self.clients.hear(cx.now(), &event),
                Ok(None) => return Ok(()), // the host ends
                Err(_elapsed) => {}
            }
        }
    }
}
