//! What a session and the commands it runs share.

use super::{
    super::{CliError, Macros, Output},
    History, telnet,
};
use crate::config::UnixSettings;
use std::{
    cell::{Cell, RefCell, RefMut},
    fmt,
    rc::{Rc, Weak},
    task::{Poll, Waker},
};

/// How deep scripts may run scripts.
const MAX_SCRIPTS: usize = 8;

/// What all sessions of a node have in common.
#[derive(Debug)]
pub struct SessionSettings {
    /// What stands before an input line, with its blank.
    pub prompt: String,
    /// The text that greets a person, without colours; empty for none.
    pub banner: String,
    /// Whether the banner is coloured on terminals that can.
    pub color: bool,
    /// `cli-line-mode`: neither telnet nor editing.
    pub line_mode: bool,
    /// Lines a session remembers at first.
    pub history_limit: usize,
    /// Whether long output is paged at first.
    pub pager: bool,
    /// Rows after which the pager gives up; 0 is no pager. Changed by `set terminal pager limit`.
    pub pager_limit: Cell<usize>,
    /// The longest request, in bytes.
    pub max_request: usize,
    /// Bytes that may wait in a session while its command runs; more stay unread.
    pub max_type_ahead: usize,
    /// Bytes that a command may print before the rest is lost.
    pub max_output: usize,
    /// Sessions at a time.
    pub max_sessions: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            prompt: "vpp# ".into(),
            banner: String::new(),
            color: true,
            line_mode: false,
            history_limit: 50,
            pager: true,
            pager_limit: Cell::new(100_000),
            max_request: 1 << 20,
            max_type_ahead: 64 << 10,
            max_output: 64 << 20,
            max_sessions: 1024,
        }
    }
}

/// What a person is greeted with.
const BANNER: &str = r"   ___
  / _ )___ _____________ _    __
 / _  / _ `/ __/ __/ _ \ |/|/ /
/____/\_,_/_/ /_/  \___/__,__/
";

impl From<&UnixSettings> for SessionSettings {
    fn from(unix: &UnixSettings) -> Self {
        Self {
            prompt: unix.cli_prompt.clone(),
            banner: if unix.cli_no_banner {
                String::new()
            } else {
                BANNER.into()
            },
            color: !unix.nocolor,
            line_mode: unix.cli_line_mode,
            history_limit: unix.cli_history_limit as usize,
            pager: !unix.cli_no_pager,
            pager_limit: Cell::new(unix.cli_pager_buffer_limit as usize),
            ..Self::default()
        }
    }
}

/// Where a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A client of the CLI socket.
    Socket,
    /// The standard input of the node.
    Console,
    /// A request of the binary API, or a script at start-up: no terminal.
    Program,
}

/// How a terminal sends lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalMode {
    /// Key by key; the session edits and echoes.
    Character,
    /// Whole lines.
    Line,
}

/// The properties of a session's terminal.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// How it sends lines.
    pub mode: TerminalMode,
    /// Whether there is a person: prompt, echo, pager.
    pub interactive: bool,
    /// Whether it understands ANSI sequences.
    pub ansi: bool,
    /// Columns.
    pub width: u16,
    /// Rows; 0 is no pager.
    pub height: u16,
    /// Whether its lines end in CR LF.
    pub crlf: bool,
    /// Whether long output is paged.
    pub pager: bool,
    /// What was typed.
    pub history: History,
}

impl Terminal {
    /// The greatest width and height that it may claim.
    const MAX_DIMENSION: u16 = 512;

    /// Its window has this size now; 0 is unknown.
    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        let known = |size: u16, usual| {
            if size == 0 {
                usual
            } else {
                size.min(Self::MAX_DIMENSION)
            }
        };
        (self.width, self.height) = (known(width, 80), known(height, 24));
    }

    /// It is of this type, by which is told what it can do, and whether somebody sits at it.
    pub(crate) fn set_type(&mut self, name: &[u8]) {
        self.ansi = telnet::is_ansi(name);
        if telnet::is_non_interactive(name) {
            self.make_non_interactive();
        }
    }

    /// Nobody sits at it: a program, or a person by way of one.
    pub(crate) fn make_non_interactive(&mut self) {
        self.mode = TerminalMode::Line;
        self.interactive = false;
        self.pager = false;
        self.history.enable(false);
    }
}

/// A handle to a session, shared by its machine, its host and its commands.
#[derive(Clone)]
pub struct CliSession {
    shared: Rc<Shared>,
}

struct Shared {
    name: String,
    kind: SessionKind,
    descriptor: Option<i32>,
    settings: Rc<SessionSettings>,
    output: Output,
    macros: Rc<Macros>,
    terminal: Option<RefCell<Terminal>>,
    quitting: Cell<bool>,
    disconnected: Cell<bool>,
    read_only: Cell<bool>,
    scripts: Cell<usize>,
    interrupt: RefCell<Interrupt>,
}

#[derive(Default)]
struct Interrupt {
    /// Somebody waits for it.
    wanted: bool,
    happened: bool,
    waiting: Option<Waker>,
}

impl CliSession {
    /// A session of a terminal. Its macros fall back to `macros`.
    pub fn terminal_session(
        kind: SessionKind,
        descriptor: i32,
        settings: Rc<SessionSettings>,
        macros: Rc<Macros>,
    ) -> Self {
        let (name, socket) = match kind {
            SessionKind::Console => ("unix-cli-stdin".into(), false),
            SessionKind::Socket | SessionKind::Program => {
                (format!("unix-cli-local:{descriptor}"), true)
            }
        };
        let line_mode = socket && settings.line_mode;
        let terminal = Terminal {
            mode: if line_mode {
                TerminalMode::Line
            } else {
                TerminalMode::Character
            },
            interactive: !line_mode,
            ansi: false,
            width: 80,
            height: 24,
            crlf: socket && !line_mode,
            pager: settings.pager && !line_mode,
            history: History::new(settings.history_limit),
        };
        let macros = Rc::new(Macros::with_parent(macros));
        Self::new(
            name,
            kind,
            Some(descriptor),
            settings,
            macros,
            Some(terminal),
        )
    }

    /// A session without terminal. Its macros are `macros` themselves.
    pub fn program_session(name: &str, settings: Rc<SessionSettings>, macros: Rc<Macros>) -> Self {
        Self::new(
            name.into(),
            SessionKind::Program,
            None,
            settings,
            macros,
            None,
        )
    }

    fn new(
        name: String,
        kind: SessionKind,
        descriptor: Option<i32>,
        settings: Rc<SessionSettings>,
        macros: Rc<Macros>,
        terminal: Option<Terminal>,
    ) -> Self {
        let shared = Shared {
            name,
            kind,
            descriptor,
            output: Output::with_limit(settings.max_output),
            settings,
            macros,
            terminal: terminal.map(RefCell::new),
            quitting: Cell::new(false),
            disconnected: Cell::new(false),
            read_only: Cell::new(false),
            scripts: Cell::new(0),
            interrupt: RefCell::default(),
        };
        Self {
            shared: Rc::new(shared),
        }
    }

    /// Its name, such as `unix-cli-local:6`.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where it comes from.
    pub fn kind(&self) -> SessionKind {
        self.shared.kind
    }

    /// The number of its file descriptor, for listings.
    pub fn descriptor(&self) -> Option<i32> {
        self.shared.descriptor
    }

    /// What it has in common with the others.
    pub fn settings(&self) -> &SessionSettings {
        &self.shared.settings
    }

    /// Where its commands print.
    pub fn output(&self) -> &Output {
        &self.shared.output
    }

    /// Its macros.
    pub fn macros(&self) -> &Macros {
        &self.shared.macros
    }

    /// Its terminal, if it has one. To be given back before anything else runs.
    pub fn terminal(&self) -> Option<RefMut<'_, Terminal>> {
        self.shared.terminal.as_ref().map(RefCell::borrow_mut)
    }

    /// Lets it run only commands that look, or all.
    pub fn set_read_only(&self, read_only: bool) {
        self.shared.read_only.set(read_only);
    }

    /// Whether it may only look.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only.get()
    }

    /// Ends the session when the running request is done.
    pub fn quit(&self) {
        self.shared.quitting.set(true);
    }

    /// Whether it ends.
    pub fn is_quitting(&self) -> bool {
        self.shared.quitting.get()
    }

    /// Whether its client is gone, though a command may still run.
    pub fn is_disconnected(&self) -> bool {
        self.shared.disconnected.get()
    }

    /// The client is gone: whatever runs should end.
    pub fn disconnect(&self) {
        self.shared.disconnected.set(true);
        self.interrupt();
    }

    /// A key was pressed while a command ran that waits for one.
    pub fn interrupt(&self) {
        let mut interrupt = self.shared.interrupt.borrow_mut();
        interrupt.happened = true;
        if let Some(waker) = interrupt.waiting.take() {
            drop(interrupt);
            waker.wake();
        }
    }

    /// Whether the running command waits for an interruption.
    pub fn is_interruptible(&self) -> bool {
        self.shared.interrupt.borrow().wanted
    }

    /// A new request starts: earlier interruptions are forgotten.
    pub(super) fn reset_interrupt(&self) {
        let happened = self.is_disconnected();
        *self.shared.interrupt.borrow_mut() = Interrupt {
            happened,
            ..Interrupt::default()
        };
    }

    pub(in crate::cli) fn poll_interrupt(&self, waker: &Waker) -> Poll<()> {
        let mut interrupt = self.shared.interrupt.borrow_mut();
        if interrupt.happened {
            return Poll::Ready(());
        }
        interrupt.wanted = true;
        interrupt.waiting = Some(waker.clone());
        Poll::Pending
    }

    pub(in crate::cli) fn forget_interrupt(&self) {
        let mut interrupt = self.shared.interrupt.borrow_mut();
        interrupt.wanted = false;
        interrupt.waiting = None;
    }

    /// Counts a script for as long as the result lives.
    pub(in crate::cli) fn enter_script(&self) -> Result<ScriptDepth, CliError> {
        let depth = self.shared.scripts.get();
        if depth == MAX_SCRIPTS {
            return Err(CliError::new(format!(
                "scripts run scripts more than {depth} deep"
            )));
        }
        self.shared.scripts.set(depth + 1);
        Ok(ScriptDepth {
            session: self.clone(),
        })
    }
}

impl fmt::Debug for CliSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliSession")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}

/// A script is running.
#[derive(Debug)]
pub(in crate::cli) struct ScriptDepth {
    session: CliSession,
}

impl Drop for ScriptDepth {
    fn drop(&mut self) {
        let scripts = &self.session.shared.scripts;
        scripts.set(scripts.get() - 1);
    }
}

/// The sessions with a terminal, for `show cli-sessions`. Clones are handles to the same list.
#[derive(Clone, Default)]
pub struct CliSessions {
    sessions: Rc<RefCell<Vec<Weak<Shared>>>>,
}

impl CliSessions {
    /// Lists a session for as long as it lives.
    pub fn add(&self, session: &CliSession) {
        let mut sessions = self.sessions.borrow_mut();
        sessions.retain(|listed| listed.strong_count() > 0);
        sessions.push(Rc::downgrade(&session.shared));
    }

    /// The living sessions in the order of their start.
    pub fn list(&self) -> Vec<CliSession> {
        let sessions = self.sessions.borrow();
        sessions
            .iter()
            .filter_map(Weak::upgrade)
            .map(|shared| CliSession { shared })
            .collect()
    }
}

impl fmt::Debug for CliSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
