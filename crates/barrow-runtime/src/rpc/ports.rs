//! Where a session meets its wire, its callers and its handlers.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Poll, Waker};

use barrow_core::channel::{Receiver, Sender, UnboundedSender};
use barrow_core::{Ports, PushOutput, Spawner, UnitId};

use super::client::{Answer, Order};
use super::connection::Closing;
use super::service::{Arrived, CallContext, Credit, Responder, Service};
use super::session::{CallId, Command, Event, Input, Output, Session, SessionStats};
use super::status::{CloseReason, Code};
use super::wire::Wire;

/// Bytes read from the wire at once.
const CHUNK: usize = 64 << 10;
/// Unsent bytes above which no more calls and answers are taken: they wait where they are.
const SOFT: usize = 256 << 10;
/// Unsent bytes above which the wire is not read either. Up to here an honest peer that is busy
/// writing is still read, so that two busy peers do not wait for each other.
const HARD: usize = 4 << 20;

/// The ports of a session. Handlers run as units beside it.
pub(super) struct RpcPorts<W> {
    wire: W,
    /// The wire has ended or failed, and the session knows.
    ended: bool,
    unsent: Vec<u8>,
    /// Bytes of `unsent` that are sent.
    sent: usize,
    chunk: Box<[u8]>,
    /// Calls to make, from clients anywhere; taken only while the peer has room.
    orders: Receiver<Order>,
    /// Answers of handlers.
    answers: Receiver<Command>,
    /// Cancellations, aborts and grants: few for each call, and never behind what waits for room.
    urgent: Receiver<Command>,
    callers: BTreeMap<CallId, Sender<Answer>>,
    handlers: BTreeMap<CallId, Handler>,
    service: Service,
    spawner: Spawner,
    responder: (Sender<Command>, UnboundedSender<Command>),
    /// Calls that the peer handles at once; 0 before its greeting.
    room: usize,
    closing: Rc<Closing>,
}

/// A call of the peer that is being handled.
struct Handler {
    unit: UnitId,
    credit: Rc<Credit>,
}

/// The far ends of what the ports receive.
pub(super) struct Ends {
    pub(super) orders: Receiver<Order>,
    pub(super) answers: (Sender<Command>, Receiver<Command>),
    pub(super) urgent: (UnboundedSender<Command>, Receiver<Command>),
}

impl<W: Wire> RpcPorts<W> {
    pub(super) fn new(
        wire: W,
        service: Service,
        spawner: Spawner,
        closing: Rc<Closing>,
        ends: Ends,
    ) -> Self {
        Self {
            wire,
            ended: false,
            unsent: Vec::new(),
            sent: 0,
            chunk: vec![0; CHUNK].into(),
            orders: ends.orders,
            answers: ends.answers.1,
            urgent: ends.urgent.1,
            callers: BTreeMap::new(),
            handlers: BTreeMap::new(),
            service,
            spawner,
            responder: (ends.answers.0, ends.urgent.0),
            room: 0,
            closing,
        }
    }

    fn waiting(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Writes what the wire takes. A wire that fails says so when it is read.
    fn flush(&mut self) {
        while self.waiting() > 0 {
            match self.wire.try_write(&self.unsent[self.sent..]) {
                Poll::Ready(Ok(count)) => self.sent += count,
                Poll::Ready(Err(_)) => self.sent = self.unsent.len(),
                Poll::Pending => break,
            }
        }
        if self.waiting() == 0 {
            self.unsent.clear();
            self.unsent.shrink_to(CHUNK);
            self.sent = 0;
        } else if self.sent > SOFT {
            self.unsent.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// The next command, if there is room for what it will say.
    fn command(&mut self) -> Option<Command> {
        if let Ok(command) = self.urgent.try_recv() {
            if let Command::Cancel { call } = command {
                self.callers.remove(&call);
            }
            return Some(self.note(command));
        }
        if self.waiting() > SOFT {
            return None;
        }
        if let Ok(command) = self.answers.try_recv() {
            return Some(self.note(command));
        }
        if self.callers.len() >= self.room {
            return None;
        }
        loop {
            let order = self.orders.try_recv().ok()?;
            if order.caller.is_closed() {
                continue; // given up before it was made
            }
            self.callers.insert(order.call, order.caller);
            return Some(Command::Call {
                call: order.call,
                method: order.method.to_owned(),
                body: order.body,
                deadline: order.within.map(|within| self.spawner.now() + within),
                window: order.window,
            });
        }
    }

    /// Forgets the handler of a call that is answered for good.
    fn note(&mut self, command: Command) -> Command {
        if let Command::Reply { call, .. } | Command::Finish { call } | Command::Fail { call, .. } =
            &command
        {
            self.handlers.remove(call);
        }
        command
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Ready { max_calls, .. } => self.room = max_calls as usize,
            Event::Called {
                call,
                method,
                body,
                deadline,
                window,
            } => {
                let (answers, urgent) = self.responder.clone();
                let arrived = Arrived {
                    body,
                    window,
                    context: CallContext::new(deadline, self.spawner.timers()),
                    credit: Rc::new(Credit::new(window.unwrap_or(0))),
                    responder: Responder::new(call, answers, urgent),
                };
                let credit = arrived.credit.clone();
                if let Some(future) = self.service.handle(&method, arrived) {
                    let unit = self
                        .spawner
                        .spawn_named_task(&format!("rpc {method}"), future);
                    self.handlers.insert(call, Handler { unit, credit });
                }
            }
            Event::Granted { call, items } => {
                if let Some(handler) = self.handlers.get(&call) {
                    handler.credit.grant(items);
                }
            }
            Event::Dropped { call } => {
                if let Some(handler) = self.handlers.remove(&call) {
                    self.spawner.remove(handler.unit);
                }
            }
            Event::Replied { call, body } => self.finish(call, Answer::Reply(body)),
            Event::Finished { call } => self.finish(call, Answer::End),
            Event::Failed { call, failure } => self.finish(call, Answer::Fail(failure)),
            Event::Item { call, body } => {
                if let Some(caller) = self.callers.get(&call) {
                    // There is room for as many as were granted; a caller that is gone cancels.
                    let _ = caller.try_send(Answer::Item(body));
                }
            }
            Event::Closed { reason, stats } => self.closing.close(reason, stats),
        }
    }

    fn finish(&mut self, call: CallId, answer: Answer) {
        if let Some(caller) = self.callers.remove(&call) {
            // There is room for one more than were granted; a caller that is gone wants nothing.
            let _ = caller.try_send(answer);
        }
    }
}

impl<W: Wire> Ports<Session> for RpcPorts<W> {
    fn next_input(&mut self, give: impl FnOnce(Input<'_>)) -> bool {
        if let Some(command) = self.command() {
            give(Input::Command(command));
            return true;
        }
        if !self.ended && self.waiting() < HARD {
            match self.wire.try_read(&mut self.chunk) {
                Poll::Ready(Ok(count @ 1..)) => {
                    give(Input::Bytes(&self.chunk[..count]));
                    return true;
                }
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.ended = true;
                    self.sent = self.unsent.len();
                    give(Input::End);
                    return true;
                }
                Poll::Pending => {}
            }
        }
        // What was said in this call goes out together, when nothing more comes in.
        let before = self.waiting();
        self.flush();
        // Room that this made lets waiting commands through.
        before > SOFT
            && self.waiting() <= SOFT
            && self
                .command()
                .map(|command| give(Input::Command(command)))
                .is_some()
    }

    fn push(&mut self, output: Output) -> PushOutput<Output> {
        match output {
            Output::Bytes(bytes) => {
                self.unsent.extend_from_slice(&bytes);
                if self.waiting() > CHUNK {
                    self.flush();
                }
            }
            // The last words are sent before the wire is dropped.
            Output::Event(event @ Event::Closed { .. }) => {
                self.flush();
                if !self.ended && self.waiting() > 0 {
                    return PushOutput::Blocked(Output::Event(event));
                }
                self.event(event);
            }
            Output::Event(event) => self.event(event),
        }
        PushOutput::Pushed
    }

    fn register(&mut self, waker: &Waker) {
        self.wire.watch(waker);
        self.orders.register(waker);
        self.answers.register(waker);
        self.urgent.register(waker);
        if self.waiting() > 0 {
            self.flush();
        }
    }
}

impl<W> Drop for RpcPorts<W> {
    /// Whatever ended the connection, nobody waits for it for ever.
    fn drop(&mut self) {
        for handler in std::mem::take(&mut self.handlers).into_values() {
            self.spawner.remove(handler.unit);
        }
        for (_, caller) in std::mem::take(&mut self.callers) {
            let _ = caller.try_send(Answer::Fail(Code::LOST.because("the connection is gone")));
        }
        self.closing
            .close(CloseReason::Lost, SessionStats::default());
    }
}
