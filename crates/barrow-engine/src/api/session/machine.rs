//! The connection's state machine.

use super::outbox::Outbox;
use crate::{
    api::{
        ApiCounters, ApiLimits, ApiTable, ApiTrace, Client, Clients,
        handler::{Answer, Call, Pulled, Stream},
        limits::count,
        table::Entry,
    },
    log::Class,
};
use barrow_core::Instant;
use barrow_wire::{DecodeError, frame::FrameDecoder, frame::FrameError, message_id};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// One connection of the API.
pub struct Session {
    table: Rc<ApiTable>,
    client: Client,
    limits: Rc<ApiLimits>,
    counters: Rc<ApiCounters>,
    trace: ApiTrace,
    log: Class,
    decoder: FrameDecoder,
    current: Current,
    outbox: Outbox,
    /// Since when nothing has been accepted, while something waits.
    waiting_since: Option<Instant>,
    /// Complete messages may wait in the decoder.
    unhandled: bool,
    end_of_input: bool,
    closing: Option<Closed>,
}

/// The request that is not answered yet.
enum Current {
    None,
    Later(Pin<Box<dyn Future<Output = Vec<u8>>>>),
    Stream(Stream),
}

/// How a call of [`Session::work`] ended.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to do before bytes come, bytes go, or the waker is woken.
    Idle,
    /// Stopped by the quantum.
    More,
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its client said goodbye, and was answered.
    ByRequest,
    /// Its client closed it, or its sending half.
    EndOfInput,
    /// A frame breaks the stream.
    Broken(FrameError),
    /// It accepted nothing for too long.
    Stalled,
    /// It did not read its events.
    Flooded,
    /// The node stops.
    Shutdown,
}

impl Session {
    /// A connection of `client`.
    pub fn new(
        table: Rc<ApiTable>,
        clients: &Clients,
        client: Client,
        trace: ApiTrace,
        log: Class,
    ) -> Self {
        let limits = clients.limits().clone();
        Self {
            table,
            client,
            decoder: FrameDecoder::new(limits.max_message),
            limits,
            counters: clients.counters().clone(),
            trace,
            log,
            current: Current::None,
            outbox: Outbox::default(),
            waiting_since: None,
            unhandled: false,
            end_of_input: false,
            closing: None,
        }
    }

    /// Whether the host should read. False while answers wait: then the client's next requests wait in the socket.
    pub fn wants_input(&self) -> bool {
        matches!(self.current, Current::None)
            && !self.unhandled
            && !self.end_of_input
            && self.closing.is_none()
            && self.outbox.len() < self.limits.max_queued
    }

    /// Room for at least `len` bytes, to read into.
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        self.decoder.space(len)
    }

    /// The first `len` bytes of [`Session::space`] have been read.
    pub fn filled(&mut self, len: usize) {
        self.decoder.filled(len);
        self.unhandled = true;
    }

    /// The client sends nothing more. What it has sent is answered.
    pub fn end_of_input(&mut self) {
        self.end_of_input = true;
    }

    /// The node stops: what waits is sent, nothing more is handled.
    pub fn shutdown(&mut self) {
        self.current = Current::None;
        self.closing.get_or_insert(Closed::Shutdown);
    }

    /// Handles messages, and goes on with the unfinished one; each message and each detail takes one from `quantum`.
    pub fn work(&mut self, now: Instant, cx: &mut Context<'_>, quantum: &mut u32) -> Progress {
        self.client.register(cx.waker());
        let progress = loop {
            if self.closing.is_none() {
                self.collect_events();
            }
            if self.closing.is_some() {
                break Progress::Idle;
            }
            let full = self.outbox.len() >= self.limits.max_queued;
            let tail = self.outbox.tail();
            match &mut self.current {
                Current::Later(reply) => match reply.as_mut().poll(cx) {
                    Poll::Pending => break Progress::Idle,
                    Poll::Ready(mut frame) => {
                        tail.append(&mut frame);
                        self.current = Current::None;
                    }
                },
                _ if full => break Progress::Idle,
                _ if *quantum == 0 => break Progress::More,
                Current::Stream(next) => {
                    *quantum -= 1;
                    match next(tail) {
                        Pulled::Frame => {}
                        Pulled::End => self.current = Current::None,
                        Pulled::Lost(error) => self.lose(error),
                    }
                }
                Current::None => {
                    *quantum -= 1;
                    if !self.next_message() {
                        break Progress::Idle;
                    }
                }
            }
        };
        if self.outbox.len() > 0 {
            self.waiting_since.get_or_insert(now);
        }
        progress
    }

    /// What is to be sent.
    pub fn output(&self) -> &[u8] {
        self.outbox.waiting()
    }

    /// The first `len` bytes of the output have been sent.
    pub fn sent(&mut self, now: Instant, len: usize) {
        self.outbox.consume(len);
        if len > 0 {
            self.waiting_since = (self.outbox.len() > 0).then_some(now);
        }
    }

    /// When the connection is closed unless it accepts something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting_since
            .map(|since| since.saturating_add(self.limits.stall_timeout))
    }

    /// The time told by [`Session::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            count(&self.counters.stalled);
            self.give_up(Closed::Stalled);
        }
    }

    /// Why the connection is to be closed now, if it is.
    pub fn is_finished(&self) -> Option<Closed> {
        self.closing.filter(|_| self.outbox.len() == 0)
    }

    /// Whether a request takes its time, so that nothing else can be done.
    pub fn is_waiting(&self) -> bool {
        matches!(self.current, Current::Later(_))
    }

    /// Its client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Bytes that it holds for its client: requests, answers and events.
    pub fn held(&self) -> usize {
        self.decoder.pending() + self.outbox.len()
    }

    fn collect_events(&mut self) {
        let client = &self.client;
        self.outbox.append_events(|out| client.take_events(out));
        if client.is_flooded() || self.outbox.events() > self.limits.max_events {
            count(&self.counters.flooded);
            self.give_up(Closed::Flooded);
        }
    }

    /// Ends at once; what waits is lost.
    fn give_up(&mut self, why: Closed) {
        let (name, index) = (self.client.name(), self.client.index().get());
        self.log.warning(format_args!(
            "client {index:#x} `{name}' is disconnected: {why}"
        ));
        self.outbox.clear();
        self.waiting_since = None;
        self.current = Current::None;
        self.closing = Some(why);
    }

    /// Handles the next message. False if there is none.
    fn next_message(&mut self) -> bool {
        let message = match self.decoder.next_message() {
            Ok(Some(message)) => message,
            Ok(None) => {
                self.unhandled = false;
                if self.end_of_input {
                    self.closing = Some(Closed::EndOfInput);
                }
                return false;
            }
            Err(error) => {
                count(&self.counters.broken);
                self.log
                    .warning(format_args!("client `{}': {error}", self.client.name()));
                self.closing = Some(Closed::Broken(error));
                return false;
            }
        };
        let entry = match check(message, &self.table, &self.client) {
            Ok(entry) => entry,
            Err(refused) => {
                refused.count(&self.counters);
                self.log
                    .warning(format_args!("client `{}': {refused}", self.client.name()));
                return true;
            }
        };
        self.trace.record(entry.info.name, message);
        let call = Call {
            message,
            client: &self.client,
            reply_id: entry.reply_id,
            details_id: entry.details_id,
            cursor_run: self.limits.cursor_run,
        };
        let handler = entry.handler.as_ref().expect("`check' looks for one");
        count(&self.counters.messages);
        match handler(&call, self.outbox.tail()) {
            Ok(Answer::Done) => {}
            Ok(Answer::Close) => self.closing = Some(Closed::ByRequest),
            Ok(Answer::Later(reply)) => self.current = Current::Later(reply),
            Ok(Answer::Stream(next)) => self.current = Current::Stream(next),
            Ok(Answer::Lost(error)) => self.lose(error),
            Err(error) => {
                let refused = Refused::Undecodable(entry.info.name, error);
                refused.count(&self.counters);
                self.log
                    .warning(format_args!("client `{}': {refused}", self.client.name()));
            }
        }
        true
    }

    fn lose(&self, error: barrow_wire::EncodeError) {
        count(&self.counters.unencodable);
        self.log.error(format_args!(
            "an answer for `{}' was lost: {error}",
            self.client.name()
        ));
    }
}

/// Why a message is dropped.
enum Refused {
    NoHandler(u16),
    Truncated {
        name: &'static str,
        len: usize,
        min_len: usize,
    },
    Foreign {
        name: &'static str,
        index: u32,
    },
    Undecodable(&'static str, DecodeError),
}

impl Refused {
    fn count(&self, counters: &ApiCounters) {
        count(match self {
            Self::NoHandler(_) => &counters.unknown,
            Self::Truncated { .. } | Self::Undecodable(..) => &counters.truncated,
            Self::Foreign { .. } => &counters.foreign,
        });
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHandler(id) => write!(f, "no handler for msg id {id}"),
            Self::Truncated { name, len, min_len } => {
                write!(
                    f,
                    "truncated message {name}: {len} bytes, at least {min_len} are needed"
                )
            }
            Self::Foreign { name, index } => {
                write!(
                    f,
                    "message {name} with the client index {index:#x} of another"
                )
            }
            Self::Undecodable(name, error) => write!(f, "message {name}: {error}"),
        }
    }
}

/// Finds the handler of a message, if the message may have one.
fn check<'t>(message: &[u8], table: &'t ApiTable, client: &Client) -> Result<&'t Entry, Refused> {
    let id = message_id(message).unwrap_or(0);
    let entry = table.entry(id).filter(|entry| entry.handler.is_some());
    let entry = entry.ok_or(Refused::NoHandler(id))?;
    let (name, min_len) = (entry.info.name, entry.info.min_len);
    if message.len() < min_len {
        return Err(Refused::Truncated {
            name,
            len: message.len(),
            min_len,
        });
    }
    if entry.info.header.has_client_index() {
        let index = message.get(2..6).and_then(|bytes| bytes.first_chunk());
        let index = index.map_or(0, |bytes| u32::from_be_bytes(*bytes));
        // 0 is what sloppy clients send; the answer goes to whoever asked in any case.
        if index != 0 && index != client.index().get() {
            return Err(Refused::Foreign { name, index });
        }
    }
    Ok(entry)
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByRequest => f.write_str("it said goodbye"),
            Self::EndOfInput => f.write_str("it closed the connection"),
            Self::Broken(error) => write!(f, "{error}"),
            Self::Stalled => f.write_str("it accepts nothing"),
            Self::Flooded => f.write_str("it does not read its events"),
            Self::Shutdown => f.write_str("the node stops"),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("client", &self.client)
            .field("held", &self.held())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}
