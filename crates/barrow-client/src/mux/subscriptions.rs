//! Event streams, and the requests that make the server send events.

use super::queue::{EventQueue, Overflow};
use crate::error::Error;
use crate::session::{CallId, Session, StartError};
use barrow_core::Instant;
use rustc_hash::FxHashMap;
use slab::Slab;
use std::any::TypeId;
use std::fmt;
use std::task::Waker;

/// Names a stream.
pub(crate) type StreamKey = usize;

/// Names a request that several streams may share.
pub(crate) type SubscriptionKey = usize;

/// Sends one request on the current connection.
pub(crate) type SendFn =
    Box<dyn Fn(&mut Session, Option<Instant>) -> Result<CallId, StartError> + Send>;

/// Whether the server sends.
#[derive(Clone, Debug)]
pub(crate) enum ArmState {
    /// Not asked yet, or not answered yet.
    Waiting,
    Armed,
    Failed(Error),
}

/// What a subscription is made of.
pub(crate) struct Request {
    /// Its type and its bytes: equal requests share one subscription.
    pub(crate) identity: (TypeId, Vec<u8>),
    pub(crate) arm: SendFn,
    /// None when the server offers no way back.
    pub(crate) disarm: Option<SendFn>,
    /// Reads the reply.
    pub(crate) check: fn(&[u8]) -> Result<(), Error>,
}

struct Subscription {
    request: Request,
    users: usize,
    state: ArmState,
    waiting: Vec<Waker>,
}

struct Stream {
    queue: EventQueue,
    resolve: fn(&mut Session) -> Result<u16, StartError>,
    subscription: Option<SubscriptionKey>,
    /// The server cannot send these any more.
    failed: Option<Error>,
}

/// All streams of a connection.
#[derive(Default)]
pub(crate) struct Subscriptions {
    subscriptions: Slab<Subscription>,
    by_identity: FxHashMap<(TypeId, Vec<u8>), SubscriptionKey>,
    streams: Slab<Stream>,
    /// Who gets messages of which id, on the current connection.
    by_id: FxHashMap<u16, Vec<StreamKey>>,
    lost: u64,
}

impl Subscriptions {
    /// Events lost in all streams.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// A stream of what `resolve` makes known, with the request that brings it.
    ///
    /// Returns whether that request has to be sent.
    pub(crate) fn open(
        &mut self,
        session: &mut Session,
        resolve: fn(&mut Session) -> Result<u16, StartError>,
        queue: (usize, Overflow),
        request: Option<Request>,
    ) -> Result<(StreamKey, Option<SubscriptionKey>, bool), StartError> {
        let id = match resolve(session) {
            Ok(id) => Some(id),
            Err(StartError::NotOpen) => None,
            Err(error) => return Err(error),
        };
        let (subscription, new) = match request {
            Some(request) => {
                let (key, new) = self.subscribe(request);
                (Some(key), new)
            }
            None => (None, false),
        };
        let stream = self.streams.insert(Stream {
            queue: EventQueue::new(queue.0, queue.1),
            resolve,
            subscription,
            failed: None,
        });
        if let Some(id) = id {
            self.by_id.entry(id).or_default().push(stream);
        }
        Ok((stream, subscription, new))
    }

    fn subscribe(&mut self, request: Request) -> (SubscriptionKey, bool) {
        if let Some(key) = self.by_identity.get(&request.identity) {
            let subscription = &mut self.subscriptions[*key];
            subscription.users += 1;
            let again = matches!(subscription.state, ArmState::Failed(_));
            if again {
                subscription.state = ArmState::Waiting;
            }
            return (*key, again);
        }
        let identity = request.identity.clone();
        let key = self.subscriptions.insert(Subscription {
            request,
            users: 1,
            state: ArmState::Waiting,
            waiting: Vec::new(),
        });
        self.by_identity.insert(identity, key);
        (key, true)
    }

    /// The stream is dropped. Returns what ends its subscription, when it was the last.
    pub(crate) fn close(&mut self, key: StreamKey) -> Option<SendFn> {
        let stream = self.streams.remove(key);
        for streams in self.by_id.values_mut() {
            streams.retain(|other| *other != key);
        }
        let subscription_key = stream.subscription?;
        let subscription = &mut self.subscriptions[subscription_key];
        subscription.users -= 1;
        if subscription.users > 0 {
            return None;
        }
        let subscription = self.subscriptions.remove(subscription_key);
        self.by_identity.remove(&subscription.request.identity);
        match subscription.state {
            ArmState::Armed | ArmState::Waiting => subscription.request.disarm,
            ArmState::Failed(_) => None,
        }
    }

    /// The request of a subscription.
    pub(crate) fn request(&self, key: SubscriptionKey) -> Option<&Request> {
        Some(&self.subscriptions.get(key)?.request)
    }

    /// The request was answered.
    pub(crate) fn answered(
        &mut self,
        key: SubscriptionKey,
        result: Result<(), Error>,
        wake: &mut Vec<Waker>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(key) else {
            return;
        };
        wake.append(&mut subscription.waiting);
        subscription.state = match result {
            Ok(()) => ArmState::Armed,
            Err(error) => {
                for (_, stream) in &mut self.streams {
                    if stream.subscription == Some(key) {
                        stream.failed = Some(error.clone());
                        wake.extend(stream.queue.take_waker());
                    }
                }
                ArmState::Failed(error)
            }
        };
    }

    /// How it stands with a subscription; `waker` is told of a change.
    pub(crate) fn arm_state(&mut self, key: SubscriptionKey, waker: &Waker) -> ArmState {
        let subscription = &mut self.subscriptions[key];
        if let ArmState::Waiting = subscription.state {
            subscription.waiting.push(waker.clone());
        }
        subscription.state.clone()
    }

    /// A connection is open. Returns the subscriptions that are to be made again.
    pub(crate) fn connected(
        &mut self,
        session: &mut Session,
        generation: u64,
        wake: &mut Vec<Waker>,
    ) -> Vec<SubscriptionKey> {
        for (key, stream) in &mut self.streams {
            if generation > 1 {
                stream.queue.push_gap(generation);
                wake.extend(stream.queue.take_waker());
            }
            match (stream.resolve)(session) {
                Ok(id) => {
                    stream.failed = None;
                    self.by_id.entry(id).or_default().push(key);
                }
                Err(error) => {
                    stream.failed = Some(error.into());
                    wake.extend(stream.queue.take_waker());
                }
            }
        }
        self.subscriptions.iter().map(|(key, _)| key).collect()
    }

    /// The connection is lost: ids mean nothing any more, and the server has forgotten us.
    pub(crate) fn disconnected(&mut self) {
        self.by_id.clear();
        for (_, subscription) in &mut self.subscriptions {
            subscription.state = ArmState::Waiting;
        }
    }

    /// The client is closed: everybody who waits is woken and finds out.
    pub(crate) fn wake_all(&mut self, wake: &mut Vec<Waker>) {
        for (_, subscription) in &mut self.subscriptions {
            wake.append(&mut subscription.waiting);
        }
        for (_, stream) in &mut self.streams {
            wake.extend(stream.queue.take_waker());
        }
    }

    /// An event came.
    pub(crate) fn deliver(&mut self, id: u16, message: &[u8], wake: &mut Vec<Waker>) {
        for key in self.by_id.get(&id).into_iter().flatten() {
            let queue = &mut self.streams[*key].queue;
            self.lost += u64::from(queue.push(message));
            wake.extend(queue.take_waker());
        }
    }

    /// The queue of a stream, and why nothing more will come, if so.
    pub(crate) fn stream(&mut self, key: StreamKey) -> (&mut EventQueue, Option<&Error>) {
        let stream = &mut self.streams[key];
        (&mut stream.queue, stream.failed.as_ref())
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions")
            .field("subscriptions", &self.subscriptions.len())
            .field("streams", &self.streams.len())
            .field("lost", &self.lost)
            .finish()
    }
}
