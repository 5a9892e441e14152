//! Streams of events.

use super::Channel;
use super::call::checked;
use crate::error::Error;
use crate::mux::{ArmState, Entry, StreamKey, SubscriptionKey, SubscriptionRequest};
use crate::session::Session;
use barrow_wire::{Message, Subscribe, decode_message, to_bytes};
use futures_core::Stream;
use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What an [`EventStream`] brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<E> {
    /// An event.
    Event(E),
    /// So many events came here and were lost, because the stream was not read.
    Lagged(u64),
    /// The connection was lost and made again: events may be missing, and when the server was started anew, so is
    /// all it knew.
    Gap {
        /// The generation of the connection from here on.
        generation: u64,
    },
}

/// Events of one type, as they come. Ends when the client is closed.
///
/// Dropping it ends the subscription if no other stream shares it.
#[derive(Debug)]
pub struct EventStream<E> {
    channel: Channel,
    key: StreamKey,
    /// Set once an error was told.
    over: bool,
    events: PhantomData<fn() -> E>,
}

impl<E: Message> EventStream<E> {
    pub(super) fn open(
        channel: Channel,
        request: Option<SubscriptionRequest>,
    ) -> Result<(Self, Option<SubscriptionKey>), Error> {
        let (key, subscription) = channel.hub().with(|state| {
            if let Some(why) = state.closed() {
                return Err(Error::Closed(why.clone()));
            }
            let opened = state.open_stream(Session::expect::<E>, channel.queue(), request)?;
            Ok(opened)
        })?;
        let stream = Self {
            channel,
            key,
            over: false,
            events: PhantomData,
        };
        Ok((stream, subscription))
    }

    /// The next event; `None` once the client is closed or after an error.
    ///
    /// Errors are an event that is shorter than its definition (more may follow), or a server that does not send
    /// these events any more after a reconnect (the last item).
    pub async fn next(&mut self) -> Option<Result<Event<E>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<E: Message> Stream for EventStream<E> {
    type Item = Result<Event<E>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        let key = this.key;
        let entry = this.channel.hub().with(|state| {
            let closed = state.closed().is_some();
            let (queue, failed) = state.subscriptions.stream(key);
            match (queue.pop(), failed) {
                (Some(entry), _) => Poll::Ready(Ok(Some(entry))),
                (None, Some(error)) => Poll::Ready(Err(error.clone())),
                (None, None) if closed => Poll::Ready(Ok(None)),
                (None, None) => {
                    queue.set_waker(cx.waker());
                    Poll::Pending
                }
            }
        });
        let item = match std::task::ready!(entry) {
            Ok(None) => None,
            Ok(Some(Entry::Lagged(lost))) => Some(Ok(Event::Lagged(lost))),
            Ok(Some(Entry::Gap(generation))) => Some(Ok(Event::Gap { generation })),
            Ok(Some(Entry::Message(bytes))) => Some(match decode_message(&bytes) {
                Ok((_, event)) => Ok(Event::Event(event)),
                Err(error) => Err(error.into()),
            }),
            Err(error) => {
                this.over = true;
                Some(Err(error))
            }
        };
        Poll::Ready(item)
    }
}

impl<E> Drop for EventStream<E> {
    fn drop(&mut self) {
        let key = self.key;
        self.channel.hub().with(|state| state.close_stream(key));
    }
}

/// A subscription under way: a future of its [`EventStream`]. See [`Channel::subscribe`].
#[must_use = "a subscription is made when it is polled"]
#[derive(Debug)]
pub struct Subscribing<M: Subscribe> {
    channel: Channel,
    request: Option<M>,
    opened: Option<(EventStream<M::Event>, SubscriptionKey)>,
}

impl<M: Subscribe> Subscribing<M> {
    pub(super) fn new(channel: Channel, request: M) -> Self {
        Self {
            channel,
            request: Some(request),
            opened: None,
        }
    }
}

// Nothing in it is pinned.
impl<M: Subscribe> Unpin for Subscribing<M> {}

impl<M: Subscribe + Sync> Future for Subscribing<M>
where
    M::Reply: Sync,
{
    type Output = Result<EventStream<M::Event>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(request) = this.request.take() {
            let opened = EventStream::open(this.channel.clone(), Some(subscription(request)?))?;
            let (stream, Some(key)) = opened else {
                unreachable!("opened with a request")
            };
            this.opened = Some((stream, key));
        }
        let (stream, key) = this.opened.take().expect("polled after its end");
        let (state, closed) = this.channel.hub().with(|state| {
            let closed = state.closed().cloned();
            (state.subscriptions.arm_state(key, cx.waker()), closed)
        });
        match (state, closed) {
            (ArmState::Armed, _) => Poll::Ready(Ok(stream)),
            (ArmState::Failed(error), _) => Poll::Ready(Err(error)),
            (ArmState::Waiting, Some(why)) => Poll::Ready(Err(Error::Closed(why))),
            (ArmState::Waiting, None) => {
                this.opened = Some((stream, key));
                Poll::Pending
            }
        }
    }
}

/// The request, switched on and off.
fn subscription<M: Subscribe + Sync>(mut request: M) -> Result<SubscriptionRequest, Error>
where
    M::Reply: Sync,
{
    let mut end = request.clone();
    let ends = end.set_enabled(false);
    // A request without a switch is sent as it is.
    let _ = request.set_enabled(true);
    let bytes = to_bytes(&request).map_err(crate::session::StartError::from)?;
    Ok(SubscriptionRequest {
        identity: (TypeId::of::<M>(), bytes),
        arm: Box::new(move |session, deadline| session.request(&request, deadline)),
        disarm: ends.then(|| -> crate::mux::SendFn {
            Box::new(move |session, deadline| session.request(&end, deadline))
        }),
        check: |bytes| {
            let (_, reply): (_, M::Reply) = decode_message(bytes)?;
            checked::<M>(reply).map(|_| ())
        },
    })
}
