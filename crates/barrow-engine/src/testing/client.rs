//! A client of the binary API, and commands, in a test: the real sessions without sockets.

use super::Testbed;
use crate::api::{ApiTable, ApiTrace, Clients, Progress, Session};
use crate::cli::{CliSession, Macros, SessionSettings, execute};
use crate::log::Logger;
use barrow_core::Instant;
use barrow_wire::{
    CursorStream, Dump, Header, Message, Reply, Request, decode_message, frame,
    frame::FrameDecoder, message_id,
};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Bytes of one message that a test client takes.
const LONGEST: usize = 64 << 20;

/// Times that a command may wait for the node's threads.
const MOST_WAITS: usize = 8;

/// What a test talks to the node's messages and commands with.
pub(super) struct Frontend {
    api: Rc<ApiTable>,
    clients: Clients,
    own: Option<TestClient>,
}

/// A client of the binary API, as [`Testbed::client`] gives it.
pub struct TestClient {
    session: Session,
    api: Rc<ApiTable>,
    index: u32,
    context: u32,
    decoder: FrameDecoder,
    received: VecDeque<Vec<u8>>,
}

/// What a command did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// 0, or -1 where the command failed, as `cli_inband` tells it.
    pub retval: i32,
    /// What it printed, its error included.
    pub text: String,
}

impl Frontend {
    pub(super) fn new(api: Rc<ApiTable>, clients: Clients) -> Self {
        Self {
            api,
            clients,
            own: None,
        }
    }

    fn connect(&self) -> TestClient {
        let client = self.clients.connect(-1).expect("few clients");
        let index = client.index().get();
        let log = Logger::quiet().class("api");
        let session = Session::new(
            self.api.clone(),
            &self.clients,
            client,
            ApiTrace::default(),
            log,
        );
        TestClient {
            session,
            api: self.api.clone(),
            index,
            context: 0,
            decoder: FrameDecoder::new(LONGEST),
            received: VecDeque::new(),
        }
    }
}

impl TestClient {
    /// Sends a message and gives the number that its answers carry.
    ///
    /// # Panics
    /// When the message is not in the table.
    pub fn send<M: Message>(&mut self, message: &M) -> u32 {
        self.context += 1;
        let header = Header {
            id: self.id::<M>(),
            client_index: self.index,
            context: self.context,
        };
        let mut bytes = Vec::new();
        frame::encode(header, message, &mut bytes).expect("the test's message has a wire form");
        self.session.space(bytes.len())[..bytes.len()].copy_from_slice(&bytes);
        self.session.filled(bytes.len());
        self.work();
        self.context
    }

    /// Sends a request and gives its reply.
    ///
    /// # Panics
    /// When none comes.
    pub fn request<M: Request>(&mut self, bed: &mut Testbed, request: &M) -> M::Reply {
        let context = self.send(request);
        bed.run();
        self.work();
        self.take(context)
            .unwrap_or_else(|| panic!("no reply to {}", M::NAME))
    }

    /// Sends a dump and gives its details.
    pub fn dump<M: Dump>(&mut self, request: &M) -> Vec<M::Details> {
        let context = self.send(request);
        std::iter::from_fn(|| self.take(context)).collect()
    }

    /// Sends a cursor stream and gives its details, and its reply.
    ///
    /// # Panics
    /// When no reply comes.
    pub fn cursor<M: CursorStream>(&mut self, request: &M) -> (Vec<M::Details>, M::Reply) {
        let context = self.send(request);
        let details = std::iter::from_fn(|| self.take(context)).collect();
        let reply = self
            .take(context)
            .unwrap_or_else(|| panic!("no reply to {}", M::NAME));
        (details, reply)
    }

    /// The events that have come since the last call, in order.
    pub fn events<E: Message>(&mut self) -> Vec<E> {
        self.work();
        let id = self.id::<E>();
        let (events, others) = self
            .received
            .drain(..)
            .partition(|bytes| message_id(bytes) == Some(id));
        self.received = others;
        let events: VecDeque<Vec<u8>> = events;
        let event = |bytes: Vec<u8>| decode_message(&bytes).expect("the server's message").1;
        events.into_iter().map(event).collect()
    }

    fn id<M: Message>(&self) -> u16 {
        self.api
            .id_of::<M>()
            .unwrap_or_else(|| panic!("{} is not served", M::NAME))
    }

    /// Takes the next message if it is an `M` that answers `context`.
    fn take<M: Message>(&mut self, context: u32) -> Option<M> {
        let id = self.id::<M>();
        let at = self.received.iter().position(|bytes| {
            message_id(bytes) == Some(id)
                && decode_message::<M>(bytes).is_ok_and(|(header, _)| header.context == context)
        })?;
        let bytes = self.received.remove(at)?;
        Some(decode_message(&bytes).expect("decoded a moment ago").1)
    }

    /// Handles what was sent, and reads what was answered.
    fn work(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            let progress = self.session.work(Instant::ZERO, &mut cx, &mut 1024);
            let output = self.session.output();
            let len = output.len();
            self.decoder.push(output);
            self.session.sent(Instant::ZERO, len);
            while let Some(message) = self.decoder.next_message().expect("the server's frames") {
                self.received.push_back(message.to_vec());
            }
            if progress == Progress::Idle && len == 0 {
                return;
            }
        }
    }
}

impl Testbed {
    /// Another client of the binary API.
    #[must_use]
    pub fn client(&self) -> TestClient {
        self.frontend.connect()
    }

    /// Sends a request and gives its reply; the node runs meanwhile.
    ///
    /// # Panics
    /// When the message is not served.
    pub fn request<M: Request>(&mut self, request: &M) -> M::Reply {
        self.with_client(|client, bed| client.request(bed, request))
    }

    /// Sends a request and gives the number that its reply carries.
    ///
    /// # Panics
    /// When the message is not served.
    pub fn retval<M: Request>(&mut self, request: &M) -> i32 {
        self.request(request).retval()
    }

    /// Sends a dump and gives its details.
    ///
    /// # Panics
    /// When the message is not served.
    pub fn dump<M: Dump>(&mut self, request: &M) -> Vec<M::Details> {
        self.with_client(|client, _| client.dump(request))
    }

    /// Sends a cursor stream and gives its details, and its reply.
    ///
    /// # Panics
    /// When the message is not served.
    pub fn cursor<M: CursorStream>(&mut self, request: &M) -> (Vec<M::Details>, M::Reply) {
        self.with_client(|client, _| client.cursor(request))
    }

    /// The events that have come for requests sent with [`request`](Self::request).
    ///
    /// # Panics
    /// When the event is not served.
    pub fn events<E: Message>(&mut self) -> Vec<E> {
        self.with_client(|client, _| client.events())
    }

    /// Runs commands, with the node.
    ///
    /// # Panics
    /// When a command does not end though all is quiet.
    pub fn command(&mut self, text: &str) -> Ran {
        let settings = Rc::<SessionSettings>::default();
        let session = CliSession::program_session("test", settings, Rc::<Macros>::default());
        let registry = self.cli().clone();
        let mut running = Box::pin(execute(&registry, &session, text));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..MOST_WAITS {
            if let Poll::Ready(result) = running.as_mut().poll(&mut cx) {
                let retval = if result.is_ok() { 0 } else { -1 };
                let text = session.output().take();
                self.run();
                return Ran { retval, text };
            }
            self.run();
        }
        panic!("`{text}' does not end");
    }

    fn with_client<T>(&mut self, with: impl FnOnce(&mut TestClient, &mut Self) -> T) -> T {
        let mut client = self
            .frontend
            .own
            .take()
            .unwrap_or_else(|| self.frontend.connect());
        let result = with(&mut client, self);
        self.frontend.own = Some(client);
        result
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
