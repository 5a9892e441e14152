//! Lists: dumps that a ping ends, and cursor streams.

use super::Channel;
use super::call::{Flight, Progress};
use crate::error::{ApiError, Error};
use crate::session::{CallFailure, next_item};
use barrow_messages::errors::Retval;
use barrow_messages::memclnt::{ControlPing, ControlPingReply};
use barrow_wire::{CursorStream, Message, Reply, decode_message};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Items that came, not decoded yet.
#[derive(Debug, Default)]
pub(crate) struct RawChunk {
    bytes: Vec<u8>,
    at: usize,
}

/// What a chunk, or the server, has next.
pub(crate) enum Next<T> {
    Item(T),
    /// The last message of the call.
    End(Result<Vec<u8>, CallFailure>),
}

/// One item as details of type `D`.
fn decoded<D: Message>(item: &[u8]) -> Result<D, Error> {
    Ok(decode_message(item)?.1)
}

impl RawChunk {
    /// The next item as `decode` makes it; more are fetched when there is none.
    pub(crate) fn poll<T>(
        &mut self,
        flight: &mut Flight,
        cx: &Context<'_>,
        decode: impl Fn(&[u8]) -> T,
    ) -> Poll<Next<T>> {
        loop {
            if let Some(item) = next_item(&self.bytes, &mut self.at) {
                return Poll::Ready(Next::Item(decode(item)));
            }
            self.bytes.clear();
            self.at = 0;
            let Progress::Started(call) = flight.progress else {
                unreachable!("items are asked for in flight")
            };
            let bytes = &mut self.bytes;
            let end = flight.channel.hub().with(|state| {
                state.session.take_items(call, bytes);
                if !bytes.is_empty() {
                    return None;
                }
                let end = state.session.finish(call, |end| end.map(<[u8]>::to_vec));
                if end.is_none() {
                    state.watch(call, cx.waker());
                }
                end
            });
            if let Some(end) = end {
                flight.progress = Progress::Over;
                return Poll::Ready(Next::End(end));
            }
            if self.bytes.is_empty() {
                return Poll::Pending;
            }
        }
    }
}

/// A list asked for by a dump: a stream of details. See [`Channel::dump`].
///
/// The details wait, up to the channel's share of [`Config::dump_buffer`](crate::Config::dump_buffer), until they are
/// taken; a consumer that falls further behind gets [`CallFailure::Overrun`] after those that were kept. Dropping it
/// ends it early.
#[must_use = "a dump is made when it is polled"]
pub struct Dump<M> {
    flight: Flight,
    request: M,
    chunk: RawChunk,
}

impl<M: barrow_wire::Dump + Unpin> Dump<M> {
    pub(super) fn new(channel: Channel, request: M) -> Self {
        Self {
            flight: Flight::new(channel),
            request,
            chunk: RawChunk::default(),
        }
    }

    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<M::Details, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All items.
    ///
    /// # Errors
    /// The first failure; what came before it is lost.
    pub async fn collect(mut self) -> Result<Vec<M::Details>, Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }
}

impl<M: barrow_wire::Dump + Unpin> Stream for Dump<M> {
    type Item = Result<M::Details, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self {
            flight,
            request,
            chunk,
        } = self.get_mut();
        match flight.progress {
            Progress::Over => return Poll::Ready(None),
            Progress::Started(_) => {}
            Progress::New | Progress::InLine(..) => {
                let limit = flight.channel.dump_buffer();
                let started = flight.poll_start(cx.waker(), |session, deadline| {
                    session.dump(request, deadline, limit)
                });
                match started {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(Ok(())) => {}
                }
            }
        }
        match std::task::ready!(chunk.poll(flight, cx, decoded)) {
            Next::Item(item) => Poll::Ready(Some(item)),
            Next::End(end) => Poll::Ready(closing_ping(end).err().map(Err)),
        }
    }
}

/// Looks at the ping that ends a dump.
fn closing_ping(end: Result<Vec<u8>, CallFailure>) -> Result<(), Error> {
    let (_, reply): (_, ControlPingReply) = decode_message(&end?)?;
    match reply.retval {
        0 => Ok(()),
        _ => Err(ApiError::new(ControlPing::NAME, reply).into()),
    }
}

impl<M: fmt::Debug> fmt::Debug for Dump<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump")
            .field("request", &self.request)
            .field("progress", &self.flight.progress)
            .finish_non_exhaustive()
    }
}

/// A list that comes in runs: a stream of details. See [`Channel::stream`].
#[must_use = "a stream is asked for when it is polled"]
pub struct Items<M> {
    flight: Flight,
    request: M,
    chunk: RawChunk,
    first: bool,
    details: PhantomData<fn() -> M>,
}

impl<M: CursorStream + Unpin> Items<M>
where
    M::Reply: Reply + Sync,
{
    pub(super) fn new(channel: Channel, request: M) -> Self {
        Self {
            flight: Flight::new(channel),
            request,
            chunk: RawChunk::default(),
            first: true,
            details: PhantomData,
        }
    }

    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<M::Details, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All items.
    ///
    /// # Errors
    /// The first failure; what came before it is lost.
    pub async fn collect(mut self) -> Result<Vec<M::Details>, Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    /// What the end of a run means. `Ok(true)`: there is another run.
    fn run_ended(&mut self, end: Result<Vec<u8>, CallFailure>) -> Result<bool, Error> {
        let (_, reply): (_, M::Reply) = decode_message(&end?)?;
        let first = std::mem::take(&mut self.first);
        match Retval(reply.retval()) {
            Retval::OK => Ok(false),
            Retval::EAGAIN if self.request.resume_after(&reply) => Ok(true),
            // An empty list: VPP finds no element to start from (binary-api.md, section 3.4).
            Retval::INVALID_VALUE if first => Ok(false),
            _ => Err(ApiError::new(M::NAME, reply).into()),
        }
    }
}

impl<M: CursorStream + Unpin> Stream for Items<M>
where
    M::Reply: Reply + Sync,
{
    type Item = Result<M::Details, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this.flight.progress {
                Progress::Over => return Poll::Ready(None),
                Progress::Started(_) => {}
                Progress::New | Progress::InLine(..) => {
                    let limit = this.flight.channel.dump_buffer();
                    let request = &this.request;
                    let started = this.flight.poll_start(cx.waker(), |session, deadline| {
                        session.cursor_stream(request, deadline, limit)
                    });
                    match started {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                        Poll::Ready(Ok(())) => {}
                    }
                }
            }
            match std::task::ready!(this.chunk.poll(&mut this.flight, cx, decoded)) {
                Next::Item(item) => return Poll::Ready(Some(item)),
                Next::End(end) => match this.run_ended(end) {
                    Ok(true) => this.flight.progress = Progress::New,
                    Ok(false) => return Poll::Ready(None),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

impl<M: fmt::Debug> fmt::Debug for Items<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("request", &self.request)
            .field("progress", &self.flight.progress)
            .finish_non_exhaustive()
    }
}
