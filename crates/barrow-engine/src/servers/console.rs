//! `unix { interactive }`: a session on the standard input of the process.
//!
//! At a terminal it is the session that a person has at the socket: editing, history, pager; the terminal passes keys as
//! they are pressed, and is put back when the node ends. On a pipe it is plain: commands come in, what they print goes
//! out. Its end, be it `quit` or the end of input, is the node's end, as with VPP (`unix_cli_kill` in
//! `vpp:src/vlib/unix/cli.c`). Files and `/dev/null` are no console, since there is nothing to wait for; VPP cannot poll
//! them either, and runs.

use super::Servers;
use barrow_core::Instant;
use barrow_runtime::{
    host::Stopper,
    io::{
        Reactor,
        console::{self, InputKind, RawTerminal},
    },
    signal::{Signal, Signals},
};
use std::io;

/// The console of the process, while the node is served. Dropped, it gives the terminal back.
#[derive(Debug)]
pub(super) struct Console {
    kind: InputKind,
    _terminal: Option<RawTerminal>,
}

impl Servers {
    /// Takes the console over if the configuration asks for it.
    pub(super) fn take_console(&self) -> io::Result<Option<Console>> {
        if !self.settings.unix.interactive {
            return Ok(None);
        }
        let kind = console::input_kind();
        let raw = kind == InputKind::Terminal && !self.settings.unix.cli_line_mode;
        Ok(Some(Console {
            kind,
            _terminal: raw.then(RawTerminal::new).transpose()?,
        }))
    }

    /// Begins the session of the console, whose end stops the node.
    pub(super) fn open_console(
        &self,
        kind: InputKind,
        reactor: &Reactor,
        stopper: Stopper,
        now: Instant,
    ) -> io::Result<()> {
        let spawner = self.control.spawner();
        let terminal = match kind {
            InputKind::Terminal => {
                Some(std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned()))
            }
            InputKind::Pipe => None,
            InputKind::Other => {
                let log = self.control.log().class("cli");
                log.warning(format_args!(
                    "there is no console: standard input is neither terminal nor pipe"
                ));
                return Ok(());
            }
        };
        let stream = console::open(reactor, move || stopper.stop())?;
        let unit = self.cli.console(terminal.as_deref(), stream, now);
        if terminal.is_some() {
            let session = unit.handle().clone();
            let mut changes = Signals::new(reactor, &[Signal::WindowChange])?;
            spawner.spawn_named_task("console-window", async move {
                loop {
                    if let (Some(mut terminal), Some((width, height))) =
                        (session.terminal(), console::window_size())
                    {
                        terminal.resize(width, height);
                    }
                    changes.next().await;
                }
            });
        }
        spawner.spawn(Box::new(unit));
        Ok(())
    }
}

impl Console {
    pub(super) fn kind(&self) -> InputKind {
        self.kind
    }
}
