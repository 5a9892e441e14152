//! The calling side: from any thread.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barrow_core::channel::{Receiver, Sender, UnboundedSender, bounded};

use super::method::{Method, StreamMethod};
use super::session::{CallId, Command};
use super::status::{CallError, Failure};

/// A call that a client asks for.
pub(super) struct Order {
    pub(super) call: CallId,
    pub(super) method: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) within: Option<Duration>,
    pub(super) window: Option<u32>,
    /// Has room for a window of items and an end.
    pub(super) caller: Sender<Answer>,
}

/// What the connection tells a caller.
pub(super) enum Answer {
    Reply(Vec<u8>),
    Item(Vec<u8>),
    End,
    Fail(Failure),
}

/// Calls the peer of a connection, from tasks of any worker and from any other executor. Clones
/// share the connection.
///
/// A call that waits for room (the connection's queue, or the peer's limit of calls) waits in line.
/// Dropping its future gives the call up, and the peer's handler is dropped too.
#[derive(Clone)]
pub struct Client {
    orders: Sender<Order>,
    urgent: UnboundedSender<Command>,
    next: Arc<AtomicU64>,
}

impl Client {
    pub(super) fn new(orders: Sender<Order>, urgent: UnboundedSender<Command>) -> Self {
        Self {
            orders,
            urgent,
            next: Arc::default(),
        }
    }

    /// Calls a method, without limit of time.
    ///
    /// # Errors
    /// As the peer's handler answers; when the request or reply is malformed or too large; when the
    /// session ends.
    pub async fn call<M: Method>(&self, request: &M::Request) -> Result<M::Reply, CallError> {
        self.call_with::<M>(request, None).await
    }

    /// Calls a method; both sides give up after `limit`, counted from when the connection takes the
    /// call.
    ///
    /// # Errors
    /// As [`Client::call`]; a failure with [`Code::DEADLINE`](super::Code::DEADLINE) when the
    /// limit came first.
    pub async fn call_within<M: Method>(
        &self,
        limit: Duration,
        request: &M::Request,
    ) -> Result<M::Reply, CallError> {
        self.call_with::<M>(request, Some(limit)).await
    }

    async fn call_with<M: Method>(
        &self,
        request: &M::Request,
        within: Option<Duration>,
    ) -> Result<M::Reply, CallError> {
        let body = barrow_wire::to_bytes(request)?;
        let mut pending = self.begin(M::NAME, body, within, None).await?;
        let answer = pending.answers.recv().await;
        pending.ended = true;
        match answer {
            Some(Answer::Reply(body)) => Ok(barrow_wire::from_bytes(&body)?),
            Some(Answer::Fail(failure)) => Err(failure.into()),
            Some(Answer::Item(_) | Answer::End) | None => Err(CallError::Closed),
        }
    }

    /// Calls a method that answers with items, of which at most `window` (at least 1) are under way
    /// or waiting.
    ///
    /// # Errors
    /// When the request is malformed or too large, or the session has ended. Failures of the peer
    /// come with the items.
    pub async fn stream<M: StreamMethod>(
        &self,
        window: u32,
        within: Option<Duration>,
        request: &M::Request,
    ) -> Result<Items<M::Item>, CallError> {
        let (body, window) = (barrow_wire::to_bytes(request)?, window.max(1));
        let pending = self.begin(M::NAME, body, within, Some(window)).await?;
        Ok(Items {
            pending,
            window,
            taken: 0,
            item: PhantomData,
        })
    }

    async fn begin(
        &self,
        method: &'static str,
        body: Vec<u8>,
        within: Option<Duration>,
        window: Option<u32>,
    ) -> Result<Pending, CallError> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let room = window.unwrap_or(0) as usize;
        let (caller, answers) = bounded(room + 1);
        let order = Order {
            call,
            method,
            body,
            within,
            window,
            caller,
        };
        let sent = self.orders.send(order).await;
        sent.map_err(|_| CallError::Closed)?;
        Ok(Pending {
            call,
            client: self.clone(),
            answers,
            ended: false,
        })
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.orders.is_closed()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("waiting", &self.orders.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// A call that was made; dropped before its end, it is given up.
struct Pending {
    call: CallId,
    client: Client,
    answers: Receiver<Answer>,
    ended: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.ended {
            // A connection that is gone has given up everything.
            let _ = self.client.urgent.send(Command::Cancel { call: self.call });
        }
    }
}

/// The answer of a [`StreamMethod`]. Dropping it gives the call up.
pub struct Items<T> {
    pending: Pending,
    window: u32,
    /// Items taken since more were granted.
    taken: u32,
    item: PhantomData<fn() -> T>,
}

impl<T: barrow_wire::DecodeOwned> Items<T> {
    /// Waits for the next item; `None` at the end. After an error nothing more comes.
    ///
    /// # Errors
    /// As the peer's handler answers; when an item is malformed; when the session ends.
    pub async fn next(&mut self) -> Option<Result<T, CallError>> {
        if self.pending.ended {
            return None;
        }
        match self.pending.answers.recv().await {
            Some(Answer::Item(body)) => {
                self.grant();
                let item = barrow_wire::from_bytes(&body);
                Some(item.map_err(CallError::from))
            }
            Some(Answer::End) => {
                self.pending.ended = true;
                None
            }
            Some(Answer::Fail(failure)) => {
                self.pending.ended = true;
                Some(Err(failure.into()))
            }
            Some(Answer::Reply(_)) | None => {
                self.pending.ended = true;
                Some(Err(CallError::Closed))
            }
        }
    }

    /// Grants what was taken, half a window at a time.
    fn grant(&mut self) {
        self.taken += 1;
        if self.taken * 2 >= self.window {
            let (call, items) = (self.pending.call, std::mem::take(&mut self.taken));
            // Not behind calls that wait for room, which a stream may have to make. A connection
            // that is gone ends the stream at the next look.
            let _ = self
                .pending
                .client
                .urgent
                .send(Command::Grant { call, items });
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("call", &self.pending.call)
            .field("window", &self.window)
            .field("ended", &self.pending.ended)
            .finish_non_exhaustive()
    }
}
