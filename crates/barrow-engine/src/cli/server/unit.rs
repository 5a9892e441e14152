//! One session on a byte stream.

use super::CliServer;
use crate::cli::{CliSession, Session, SessionInput, SessionKind, SessionOutput, run_request};
use barrow_core::{Instant, Machine, Unit, UnitContext, Work};
use barrow_runtime::io::{ByteStream, Direction};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// How long a session may accept nothing while something waits for it.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the end of a session waits for its client to close too.
const LINGER: Duration = Duration::from_secs(1);

/// Bytes that may wait for a client before its command is asked for more.
const ENOUGH_WAITS: usize = 1 << 20;

/// Bytes that are read at a time.
const READ_SIZE: usize = 64 << 10;

/// One session on a byte stream.
pub struct SessionUnit<S> {
    server: CliServer,
    session: Session,
    stream: S,
    running: Option<Pin<Box<dyn Future<Output = ()>>>>,
    outgoing: Outgoing,
    stage: Stage,
    end_of_input: bool,
    watching: bool,
    next_deadline: Option<Instant>,
}

/// Bytes on their way to the client.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// Since when nothing has been accepted.
    waiting_since: Option<Instant>,
}

/// How far the session is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// It ends once everything is sent.
    Sending,
    /// Everything is sent. Until then the client may close its end, and what it still sends is thrown away: closed with
    /// bytes unread, the connection would end in an error instead of its end.
    Lingering {
        until: Instant,
    },
    /// The node stops.
    Stopping,
}

/// The connection is of no use any more.
struct Disconnected;

impl<S: ByteStream> SessionUnit<S> {
    pub(super) fn new(server: CliServer, handle: CliSession, stream: S, now: Instant) -> Self {
        Self {
            session: Session::new(handle, server.registry.clone(), now),
            server,
            stream,
            running: None,
            outgoing: Outgoing::default(),
            stage: Stage::Open,
            end_of_input: false,
            watching: false,
            next_deadline: None,
        }
    }

    /// The handle that its commands see.
    pub fn handle(&self) -> &CliSession {
        self.session.handle()
    }

    fn watch(&mut self, cx: &UnitContext<'_>) {
        if !std::mem::replace(&mut self.watching, true) {
            self.stream.source().watch(Direction::Read, Some(cx.waker));
            self.stream.source().watch(Direction::Write, Some(cx.waker));
        }
    }

    fn step(&mut self, cx: &mut UnitContext<'_>) -> Result<Work, Disconnected> {
        loop {
            if self.session.poll_timeout().is_some_and(|at| at <= cx.now) {
                self.session.handle_timeout(cx.now);
            }
            self.take_outputs(cx.now);
            self.outgoing.write(&self.stream, cx.now)?;
            match self.stage {
                Stage::Sending if self.outgoing.is_empty() => {
                    self.stream.shutdown_write().map_err(|_| Disconnected)?;
                    self.stage = Stage::Lingering {
                        until: cx.now + LINGER,
                    };
                }
                Stage::Lingering { until } if until <= cx.now => return Ok(Work::Done),
                Stage::Stopping => return Ok(Work::Done),
                Stage::Open | Stage::Sending | Stage::Lingering { .. } => {}
            }
            if cx.quantum == 0 {
                return Ok(Work::More);
            }
            cx.quantum -= 1;
            if self.outgoing.len() >= ENOUGH_WAITS {
                return Ok(Work::Blocked);
            }
            if !self.run(cx) && !self.read(cx)? {
                return Ok(Work::Idle);
            }
        }
    }

    fn take_outputs(&mut self, now: Instant) {
        while let Some(output) = self.session.poll_output(now) {
            match output {
                SessionOutput::Transmit(mut bytes) => self.outgoing.bytes.append(&mut bytes),
                SessionOutput::Execute(request) => self.execute(request),
                SessionOutput::Close => self.stage = Stage::Sending,
            }
        }
    }

    fn execute(&mut self, request: String) {
        let (registry, handle) = (self.server.registry.clone(), self.session.handle().clone());
        if let Some(log) = &self.server.requests {
            log.write(handle.name(), &request);
        }
        self.running = Some(Box::pin(async move {
            // Its error has been printed, and an answer has no status.
            run_request(&registry, &handle, &request).await.ok();
        }));
    }

    /// Lets the command go on and passes its output. False if there is none, or it waits.
    fn run(&mut self, cx: &UnitContext<'_>) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        let done = running
            .as_mut()
            .poll(&mut Context::from_waker(cx.waker))
            .is_ready();
        let text = self.session.handle().output().take();
        if !text.is_empty() {
            self.session.handle_input(cx.now, SessionInput::Text(&text));
            self.take_outputs(cx.now);
        }
        if done {
            self.running = None;
            self.session.handle_input(cx.now, SessionInput::Finished);
        }
        done || !text.is_empty()
    }

    /// Passes what the client sent. False if there is nothing for now.
    fn read(&mut self, cx: &UnitContext<'_>) -> Result<bool, Disconnected> {
        if matches!(self.stage, Stage::Lingering { .. }) {
            return match self.stream.try_read(&mut [0; 4096]) {
                Poll::Pending => Ok(false),
                Poll::Ready(Ok(0) | Err(_)) => Err(Disconnected),
                Poll::Ready(Ok(_)) => Ok(true),
            };
        }
        if self.end_of_input {
            // Whether the client closed only its sending half: writing nothing tells, and costs it nothing.
            return match self.stream.try_write(&[]) {
                Poll::Ready(Err(_)) => Err(Disconnected),
                Poll::Ready(Ok(_)) | Poll::Pending => Ok(false),
            };
        }
        if !self.session.wants_input() {
            return Ok(false);
        }
        let mut buffer = vec![0; READ_SIZE];
        let input = match self.stream.try_read(&mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Err(_)) => return Err(Disconnected),
            Poll::Ready(Ok(0)) => {
                self.end_of_input = true;
                SessionInput::EndOfInput
            }
            Poll::Ready(Ok(length)) => SessionInput::Bytes(&buffer[..length]),
        };
        self.session.handle_input(cx.now, input);
        Ok(true)
    }

    /// When it is given up unless its client accepts something. The node's own console has all the time there is.
    fn stall_deadline(&self) -> Option<Instant> {
        let is_client = self.session.handle().kind() == SessionKind::Socket;
        self.outgoing.deadline().filter(|_| is_client)
    }

    fn is_stalled(&self, now: Instant) -> bool {
        self.stall_deadline().is_some_and(|at| at <= now)
    }
}

impl Outgoing {
    fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn deadline(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + STALL_TIMEOUT)
    }

    fn write(&mut self, stream: &impl ByteStream, now: Instant) -> Result<(), Disconnected> {
        while !self.is_empty() {
            match stream.try_write(&self.bytes[self.sent..]) {
                Poll::Ready(Ok(length)) => {
                    self.sent += length;
                    self.waiting_since = None;
                }
                Poll::Ready(Err(_)) => return Err(Disconnected),
                Poll::Pending => {
                    self.waiting_since.get_or_insert(now);
                    if self.sent >= READ_SIZE {
                        self.bytes.drain(..self.sent);
                        self.sent = 0;
                    }
                    return Ok(());
                }
            }
        }
        self.bytes.clear();
        self.bytes.shrink_to(READ_SIZE);
        self.sent = 0;
        Ok(())
    }
}

impl<S: ByteStream> Unit for SessionUnit<S> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        self.watch(cx);
        if self.is_stalled(cx.now) {
            let name = self.session.handle().name();
            self.server
                .log
                .warning(format_args!("session {name} accepts nothing: it is closed"));
            return Work::Done;
        }
        let work = self.step(cx).unwrap_or(Work::Done);
        if work == Work::Done {
            self.session.handle().disconnect();
        }
        let lingering = match self.stage {
            Stage::Lingering { until } => Some(until),
            Stage::Open | Stage::Sending | Stage::Stopping => None,
        };
        let deadlines = [
            self.session.poll_timeout(),
            self.stall_deadline(),
            lingering,
        ];
        self.next_deadline = deadlines.into_iter().flatten().min();
        work
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    fn name(&self) -> String {
        self.session.handle().name().to_owned()
    }

    fn shutdown(&mut self, now: Instant) {
        self.running = None;
        self.session.handle_shutdown(now);
        self.stage = Stage::Stopping;
    }
}

impl<S> fmt::Debug for SessionUnit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionUnit")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
