//! A session on its wire, as a unit.

use std::cell::RefCell;
use std::rc::Rc;

use barrow_core::channel::{UnboundedSender, bounded, unbounded};
use barrow_core::task::Stop;
use barrow_core::{Driver, Spawner, UnitId};

use super::client::Client;
use super::ports::{Ends, RpcPorts};
use super::service::Service;
use super::session::{Command, Limits, Session, SessionStats};
use super::status::CloseReason;
use super::wire::Wire;

/// Calls and answers that may wait for the connection, each.
const WAITING: usize = 64;

/// A connection to a peer: runs as a unit until one side ends it. Dropping the handle leaves it
/// running.
#[derive(Clone, Debug)]
pub struct Connection {
    client: Client,
    urgent: UnboundedSender<Command>,
    unit: UnitId,
    closing: Rc<Closing>,
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct Closing {
    ended: RefCell<Option<(CloseReason, SessionStats)>>,
    told: Stop,
}

impl Closing {
    /// The first end counts.
    pub(super) fn close(&self, reason: CloseReason, stats: SessionStats) {
        self.ended.borrow_mut().get_or_insert((reason, stats));
        self.told.raise();
    }
}

impl Connection {
    /// Greets the peer at the other end of `wire`, answers its calls with `service`, and makes calls
    /// as its [`Client`]s ask. It runs on the spawner's thread.
    pub fn open(
        spawner: &Spawner,
        wire: impl Wire + 'static,
        service: Service,
        limits: Limits,
    ) -> Self {
        let (orders, ordered) = bounded(WAITING);
        let (urgent, pressing) = unbounded();
        let ends = Ends {
            orders: ordered,
            answers: bounded(WAITING),
            urgent: (urgent.clone(), pressing),
        };
        let closing = Rc::new(Closing::default());
        let session = Session::new(spawner.now(), limits);
        let ports = RpcPorts::new(wire, service, spawner.clone(), closing.clone(), ends);
        let unit = spawner.spawn(Box::new(Driver::new(session, ports).named("rpc")));
        Self {
            client: Client::new(orders, urgent.clone()),
            urgent,
            unit,
            closing,
        }
    }

    /// What makes calls, from any thread.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The unit it runs as.
    #[must_use]
    pub fn unit(&self) -> UnitId {
        self.unit
    }

    /// Says goodbye: no more calls; it ends with the last of those that were made.
    pub fn leave(&self) {
        // One that is gone has left.
        let _ = self.urgent.send(Command::Leave);
    }

    /// Waits for its end: why, and what was counted.
    pub async fn closed(&self) -> (CloseReason, SessionStats) {
        self.closing.told.raised().await;
        let ended = self.closing.ended.borrow().clone();
        ended.expect("noted before it is told")
    }
}
