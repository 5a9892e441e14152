//! Commands about the session's terminal.

use super::{
    Args, CliContext, CliError, CliRegistry, CliResult, CliSession, CliSessions, DuplicateCommand,
    SessionKind, Terminal, error::quote, session::TerminalMode,
};
use std::cell::RefMut;

pub(super) fn register(
    cli: &mut CliRegistry,
    sessions: &CliSessions,
) -> Result<(), DuplicateCommand> {
    cli.command("history", "Show current session command history", history)?;
    cli.command(
        "show terminal",
        "Show current session terminal settings",
        show_terminal,
    )?;
    let sessions = sessions.clone();
    cli.command(
        "show cli-sessions",
        "Show current CLI sessions",
        move |cx, _| {
            show_sessions(cx, &sessions);
            Ok(())
        },
    )?;
    cli.command(
        "set terminal pager",
        "set terminal pager [on|off] [limit <lines>]",
        set_pager,
    )?;
    let help = "set terminal history [on|off] [limit <lines>]";
    cli.command("set terminal history", help, set_history)?;
    cli.command("set terminal ansi", "set terminal ansi [on|off]", set_ansi)
}

/// The terminal of a session with a person.
fn interactive<'a>(cx: &CliContext<'a>) -> Result<RefMut<'a, Terminal>, CliError> {
    cx.terminal()
        .filter(|terminal| terminal.interactive)
        .ok_or_else(|| "invalid for non-interactive sessions".into())
}

fn unknown_parameter(args: &Args<'_>) -> CliError {
    CliError::new(format!("unknown parameter: `{}`", quote(args.rest())))
}

fn history(cx: &mut CliContext<'_>, _args: &mut Args<'_>) -> CliResult {
    let terminal = interactive(cx)?;
    if !terminal.history.is_active() {
        cx.print("History not enabled.");
        return Ok(());
    }
    for (number, line) in terminal.history.lines() {
        cx.print(format_args!("{number}  {}", String::from_utf8_lossy(line)));
    }
    Ok(())
}

fn show_terminal(cx: &mut CliContext<'_>, _args: &mut Args<'_>) -> CliResult {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let session = cx.session();
    let terminal = cx.terminal().ok_or("invalid session")?;
    let Terminal {
        mode,
        interactive,
        ansi,
        width,
        height,
        crlf,
        pager,
        ref history,
    } = *terminal;
    let limit = session.settings().pager_limit.get();
    cx.print(format_args!("Terminal name:   {}", session.name()));
    cx.print(format_args!("Terminal node:   {}", node_name(session)));
    let mode = match mode {
        TerminalMode::Line => "line-by-line",
        TerminalMode::Character => "char-by-char",
    };
    cx.print(format_args!("Terminal mode:   {mode}"));
    cx.print(format_args!("Terminal width:  {width}"));
    cx.print(format_args!("Terminal height: {height}"));
    cx.print(format_args!("ANSI capable:    {}", yes(ansi)));
    cx.print(format_args!("Interactive:     {}", yes(interactive)));
    let without_limit = history.is_enabled() && history.limit() == 0;
    let reason = if without_limit {
        " (disabled by history limit)"
    } else {
        ""
    };
    cx.print(format_args!(
        "History enabled: {}{reason}",
        yes(history.is_enabled())
    ));
    if history.is_enabled() {
        cx.print(format_args!("History limit:   {}", history.limit()));
    }
    let without_height = if pager && height == 0 {
        " (disabled by terminal height)"
    } else {
        ""
    };
    let without_limit = if pager && limit == 0 {
        " (disabled by buffer limit)"
    } else {
        ""
    };
    cx.print(format_args!(
        "Pager enabled:   {}{without_height}{without_limit}",
        yes(pager)
    ));
    if pager {
        cx.print(format_args!("Pager limit:     {limit}"));
    }
    cx.print(format_args!(
        "CRLF mode:       {}",
        if crlf { "CR+LF" } else { "LF" }
    ));
    Ok(())
}

/// The name of the process that serves a session.
fn node_name(session: &CliSession) -> String {
    format!("unix-cli-process-{}", session.descriptor().unwrap_or(0))
}

/// A table as VPP prints it: each cell ends in a reset of its attributes. A flag is on in capitals.
fn show_sessions(cx: &mut CliContext<'_>, sessions: &CliSessions) {
    const RESET: &str = "\x1b[0m";
    let flag = |on: bool, letter: char| {
        if on {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    let mut rows = vec![["PNI  ", "FD   ", "Name", "Flags"].map(str::to_owned)];
    for (number, session) in sessions.list().iter().enumerate() {
        let Some(terminal) = session.terminal() else {
            continue;
        };
        let flags = [
            flag(terminal.interactive, 'i'),
            flag(session.kind() == SessionKind::Socket, 's'),
            flag(terminal.mode == TerminalMode::Line, 'l'),
            flag(session.is_disconnected(), 'p'),
            flag(terminal.ansi, 'a'),
        ];
        let descriptor = session
            .descriptor()
            .map(|fd| fd.to_string())
            .unwrap_or_default();
        let name = session.name().to_owned();
        rows.push([number.to_string(), descriptor, name, flags.iter().collect()]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    for row in &rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}{RESET}"))
            .collect();
        cx.print(cells.join(" "));
    }
}

fn set_pager(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let mut terminal = interactive(cx)?;
    while !args.is_empty() {
        if args.keyword("on") {
            terminal.pager = true;
        } else if args.keyword("off") {
            terminal.pager = false;
        } else if let Some(limit) = args.option("limit", Args::number::<u32>) {
            cx.session().settings().pager_limit.set(limit as usize);
            cx.print(format_args!(
                "Pager limit set to {limit} lines; note, this is global."
            ));
        } else {
            return Err(unknown_parameter(args));
        }
    }
    Ok(())
}

fn set_history(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    /// Lines that a session may remember at most.
    const MOST: u32 = 100_000;
    let mut terminal = interactive(cx)?;
    while !args.is_empty() {
        if args.keyword("on") {
            terminal.history.enable(true);
        } else if args.keyword("off") {
            terminal.history.enable(false);
        } else if let Some(limit) = args.option("limit", Args::number::<u32>) {
            terminal.history.set_limit(limit.min(MOST) as usize);
        } else {
            return Err(unknown_parameter(args));
        }
    }
    Ok(())
}

fn set_ansi(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let mut terminal = interactive(cx)?;
    match args.one_of(&["on", "off"]) {
        Some("on") => terminal.ansi = true,
        Some(_) => terminal.ansi = false,
        None => return Err(unknown_parameter(args)),
    }
    args.finish()
}
