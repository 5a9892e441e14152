//! The session's state machine.

use super::{
    super::CliRegistry,
    CliSession, SessionKind, Terminal, TerminalMode,
    banner::banner,
    editor::{Desk, Edited, Editor},
    input::Input,
    keys::{Decoded, Key, editor_key, pager_key},
    pager::{Pager, View},
    screen::Screen,
    telnet::{Event, GREETING, Telnet},
};
use barrow_core::{Instant, Machine};
use std::{collections::VecDeque, rc::Rc, time::Duration};

/// How long a client may take to tell its terminal type before it is taken for a person's.
const START_AFTER: Duration = Duration::from_secs(1);

/// How long a request without line end is waited for to be continued.
const PIECES_WITHIN: Duration = Duration::from_millis(50);

/// What happens to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionInput<'a> {
    /// Its client sent bytes.
    Bytes(&'a [u8]),
    /// Its client sends nothing more; it may still read.
    EndOfInput,
    /// The running request printed.
    Text(&'a str),
    /// The running request is done, and all it printed has been given.
    Finished,
}

/// What a session wants its host to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOutput {
    /// Send these bytes. The greeting is to be sent in one piece.
    Transmit(Vec<u8>),
    /// Run this request, macros and all, and report with `Text` and `Finished`. Never while another one runs.
    Execute(String),
    /// Close the connection once everything is sent.
    Close,
}

/// A CLI session: telnet, editing, paging and the framing of answers, without socket, clock or commands.
#[derive(Debug)]
pub struct Session {
    handle: CliSession,
    registry: Rc<CliRegistry>,
    phase: Phase,
    telnet: Telnet,
    input: Input,
    end_of_input: bool,
    /// When an unfinished request is taken as it is.
    request_due: Option<Instant>,
    /// The last byte handled belongs together with one that may follow: CR with LF or NUL, LF with NUL.
    pair: Pair,
    editor: Editor,
    pager: Pager,
    screen: Screen,
    outputs: VecDeque<SessionOutput>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The terminal type is waited for until then.
    Negotiating {
        until: Instant,
    },
    Open,
    Running,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    None,
    /// A line ended in CR: a LF or NUL behind it is part of that end.
    CarriageReturn,
    /// A request ended without NUL: one behind it is its end.
    Request,
}

impl Session {
    /// Starts a session.
    pub fn new(handle: CliSession, registry: Rc<CliRegistry>, now: Instant) -> Self {
        let mut session = Self {
            handle,
            registry,
            phase: Phase::Open,
            telnet: Telnet::default(),
            input: Input::default(),
            end_of_input: false,
            request_due: None,
            pair: Pair::None,
            editor: Editor::default(),
            pager: Pager::default(),
            screen: Screen::default(),
            outputs: VecDeque::new(),
        };
        let mode = session.with_terminal(|terminal| terminal.mode);
        match (session.handle.kind(), mode) {
            (SessionKind::Socket, TerminalMode::Character) => {
                session
                    .outputs
                    .push_back(SessionOutput::Transmit(GREETING.to_vec()));
                session.phase = Phase::Negotiating {
                    until: now.saturating_add(START_AFTER),
                };
            }
            (_, TerminalMode::Character) => session.start(),
            (_, TerminalMode::Line) => {}
        }
        session
    }

    /// Whether the host should read more: false while a command runs and enough waits.
    pub fn wants_input(&self) -> bool {
        let limit = match self.phase {
            Phase::Closed => 0,
            Phase::Negotiating { .. } | Phase::Running => self.handle.settings().max_type_ahead,
            Phase::Open => usize::MAX,
        };
        !self.end_of_input && self.input.rest().len() < limit
    }

    /// Whether a request runs.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// The handle that its commands see.
    pub fn handle(&self) -> &CliSession {
        &self.handle
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        let data = &mut self.input.bytes;
        let before = data.len();
        let mut events = Vec::new();
        if self.handle.kind() == SessionKind::Socket {
            self.telnet.feed(bytes, data, &mut events);
        } else {
            data.extend_from_slice(bytes);
        }
        let came = data.len() > before;
        for event in events {
            self.handle_event(event);
        }
        if came && self.phase == Phase::Running && self.is_interactive() && self.interrupt() {
            self.input.bytes.truncate(before);
        }
        if came {
            self.request_due = Some(now.saturating_add(PIECES_WITHIN));
        }
    }

    /// Takes a key press for the running command, if that waits for one.
    fn interrupt(&self) -> bool {
        let wanted = self.handle.is_interruptible();
        if wanted {
            self.handle.interrupt();
        }
        wanted
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::AreYouThere => {
                self.update_screen();
                self.screen.text("fd.io VPP\n");
            }
            Event::WindowSize { width, height } => {
                self.with_terminal(|terminal| terminal.resize(width, height));
                if self.phase == Phase::Open && self.pager.is_open() {
                    self.update_screen();
                    let view = self.view();
                    self.pager.resize(view, &mut self.screen);
                }
            }
            Event::TerminalType(name) => {
                self.with_terminal(|terminal| terminal.set_type(&name));
                if matches!(self.phase, Phase::Negotiating { .. }) {
                    self.start();
                }
            }
        }
    }

    /// The terminal is known: greet a person.
    fn start(&mut self) {
        self.phase = Phase::Open;
        if !self.is_interactive() {
            return;
        }
        self.update_screen();
        let settings = self.handle.settings();
        self.screen.text("\r");
        if !settings.banner.is_empty() {
            let color = settings.color && self.with_terminal(|terminal| terminal.ansi);
            self.screen
                .text(banner(&self.handle.settings().banner, color));
        }
        self.prompt();
    }

    /// Handles as much input as it can, up to a request.
    fn advance(&mut self, now: Instant) {
        while self.phase == Phase::Open && !self.handle.is_quitting() {
            let mode = self.with_terminal(|terminal| terminal.mode);
            let went_on = match mode {
                TerminalMode::Line => self.take_request(now),
                TerminalMode::Character => self.take_key(),
            };
            if !went_on {
                break;
            }
        }
        self.input.compact();
        let idle = self.phase == Phase::Open;
        if idle && (self.handle.is_quitting() || self.end_of_input) {
            self.phase = Phase::Closed;
            self.flush();
            self.outputs.push_back(SessionOutput::Close);
        }
    }

    /// Line mode: takes a request from the input if one is complete.
    ///
    /// A request ends with a NUL, or where the input ends with a line end, or after a pause. A NUL directly behind the
    /// line end of a request belongs to it.
    fn take_request(&mut self, now: Instant) -> bool {
        if self.pair == Pair::Request && !self.input.rest().is_empty() {
            self.pair = Pair::None;
            self.input.take_nuls();
        }
        let input = self.input.rest();
        let nul = input.iter().position(|byte| *byte == 0);
        let due = self.end_of_input || self.request_due.is_some_and(|due| due <= now);
        let end = match nul {
            Some(at) => at,
            None if input.len() > self.handle.settings().max_request => return self.refuse(),
            None if input.is_empty() => return false,
            None if input.ends_with(b"\n") || due => input.len(),
            None => return false,
        };
        let request = self.input.take(end).to_vec();
        self.pair = if nul.is_some() {
            Pair::None
        } else {
            Pair::Request
        };
        self.input.take_nuls();
        self.request_due = None;
        self.execute(&request);
        true
    }

    /// A request has no end: says so and ends the session.
    fn refuse(&mut self) -> bool {
        self.update_screen();
        let limit = self.handle.settings().max_request;
        self.screen
            .text(format!("a request has {limit} bytes at most\n"));
        self.end_answer();
        self.handle.quit();
        false
    }

    /// Character mode: takes a key from the input.
    fn take_key(&mut self) -> bool {
        let Some(first) = self.input.rest().first() else {
            return false;
        };
        if std::mem::replace(&mut self.pair, Pair::None) == Pair::CarriageReturn
            && matches!(first, b'\n' | 0)
        {
            self.input.take(1);
            return true;
        }
        self.update_screen();
        if self.pager.is_open() {
            self.take_pager_key()
        } else {
            self.take_editor_key()
        }
    }

    fn take_pager_key(&mut self) -> bool {
        let view = self.view();
        let (length, open) = match pager_key(self.input.rest()) {
            Decoded::Partial => return false,
            Decoded::Character(_) => (1, true),
            Decoded::Key(key, length) => (length, self.pager.key(key, view, &mut self.screen)),
        };
        self.consume_key(length);
        if !open {
            self.prompt();
        }
        true
    }

    fn take_editor_key(&mut self) -> bool {
        let decoded = editor_key(self.input.rest());
        match &decoded {
            Decoded::Partial => return false,
            Decoded::Key(_, length) => self.consume_key(*length),
            Decoded::Character(_) => self.consume_key(1),
        }
        match self.edit(decoded) {
            Edited::Nothing => {}
            Edited::Quit => self.handle.quit(),
            Edited::Line(line) => self.execute(&line),
        }
        true
    }

    fn edit(&mut self, decoded: Decoded<Key>) -> Edited {
        let completions = |line: &str| {
            self.registry
                .completions(line)
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let mut terminal = self.handle.terminal().expect("a session has a terminal");
        let terminal = &mut *terminal;
        let mut desk = Desk {
            screen: &mut self.screen,
            history: &mut terminal.history,
            prompt: &self.handle.settings().prompt,
            width: terminal.width.into(),
            ansi: terminal.ansi,
            completions: &completions,
        };
        match decoded {
            Decoded::Key(key, _) => self.editor.key(key, &mut desk),
            Decoded::Character(byte) => self.editor.character(byte, &mut desk),
            Decoded::Partial => Edited::Nothing,
        }
    }

    fn consume_key(&mut self, length: usize) {
        if self.input.take(length) == b"\r" {
            self.pair = Pair::CarriageReturn;
        }
    }

    /// Gives a request to the host; an empty one is done at once.
    fn execute(&mut self, request: &[u8]) {
        let request = String::from_utf8_lossy(request);
        let request = request.trim();
        self.phase = Phase::Running;
        if request.is_empty() {
            return self.finish();
        }
        self.handle.reset_interrupt();
        self.flush();
        self.outputs
            .push_back(SessionOutput::Execute(request.to_owned()));
    }

    fn print(&mut self, text: &str) {
        self.update_screen();
        let view = self.view();
        if view.limit > 0 {
            self.pager.write(text.as_bytes(), view, &mut self.screen);
        } else {
            self.screen.text(text);
        }
    }

    /// The request is done: end its answer.
    fn finish(&mut self) {
        self.phase = Phase::Open;
        self.update_screen();
        let view = self.view();
        let paging = self.pager.finish(view, &mut self.screen);
        if !self.is_interactive() {
            self.end_answer();
        } else if !paging && !self.handle.is_quitting() {
            self.prompt();
        }
    }

    /// What ends the answer to a program on the socket; a pipe on the console gets the plain text.
    fn end_answer(&mut self) {
        if self.handle.kind() == SessionKind::Socket {
            self.screen.raw(b"\0");
        }
    }

    fn prompt(&mut self) {
        self.screen.raw(self.handle.settings().prompt.as_bytes());
    }

    /// Brings the screen in line with the terminal, which commands may have changed.
    fn update_screen(&mut self) {
        let (crlf, wrap_at) = self.with_terminal(|terminal| {
            let can_wrap = terminal.interactive && terminal.ansi && terminal.width > 0;
            (terminal.crlf, can_wrap.then(|| usize::from(terminal.width)))
        });
        self.screen.crlf = crlf;
        self.screen.wrap_at = wrap_at;
        self.screen.prompt = self.handle.settings().prompt.len();
    }

    /// What the pager may show; its limit is 0 when there is none.
    fn view(&self) -> View {
        let limit = self.handle.settings().pager_limit.get();
        self.with_terminal(|terminal| {
            let pages = terminal.interactive && terminal.pager && terminal.height > 0;
            View {
                width: terminal.width.into(),
                height: usize::from(terminal.height).max(1),
                ansi: terminal.ansi,
                limit: if pages { limit } else { 0 },
            }
        })
    }

    fn is_request_unfinished(&self) -> bool {
        !self.input.rest().is_empty()
            && self.with_terminal(|terminal| terminal.mode) == TerminalMode::Line
    }

    fn is_interactive(&self) -> bool {
        self.with_terminal(|terminal| terminal.interactive)
    }

    fn with_terminal<R>(&self, read: impl FnOnce(&mut Terminal) -> R) -> R {
        read(&mut self.handle.terminal().expect("a session has a terminal"))
    }

    /// What is on the screen goes out before what comes next.
    fn flush(&mut self) {
        let bytes = self.screen.take();
        self.outputs.extend(bytes.map(SessionOutput::Transmit));
    }
}

impl Machine for Session {
    type Input<'a> = SessionInput<'a>;
    type Output = SessionOutput;

    fn handle_input(&mut self, now: Instant, input: SessionInput<'_>) {
        if self.phase == Phase::Closed {
            return;
        }
        match input {
            SessionInput::Bytes(bytes) => self.receive(bytes, now),
            SessionInput::EndOfInput => {
                self.end_of_input = true;
                if matches!(self.phase, Phase::Negotiating { .. }) {
                    self.start();
                }
            }
            SessionInput::Text(text) if self.phase == Phase::Running => self.print(text),
            SessionInput::Finished if self.phase == Phase::Running => self.finish(),
            // Nothing runs: the host is wrong, and there is no answer this could belong to.
            SessionInput::Text(_) | SessionInput::Finished => {}
        }
        self.advance(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Negotiating { until } if until <= now) {
            self.start();
        }
        self.advance(now);
    }

    fn handle_shutdown(&mut self, now: Instant) {
        self.handle.quit();
        self.handle.disconnect();
        self.advance(now);
    }

    fn poll_output(&mut self, _now: Instant) -> Option<SessionOutput> {
        if self.outputs.is_empty() {
            self.flush();
        }
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Negotiating { until } => Some(until),
            Phase::Open if self.is_request_unfinished() => self.request_due,
            Phase::Open | Phase::Running | Phase::Closed => None,
        }
    }

    fn is_finished(&self) -> bool {
        self.phase == Phase::Closed && self.outputs.is_empty()
    }
}
