//! One end of a bus: a task's own.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use barrow_core::channel::{Receiver, TryRecvError, TrySendError};
use barrow_core::timer::Timers;

use super::{Address, Bus, Envelope, Member, Topic, Via};

/// Sends to and receives from the other endpoints of a bus. Dropping it detaches it.
pub struct Endpoint<M> {
    bus: Bus<M>,
    address: Address,
    inbox: Receiver<Envelope<M>>,
    timers: Rc<Timers>,
    topics: BTreeSet<Topic>,
}

/// What became of a message that may be dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Endpoints that got a copy.
    pub delivered: usize,
    /// Endpoints whose inbox had no room.
    pub dropped: usize,
}

/// The endpoint of an address is gone; the message comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint is gone")]
pub struct Undelivered<M>(
    /// The message that was not delivered.
    pub M,
);

impl<M> Endpoint<M> {
    pub(super) fn new(
        bus: Bus<M>,
        address: Address,
        inbox: Receiver<Envelope<M>>,
        timers: Rc<Timers>,
    ) -> Self {
        Self {
            bus,
            address,
            inbox,
            timers,
            topics: BTreeSet::new(),
        }
    }

    /// What others send to.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The bus it is attached to.
    #[must_use]
    pub fn bus(&self) -> &Bus<M> {
        &self.bus
    }

    /// Receives what is published to a topic from now on.
    pub fn subscribe(&mut self, topic: Topic) {
        let Some(own) = self.bus.0.directory.get(self.address.0) else {
            return; // it is there as long as the endpoint is
        };
        if self.topics.insert(topic) {
            self.bus.0.topics.change(topic.0, |members| {
                let others = members.iter().flat_map(|members| members.iter().cloned());
                Some(others.chain([own]).collect())
            });
        }
    }

    /// Ends a subscription. What is on its way still arrives.
    pub fn unsubscribe(&mut self, topic: Topic) {
        if self.topics.remove(&topic) {
            self.leave(topic);
        }
    }

    fn leave(&self, topic: Topic) {
        self.bus.0.topics.change(topic.0, |members| {
            let others = |member: &&Member<M>| member.address != self.address;
            let members: Arc<[_]> = members?.iter().filter(others).cloned().collect();
            (!members.is_empty()).then_some(members)
        });
    }

    /// Sends to one endpoint, and waits while its inbox is full.
    ///
    /// # Errors
    /// The message comes back when the endpoint is gone.
    pub async fn send(&self, to: Address, message: M) -> Result<(), Undelivered<M>> {
        let Some(member) = self.bus.0.directory.get(to.0) else {
            self.bus.0.counters.miss();
            return Err(Undelivered(message));
        };
        match self.try_put(&member, Via::Direct, message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(envelope)) => Err(Undelivered(envelope.message)),
            Err(TrySendError::Full(envelope)) => self
                .put(&member, envelope)
                .await
                .map_err(|envelope| Undelivered(envelope.message)),
        }
    }

    /// Sends to one endpoint if its inbox has room; counted as dropped if it has not.
    ///
    /// # Errors
    /// The message comes back when there is no room, or the endpoint is gone.
    pub fn try_send(&self, to: Address, message: M) -> Result<(), TrySendError<M>> {
        let Some(member) = self.bus.0.directory.get(to.0) else {
            self.bus.0.counters.miss();
            return Err(TrySendError::Closed(message));
        };
        let put = self.try_put(&member, Via::Direct, message);
        put.map_err(|error| match error {
            TrySendError::Closed(envelope) => TrySendError::Closed(envelope.message),
            TrySendError::Full(envelope) => {
                self.bus.0.counters.drop_copies(1);
                TrySendError::Full(envelope.message)
            }
        })
    }

    /// Waits for a message. It never ends: others may always attach.
    pub async fn recv(&mut self) -> Envelope<M> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`Endpoint::recv`] for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Envelope<M>> {
        match self.inbox.poll_recv(cx) {
            Poll::Ready(Some(envelope)) => Poll::Ready(envelope),
            // The directory keeps a sender for as long as the endpoint lives.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Takes a message if one is waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if none is.
    pub fn try_recv(&mut self) -> Result<Envelope<M>, TryRecvError> {
        self.inbox.try_recv()
    }

    /// Notes whom the next message wakes, for units: register first, then look until it is empty.
    pub fn register(&self, waker: &Waker) {
        self.inbox.register(waker);
    }

    /// Messages waiting now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }

    fn try_put(
        &self,
        member: &Member<M>,
        via: Via,
        message: M,
    ) -> Result<(), TrySendError<Envelope<M>>> {
        let from = self.address;
        let put = member.inbox.try_send(Envelope { from, via, message });
        match &put {
            Ok(()) => self.bus.0.counters.deliver(1),
            Err(TrySendError::Closed(_)) => self.bus.0.counters.miss(),
            Err(TrySendError::Full(_)) => {}
        }
        put
    }

    /// Waits for room; how long is counted.
    async fn put(&self, member: &Member<M>, envelope: Envelope<M>) -> Result<(), Envelope<M>> {
        let (counters, start) = (&self.bus.0.counters, self.timers.now());
        let sent = member.inbox.send(envelope).await;
        counters.wait(self.timers.now().saturating_since(start));
        match sent {
            Ok(()) => {
                counters.deliver(1);
                Ok(())
            }
            Err(error) => {
                counters.miss();
                Err(error.0)
            }
        }
    }
}

impl<M: Clone> Endpoint<M> {
    /// Publishes to the subscribers of a topic, and waits until each has it; returns how many that
    /// are. Those with room get it at once, also while another makes the sender wait. Dropping the
    /// future leaves the copies that were delivered.
    pub async fn publish(&self, topic: Topic, message: M) -> usize {
        match self.bus.0.topics.get(topic.0) {
            Some(members) => self.deliver(&members, Via::Topic(topic), message).await,
            None => 0,
        }
    }

    /// Publishes to those subscribers of a topic that have room, without waiting.
    pub fn offer(&self, topic: Topic, message: M) -> Offered {
        match self.bus.0.topics.get(topic.0) {
            Some(members) => self.scatter(&members, Via::Topic(topic), message),
            None => Offered::default(),
        }
    }

    /// Sends to every other endpoint, and waits until each has it; returns how many that are.
    pub async fn broadcast(&self, message: M) -> usize {
        let members = self.bus.0.directory.values();
        self.deliver(&members, Via::Broadcast, message).await
    }

    /// Sends to every other endpoint that has room, without waiting.
    pub fn offer_all(&self, message: M) -> Offered {
        let members = self.bus.0.directory.values();
        self.scatter(&members, Via::Broadcast, message)
    }

    async fn deliver(&self, members: &[Member<M>], via: Via, message: M) -> usize {
        let (mut delivered, mut late) = (0, Vec::new());
        for member in self.others(members) {
            match self.try_put(member, via, message.clone()) {
                Ok(()) => delivered += 1,
                Err(TrySendError::Full(envelope)) => late.push((member, envelope)),
                Err(TrySendError::Closed(_)) => {}
            }
        }
        for (member, envelope) in late {
            delivered += usize::from(self.put(member, envelope).await.is_ok());
        }
        delivered
    }

    fn scatter(&self, members: &[Member<M>], via: Via, message: M) -> Offered {
        let mut offered = Offered::default();
        for member in self.others(members) {
            match self.try_put(member, via, message.clone()) {
                Ok(()) => offered.delivered += 1,
                Err(TrySendError::Full(_)) => offered.dropped += 1,
                Err(TrySendError::Closed(_)) => {}
            }
        }
        self.bus.0.counters.drop_copies(offered.dropped);
        offered
    }

    fn others<'a>(&self, members: &'a [Member<M>]) -> impl Iterator<Item = &'a Member<M>> {
        let own = self.address;
        members.iter().filter(move |member| member.address != own)
    }
}

impl<M> Drop for Endpoint<M> {
    fn drop(&mut self) {
        self.topics.iter().for_each(|topic| self.leave(*topic));
        self.bus.0.directory.change(self.address.0, |_| None);
    }
}

impl<M> fmt::Debug for Endpoint<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("address", &self.address)
            .field("topics", &self.topics)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
