//! The meeting place of users and driver.

use super::Overflow;
use super::link::{Due, Link};
use super::status::{ConnectionState, Status, Transitions};
use super::subscriptions::{Request, StreamKey, SubscriptionKey, Subscriptions};
use super::window::{ChannelKey, Window};
use crate::config::Config;
use crate::error::{Closed, Error, Lost};
use crate::reconnect::Attempts;
use crate::session::{CallId, Incoming, Session, SessionState, StartError};
use barrow_core::{Doorbell, Instant};
use barrow_messages::memclnt::{ControlPing, ControlPingReply};
use barrow_wire::decode_message;
use rustc_hash::FxHashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// How long a call that was taken back holds its place, at most, where calls have no timeout.
const GRACE: Duration = Duration::from_secs(5);

/// Where bytes go; never waits.
pub(crate) trait Transmit: Send + Sync {
    /// Sends some of `bytes`; `WouldBlock` when nothing can go now.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// What a driver is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Connect within this time, and tell [`Hub::connected`] or [`Hub::lost`].
    Connect { until: Instant },
    /// Read what comes; write when the socket takes more, if it did not take all; come back at this instant.
    Io { until: Option<Instant> },
    /// Nothing but wait: for the bell or this instant.
    Wait { until: Option<Instant> },
    /// Everything is over.
    Finished,
}

/// What is shared; see the [module](super).
pub(crate) struct Hub {
    state: Mutex<State>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    bell: Box<dyn Doorbell>,
}

/// What is behind the lock.
pub(crate) struct State {
    pub(crate) config: Arc<Config>,
    pub(crate) session: Session,
    pub(crate) window: Window,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) transitions: Transitions,
    link: Link,
    attempts: Attempts,
    /// Who waits for the call of each place.
    owners: Vec<Owner>,
    /// Calls of the hub itself.
    internal: FxHashMap<CallId, Internal>,
    generation: u64,
    pid: Option<u32>,
    transmit: Option<Arc<dyn Transmit>>,
    closed: Option<Closed>,
    /// Whom to wake once the lock is open again.
    pub(crate) wake: Vec<Waker>,
    /// Whether the driver has something to do that it does not know of.
    ring: bool,
    /// When the driver comes back by itself.
    told: Option<Instant>,
    now: Instant,
}

#[derive(Default)]
struct Owner {
    channel: Option<ChannelKey>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug)]
enum Internal {
    /// The first ping of a connection: it tells the server's process.
    Hello,
    Probe,
    Arm(SubscriptionKey),
    Disarm,
}

impl Hub {
    /// `bell` wakes the driver, `clock` tells the time.
    pub(crate) fn new(
        config: Config,
        bell: impl Doorbell,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        let now = clock();
        let state = State {
            session: Session::new(&config.name, config.max_message_len),
            window: Window::new(config.window),
            subscriptions: Subscriptions::default(),
            transitions: Transitions::new(),
            link: Link::Down { retry: now },
            attempts: Attempts::new(config.reconnect),
            owners: Vec::new(),
            internal: FxHashMap::default(),
            generation: 0,
            pid: None,
            transmit: None,
            closed: None,
            wake: Vec::new(),
            ring: false,
            told: None,
            now,
            config: Arc::new(config),
        };
        Self {
            state: Mutex::new(state),
            clock: Box::new(clock),
            bell: Box::new(bell),
        }
    }

    /// The time of this hub.
    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Runs `f` on the state, and then wakes whom it concerns.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let (result, wake, ring) = {
            let mut state = self.lock();
            let result = f(&mut state);
            let ring = std::mem::take(&mut state.ring);
            (result, std::mem::take(&mut state.wake), ring)
        };
        wake.into_iter().for_each(Waker::wake);
        if ring {
            self.bell.ring();
        }
        result
    }

    /// As [`with`](Self::with), for the driver: with memory for wakers that it keeps, and without the bell.
    fn drive<R>(&self, wakers: &mut Vec<Waker>, f: impl FnOnce(&mut State) -> R) -> R {
        let result = {
            let mut state = self.lock();
            std::mem::swap(&mut state.wake, wakers);
            state.now = self.now();
            let result = f(&mut state);
            state.ring = false;
            std::mem::swap(&mut state.wake, wakers);
            result
        };
        wakers.drain(..).for_each(Waker::wake);
        result
    }

    /// A panic of a user's waker or request must not take the others with it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do now.
    pub(crate) fn step(&self, wakers: &mut Vec<Waker>) -> Step {
        self.drive(wakers, State::step)
    }

    /// There is a connection.
    pub(crate) fn connected(&self, wakers: &mut Vec<Waker>, transmit: Arc<dyn Transmit>) {
        self.drive(wakers, |state| state.connected(transmit));
    }

    /// There is none, or no more.
    pub(crate) fn lost(&self, wakers: &mut Vec<Waker>, why: Lost) {
        self.drive(wakers, |state| state.lose(why));
    }

    /// Reads once, at most `len` bytes. Returns how many came; 0 when the connection is over.
    pub(crate) fn read(
        &self,
        wakers: &mut Vec<Waker>,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.drive(wakers, |state| state.read(len, read))
    }

    /// Writes what waits. Returns whether all of it went.
    pub(crate) fn write(&self, wakers: &mut Vec<Waker>) -> bool {
        self.drive(wakers, State::flush)
    }

    /// Says goodbye and ends.
    pub(crate) fn close(&self) {
        let now = self.now();
        self.with(|state| {
            state.now = now;
            state.close();
        });
    }
}

impl State {
    /// Why there is no connection and will be none.
    pub(crate) fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// The status as users see it.
    pub(crate) fn status(&self) -> Status {
        Status {
            state: self.transitions.current().clone(),
            generation: self.generation,
            pid: self.pid,
            in_flight: self.window.in_flight(),
            waiting: self.window.waiting(),
            channels: self.window.channels(),
            contexts: self.session.calls_in_use(),
            unsent: self.session.unsent().len(),
            events_lost: self.subscriptions.lost(),
            session: *self.session.counters(),
        }
    }

    /// Whether a call may start now rather than wait for a place.
    pub(crate) fn has_room(&self) -> bool {
        self.session.unsent().len() < self.config.unsent
    }

    /// A call that holds a place of `channel` was started: `waker` is told what becomes of it.
    pub(crate) fn started(&mut self, call: CallId, channel: ChannelKey, waker: &Waker) {
        let owner = self.owner(call);
        owner.channel = Some(channel);
        owner.waker = Some(waker.clone());
        if self.window.in_flight() == 1 {
            // Nothing to gather: sparing the driver's turn halves the time of a single call.
            self.flush();
        }
        self.ring |= !self.session.unsent().is_empty();
        self.ring_if_sooner();
    }

    /// Has the driver send what waits.
    pub(crate) fn ring_to_send(&mut self) {
        self.ring = true;
    }

    /// Has the driver look again if something is due before it comes back by itself.
    pub(crate) fn ring_if_sooner(&mut self) {
        let next = self.session.poll_timeout().into_iter();
        if let Some(next) = next.chain(self.window.next_check()).min() {
            self.ring |= self.told.is_none_or(|told| next < told);
        }
    }

    /// Has `waker` told what becomes of `call`.
    pub(crate) fn watch(&mut self, call: CallId, waker: &Waker) {
        let owner = self.owner(call);
        if !owner.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            owner.waker = Some(waker.clone());
        }
    }

    /// Nobody waits for `call` any more.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.owner(call).waker = None;
        // As long as a call of the default kind, whatever this one was.
        let until = self.deadline().unwrap_or(self.now + GRACE);
        self.session.cancel(call, until);
        self.ring_if_sooner();
    }

    /// Opens a stream of events; see [`Subscriptions::open`].
    pub(crate) fn open_stream(
        &mut self,
        resolve: fn(&mut Session) -> Result<u16, StartError>,
        queue: (usize, Overflow),
        request: Option<Request>,
    ) -> Result<(StreamKey, Option<SubscriptionKey>), StartError> {
        let (stream, subscription, new) =
            self.subscriptions
                .open(&mut self.session, resolve, queue, request)?;
        if let (Some(key), true, SessionState::Open) = (subscription, new, self.session.state()) {
            self.arm(key);
            self.ring = true;
        }
        Ok((stream, subscription))
    }

    /// Closes a stream, and ends its subscription if it was the last.
    pub(crate) fn close_stream(&mut self, key: StreamKey) {
        let Some(disarm) = self.subscriptions.close(key) else {
            return;
        };
        // Without a connection there is nothing to end.
        let deadline = self.deadline();
        if let Ok(call) = disarm(&mut self.session, deadline) {
            self.internal.insert(call, Internal::Disarm);
            self.ring = true;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.config.timeout.map(|timeout| self.now + timeout)
    }

    fn owner(&mut self, call: CallId) -> &mut Owner {
        let place = call.place();
        if self.owners.len() <= place {
            self.owners.resize_with(place + 1, Owner::default);
        }
        &mut self.owners[place]
    }

    fn step(&mut self) -> Step {
        let due = loop {
            match self.link.poll(self.now) {
                Due::Nothing(until) => break until,
                Due::Connect => {
                    let until = self.now + self.config.reconnect.timeout;
                    self.link = Link::Connecting { until };
                    return Step::Connect { until };
                }
                Due::GreetingTimeout => self.lose(Lost::GreetingTimeout),
                Due::Ping => self.ping(Internal::Probe, None),
                Due::Dead(failures) => self.lose(Lost::NotResponding(failures)),
                Due::Close => self.finish(),
            }
        };
        self.show_health();
        self.expire();
        let until = due
            .into_iter()
            .chain(self.session.poll_timeout())
            .chain(self.window.next_check())
            .min();
        self.told = until;
        match self.link {
            Link::Finished => Step::Finished,
            Link::Down { .. } | Link::Connecting { .. } => Step::Wait { until },
            Link::Opening { .. } | Link::Open(_) | Link::SigningOff { .. } => Step::Io { until },
        }
    }

    fn expire(&mut self) {
        let Self {
            session,
            owners,
            internal,
            window,
            wake,
            ..
        } = self;
        let mut arms = Vec::new();
        session.handle_timeout(self.now, |call, _| match internal.remove(&call) {
            Some(Internal::Arm(key)) => arms.push((call, key)),
            Some(_) => arms.push((call, usize::MAX)),
            None => {
                if let Some(owner) = owners.get_mut(call.place()) {
                    wake.extend(owner.waker.take());
                    owner
                        .channel
                        .take()
                        .into_iter()
                        .for_each(|key| window.leave(key));
                }
            }
        });
        window.expire(self.now, wake);
        for (call, key) in arms {
            let failure = self.session.finish(call, |end| end.err()).flatten();
            if let Some(failure) = failure {
                self.subscriptions
                    .answered(key, Err(failure.into()), &mut self.wake);
            }
        }
    }

    fn connected(&mut self, transmit: Arc<dyn Transmit>) {
        if let Link::Connecting { until } = self.link {
            self.link = Link::Opening { until };
            self.transmit = Some(transmit);
            self.session.begin();
        }
    }

    fn read(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let len = match read(self.session.space(len)) {
            Ok(0) => {
                self.lose(Lost::EndOfFile);
                return Ok(0);
            }
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            Err(error) => {
                self.lose(Lost::from(&error));
                return Ok(0);
            }
        };
        self.link.heard(self.now);
        let Self {
            session,
            owners,
            internal,
            window,
            subscriptions,
            wake,
            ..
        } = self;
        let (mut opened, mut signed_off, mut own) = (false, false, Vec::new());
        let taken = session.received(len, |incoming| match incoming {
            Incoming::Ended(call) | Incoming::Items(call) => {
                if let Some(kind) = internal.remove(&call) {
                    own.push((call, kind));
                } else if let Some(owner) = owners.get_mut(call.place()) {
                    wake.extend(owner.waker.take());
                }
            }
            Incoming::Settled(call) => {
                let owner = owners.get_mut(call.place());
                if let Some(channel) = owner.and_then(|owner| owner.channel.take()) {
                    window.leave(channel);
                }
            }
            Incoming::Event { id, message } => subscriptions.deliver(id, message, wake),
            Incoming::Opened => opened = true,
            Incoming::SignedOff => signed_off = true,
        });
        if let Err(error) = taken {
            self.lose(error.into());
            return Ok(0);
        }
        if opened {
            self.opened();
        }
        for (call, kind) in own {
            self.own_call_ended(call, kind);
        }
        if signed_off {
            self.finish();
            return Ok(0);
        }
        self.grant();
        Ok(len)
    }

    /// Gives free places to those who wait, if more can be sent.
    pub(crate) fn grant(&mut self) {
        if self.has_room() && self.session.state() == SessionState::Open {
            self.window.grant(&mut self.wake);
        }
    }

    /// Writes what waits; whether all of it went.
    fn flush(&mut self) -> bool {
        let Some(transmit) = &self.transmit else {
            return true;
        };
        while !self.session.unsent().is_empty() {
            match transmit.try_write(self.session.unsent()) {
                Ok(len) => self.session.sent(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The reader finds the connection closed, after what the server has still said.
                Err(_) => {
                    self.transmit = None;
                    return true;
                }
            }
        }
        self.grant();
        true
    }

    /// The greeting is answered. What was subscribed is subscribed again, before anything else is sent.
    fn opened(&mut self) {
        self.generation += 1;
        let again =
            self.subscriptions
                .connected(&mut self.session, self.generation, &mut self.wake);
        for key in again {
            self.arm(key);
        }
        self.ping(Internal::Hello, self.deadline());
    }

    fn arm(&mut self, key: SubscriptionKey) {
        let deadline = self.deadline();
        let Some(request) = self.subscriptions.request(key) else {
            return;
        };
        match (request.arm)(&mut self.session, deadline) {
            Ok(call) => {
                self.internal.insert(call, Internal::Arm(key));
            }
            Err(error) => {
                self.subscriptions
                    .answered(key, Err(error.into()), &mut self.wake);
            }
        }
    }

    fn ping(&mut self, kind: Internal, deadline: Option<Instant>) {
        match self.session.request(&ControlPing::default(), deadline) {
            Ok(call) => {
                self.internal.insert(call, kind);
                self.flush();
            }
            Err(error) => tracing::debug!(%error, "no ping"),
        }
    }

    fn own_call_ended(&mut self, call: CallId, kind: Internal) {
        let result = self.session.finish(call, |end| match kind {
            Internal::Hello => {
                let (_, reply): (_, ControlPingReply) = decode_message(end?)?;
                Ok(Some(reply.vpe_pid))
            }
            Internal::Arm(key) => {
                let check = self.subscriptions.request(key).map(|request| request.check);
                end.map_err(Error::from)
                    .and_then(|bytes| check.map_or(Ok(()), |check| check(bytes)))
                    .map(|()| None)
            }
            Internal::Probe | Internal::Disarm => Ok(None),
        });
        match (kind, result) {
            (Internal::Hello, Some(Ok(Some(pid)))) => self.ready(pid),
            (Internal::Arm(key), Some(result)) => {
                self.subscriptions
                    .answered(key, result.map(|_| ()), &mut self.wake);
            }
            _ => {}
        }
    }

    fn ready(&mut self, pid: u32) {
        let restarted = (self.generation > 1).then_some(self.pid != Some(pid));
        self.pid = Some(pid);
        self.link = Link::open(&self.config, self.now);
        self.attempts.opened(self.now);
        tracing::debug!(generation = self.generation, pid, "connected");
        let state = ConnectionState::Connected {
            generation: self.generation,
            restarted,
        };
        self.transitions.set(state, &mut self.wake);
    }

    fn show_health(&mut self) {
        let state = match (self.transitions.current(), self.link.failures()) {
            (ConnectionState::Connected { .. } | ConnectionState::NotResponding { .. }, 1..) => {
                ConnectionState::NotResponding {
                    failures: self.link.failures(),
                }
            }
            (ConnectionState::NotResponding { .. }, 0) => ConnectionState::Connected {
                generation: self.generation,
                restarted: (self.generation > 1).then_some(false),
            },
            _ => return,
        };
        self.transitions.set(state, &mut self.wake);
    }

    fn lose(&mut self, why: Lost) {
        if matches!(self.link, Link::SigningOff { .. } | Link::Finished) {
            self.finish();
            return;
        }
        tracing::debug!(%why, "no connection");
        self.disconnect();
        self.link = Link::after_loss(&mut self.attempts, self.now);
        let state = match self.link {
            Link::Finished => {
                self.closed = Some(Closed::GaveUp(why.clone()));
                self.subscriptions.wake_all(&mut self.wake);
                ConnectionState::Closed(Closed::GaveUp(why))
            }
            _ => ConnectionState::Disconnected(why),
        };
        self.transitions.set(state, &mut self.wake);
    }

    fn disconnect(&mut self) {
        let Self {
            session,
            owners,
            internal,
            window,
            wake,
            ..
        } = self;
        let mut own = Vec::new();
        session.lose(|call| {
            if internal.contains_key(&call) {
                own.push(call);
            } else if let Some(owner) = owners.get_mut(call.place()) {
                wake.extend(owner.waker.take());
            }
        });
        for call in own {
            session.finish(call, |_| ());
        }
        internal.clear();
        for owner in owners {
            owner.channel = None;
        }
        window.reset(wake);
        self.subscriptions.disconnected();
        self.transmit = None;
    }

    fn close(&mut self) {
        if self.closed.is_none() {
            self.closed = Some(Closed::ByUser);
        }
        if self.session.state() == SessionState::Open && matches!(self.link, Link::Open(_)) {
            self.session.sign_off();
            self.link = Link::SigningOff {
                until: self.now + self.config.sign_off,
            };
            self.flush();
        } else if !matches!(self.link, Link::SigningOff { .. }) {
            self.finish();
        }
        self.ring = true;
    }

    fn finish(&mut self) {
        self.disconnect();
        self.link = Link::Finished;
        let closed = self.closed.get_or_insert(Closed::ByUser).clone();
        self.subscriptions.wake_all(&mut self.wake);
        self.transitions
            .set(ConnectionState::Closed(closed), &mut self.wake);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("status", &self.lock().status())
            .finish_non_exhaustive()
    }
}
