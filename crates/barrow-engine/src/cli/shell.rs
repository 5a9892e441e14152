//! The shell's own commands: scripts, macros, waiting, leaving, and what is known of the session.

use super::{
    Args, CliContext, CliError, CliHandle, CliRegistry, CliResult, CliSessions, CliTask,
    DuplicateCommand, error::quote, run_script, terminal,
};
use barrow_core::{Spawner, timer};
use std::{
    future::{Future, poll_fn},
    io::Read,
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::Duration,
};

/// The longest script that is run.
const MAX_SCRIPT: u64 = 16 << 20;

/// The longest time that `wait` waits: a day (VPP's limit).
const MAX_WAIT: f64 = 86_400.0;

/// Waits on the node's clock.
pub type Sleep = Rc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Waiting on the timers of a scheduler.
pub fn sleep_on(spawner: &Spawner) -> Sleep {
    let spawner = spawner.clone();
    Rc::new(move |time| Box::pin(timer::Sleep::new(spawner.timers(), spawner.now() + time)))
}

/// What the shell needs of its host.
#[derive(Clone)]
pub struct ShellHost {
    /// How `wait` waits.
    pub sleep: Sleep,
    /// The sessions that `show cli-sessions` lists.
    pub sessions: CliSessions,
    /// The registry that `exec` runs its lines with.
    pub registry: CliHandle,
}

impl std::fmt::Debug for ShellHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShellHost")
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// Registers `quit`, `q`, `exit`, `exec`, `echo`, `wait`, `define`, `undefine`, `show macro`, `history`, `show cli`,
/// `show terminal`, `show cli-sessions` and `set terminal …`. (`help`, `?`, `choices` and `comment` belong to the
/// language.)
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_shell(cli: &mut CliRegistry, host: &ShellHost) -> Result<(), DuplicateCommand> {
    for name in ["quit", "q", "exit"] {
        cli.command(name, "Exit CLI", |cx, _| {
            cx.session().quit();
            Ok(())
        })?;
    }
    let registry = host.registry.clone();
    cli.command_async("exec", "exec <filename>", move |task, line| {
        let registry = registry.get();
        exec(task, line, registry)
    })?;
    cli.command("echo", "echo <rest-of-line>", |cx, args| {
        let text = args.line();
        writeln!(cx, "{text}");
        Ok(())
    })?;
    let sleep = host.sleep.clone();
    cli.command_async("wait", "wait <sec>", move |task, line| {
        wait(task, line, sleep.clone())
    })?;
    cli.command("define", "define <variable-name> <value>", define)?;
    cli.command("undefine", "undefine <variable-name>", undefine)?;
    cli.command("show macro", "show macro [noevaluate]", show_macro)?;
    let registry = host.registry.clone();
    cli.command(
        "show cli",
        "show cli: the number of commands and all their paths",
        move |cx, args| {
            args.finish()?;
            if let Some(registry) = registry.get() {
                show_cli(cx, &registry);
            }
            Ok(())
        },
    )?;
    cli.group("show", "Show commands");
    cli.group("set", "Set commands");
    cli.group("clear", "Clear commands");
    terminal::register(cli, &host.sessions)
}

/// Runs the lines of a file.
async fn exec(task: CliTask, line: String, registry: Option<Rc<CliRegistry>>) -> CliResult {
    let mut args = Args::new(&line);
    let name = args
        .string()
        .ok_or("expecting file name, got `'")?
        .to_owned();
    args.finish()?;
    let registry = registry.ok_or("the node is not ready")?;
    let script = read_script(&name)?;
    run_script(&registry, task.session(), &name, &script).await
}

/// Reads the text of a script; its size is bounded, and it must be a regular file.
///
/// # Errors
/// Why it cannot be read.
pub fn read_script(name: &str) -> Result<String, CliError> {
    let failed = |what: &str, error: std::io::Error| {
        CliError::new(format!("failed to {what} `{name}': {error}"))
    };
    // Looked at before it is opened, because opening a FIFO waits for its other end.
    let metadata = std::fs::metadata(name).map_err(|error| failed("open", error))?;
    if !metadata.is_file() {
        return Err(CliError::new(format!("not a regular file `{name}'")));
    }
    let file = std::fs::File::open(name).map_err(|error| failed("open", error))?;
    let mut script = Vec::new();
    file.take(MAX_SCRIPT + 1)
        .read_to_end(&mut script)
        .map_err(|error| failed("read", error))?;
    if script.is_empty() {
        return Err(CliError::new(format!("empty file `{name}'")));
    }
    if script.len() as u64 > MAX_SCRIPT {
        return Err(CliError::new(format!(
            "`{name}' has more than {MAX_SCRIPT} bytes"
        )));
    }
    String::from_utf8(script).map_err(|_| CliError::new(format!("`{name}' is no text")))
}

/// Waits, or ends with the first key.
async fn wait(task: CliTask, line: String, sleep: Sleep) -> CliResult {
    let mut args = Args::new(&line);
    let seconds = if args.is_empty() {
        1.0
    } else {
        wait_time(&mut args)?
    };
    let duration = Duration::from_secs_f64(seconds);
    let (mut slept, mut interrupted) = (sleep(duration), pin!(task.interrupted()));
    let waited = poll_fn(|cx| {
        if slept.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        interrupted.as_mut().poll(cx).map(|()| false)
    })
    .await;
    if waited {
        task.print(format_args!("waited {seconds:.3} sec."));
    }
    Ok(())
}

fn wait_time(args: &mut Args<'_>) -> Result<f64, CliError> {
    let unknown = |rest: &str| CliError::new(format!("unknown parameter: `{}`", quote(rest)));
    let seconds = args.float().ok_or_else(|| unknown(args.rest()))?;
    if !args.is_empty() {
        return Err(unknown(args.rest()));
    }
    let milliseconds = seconds * 1000.0;
    let whole = (milliseconds - milliseconds.round()).abs() < 1e-6;
    if seconds <= 0.0 || seconds > MAX_WAIT || !whole {
        return Err(CliError::new(
            "<sec> must be a positive value and less than 86400 (one day) with no more than msec \
             precision.",
        ));
    }
    Ok(seconds)
}

fn define(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let name = args.word().ok_or("missing variable name...")?;
    let value = args.line();
    if value.is_empty() {
        return Err(CliError::new(format!("missing value for '{name}'...")));
    }
    cx.session()
        .macros()
        .define(name, value)
        .map_err(|error| error.to_string().into())
}

fn undefine(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let name = args.word().ok_or("missing variable name...")?;
    if !cx.session().macros().undefine(name) {
        cx.print(format_args!("{name} wasn't set..."));
    }
    Ok(())
}

fn show_macro(cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let evaluate = !args.abbreviation("noevaluate", 6);
    let macros = cx.session().macros();
    for (name, value) in macros.list() {
        let value = if evaluate {
            macros.expand(&value)
        } else {
            value
        };
        cx.print(format_args!("{name:<20}{value}"));
    }
    Ok(())
}

fn show_cli(cx: &mut CliContext<'_>, registry: &CliRegistry) {
    let commands = registry.root().commands();
    cx.print(format_args!("{} commands", commands.len()));
    for command in commands {
        cx.print(&command.path);
    }
}
