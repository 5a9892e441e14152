//! One connection on a byte stream.

use crate::api::{Client, Progress, Session};
use barrow_core::{Instant, Unit, UnitContext, Work};
use barrow_runtime::io::{ByteStream, Direction};
use std::task::{Context, Poll};

/// Bytes that are read at a time.
const READ_SIZE: usize = 64 << 10;

/// One connection on a byte stream.
#[derive(Debug)]
pub struct ConnectionUnit<S> {
    session: Session,
    stream: S,
    watching: bool,
}

/// The connection is of no use any more.
struct Disconnected;

impl<S: ByteStream> ConnectionUnit<S> {
    pub(super) fn new(session: Session, stream: S) -> Self {
        Self {
            session,
            stream,
            watching: false,
        }
    }

    /// Its client.
    pub fn client(&self) -> &Client {
        self.session.client()
    }

    fn step(&mut self, cx: &mut UnitContext<'_>) -> Result<Work, Disconnected> {
        let mut task = Context::from_waker(cx.waker);
        loop {
            let readable = self.read()?;
            let progress = self.session.work(cx.now, &mut task, &mut cx.quantum);
            let written = self.write(cx.now)?;
            if self.session.is_finished().is_some() {
                return Ok(Work::Done);
            }
            match progress {
                Progress::More => return Ok(Work::More),
                // What was written made room, and what was read may have left more to read.
                Progress::Idle if written || readable => {}
                Progress::Idle if !self.session.output().is_empty() => return Ok(Work::Blocked),
                Progress::Idle => return Ok(Work::Idle),
            }
        }
    }

    /// Reads once. False if there is nothing for now, or nothing is wanted.
    fn read(&mut self) -> Result<bool, Disconnected> {
        if self.session.is_waiting() {
            // Nothing is read now, and yet a client that is gone should not be waited for: writing nothing tells.
            return match self.stream.try_write(&[]) {
                Poll::Ready(Err(_)) => Err(Disconnected),
                Poll::Ready(Ok(_)) | Poll::Pending => Ok(false),
            };
        }
        if !self.session.wants_input() {
            return Ok(false);
        }
        match self.stream.try_read(self.session.space(READ_SIZE)) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Err(_)) => return Err(Disconnected),
            Poll::Ready(Ok(0)) => self.session.end_of_input(),
            Poll::Ready(Ok(length)) => self.session.filled(length),
        }
        Ok(true)
    }

    /// Writes what the socket takes. False if that is nothing.
    fn write(&mut self, now: Instant) -> Result<bool, Disconnected> {
        let mut written = false;
        while !self.session.output().is_empty() {
            match self.stream.try_write(self.session.output()) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => return Err(Disconnected),
                Poll::Ready(Ok(length)) => {
                    self.session.sent(now, length);
                    written = true;
                }
            }
        }
        Ok(written)
    }
}

impl<S: ByteStream> Unit for ConnectionUnit<S> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        if !std::mem::replace(&mut self.watching, true) {
            self.stream.source().watch(Direction::Read, Some(cx.waker));
            self.stream.source().watch(Direction::Write, Some(cx.waker));
        }
        if self.session.poll_timeout().is_some_and(|at| at <= cx.now) {
            self.session.handle_timeout(cx.now);
        }
        self.step(cx).unwrap_or(Work::Done)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.session.poll_timeout()
    }

    fn name(&self) -> String {
        format!("api-client-{}", self.session.client().descriptor())
    }

    fn shutdown(&mut self, _now: Instant) {
        self.session.shutdown();
    }
}
