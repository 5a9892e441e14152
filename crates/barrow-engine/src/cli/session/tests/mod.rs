//! Sessions byte for byte: the exchanges of `cli-socket.md`, captured from VPP.

mod editing;
mod paging;
mod person;
mod program;

use super::*;
use crate::cli::{
    run_request,
    tests::{START, Shell, finish},
};
use barrow_core::{Instant, Machine};
use proptest::prelude::*;
use std::{rc::Rc, time::Duration};

const VPPCTL: &[u8] = b"\xff\xfa\x18\x00vppctl\xff\xf0";
const XTERM: &[u8] = b"\xff\xfa\x18\x00xterm\xff\xf0";
const DUMB: &[u8] = b"\xff\xfa\x18\x00dumb\xff\xf0";

/// A session with its client's end and its host in one.
struct Client {
    shell: Shell,
    session: Session,
    now: Instant,
    closed: bool,
    /// Requests are run by hand.
    by_hand: bool,
    requests: Vec<String>,
}

impl Client {
    fn connect() -> Self {
        Self::with(SessionSettings::default())
    }

    fn with(settings: SessionSettings) -> Self {
        let shell = Shell::with_settings(settings);
        let handle = CliSession::terminal_session(
            SessionKind::Socket,
            6,
            shell.settings.clone(),
            shell.macros.clone(),
        );
        shell.sessions.add(&handle);
        let session = Session::new(handle, shell.registry.clone(), START);
        Self {
            shell,
            session,
            now: START,
            closed: false,
            by_hand: false,
            requests: Vec::new(),
        }
    }

    /// A client that has told its terminal type and has read all that came for it.
    fn of_type(name: &[u8]) -> Self {
        let mut client = Self::connect();
        client.read();
        client.send(name);
        client.read();
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.session
            .handle_input(self.now, SessionInput::Bytes(bytes));
    }

    /// What the session sends, its requests run.
    fn read(&mut self) -> Vec<u8> {
        self.pieces().concat()
    }

    fn pieces(&mut self) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        while let Some(output) = self.session.poll_output(self.now) {
            match output {
                SessionOutput::Transmit(bytes) => pieces.push(bytes),
                SessionOutput::Close => self.closed = true,
                SessionOutput::Execute(request) if self.by_hand => self.requests.push(request),
                SessionOutput::Execute(request) => {
                    let handle = self.session.handle().clone();
                    drop(finish(run_request(&self.shell.registry, &handle, &request)));
                    let text = handle.output().take();
                    // In pieces of any size.
                    let text: Vec<char> = text.chars().collect();
                    for piece in text.chunks(7) {
                        let piece: String = piece.iter().collect();
                        self.session
                            .handle_input(self.now, SessionInput::Text(&piece));
                    }
                    self.session.handle_input(self.now, SessionInput::Finished);
                }
            }
        }
        pieces
    }

    fn exchange(&mut self, bytes: &[u8]) -> String {
        self.send(bytes);
        String::from_utf8(self.read()).unwrap()
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
            self.session.handle_timeout(self.now);
        }
    }

    fn end_input(&mut self) {
        self.session
            .handle_input(self.now, SessionInput::EndOfInput);
    }
}
