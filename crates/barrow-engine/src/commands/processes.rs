//! `show processes`: what each process node does, costs and waits for. Barrow's own: VPP shows part of it in
//! `show runtime`.

use crate::cli::{CliRegistry, DuplicateCommand, Output};
use crate::control::{Control, ProcessInfo};
use barrow_core::ProcessState;
use barrow_runtime::sys::tsc_frequency;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    cli.command(
        "show processes",
        "show processes [<node-name>] [verbose]",
        move |cx, args| {
            let verbose = args.keyword("verbose");
            let name = args.word().map(str::to_owned);
            let verbose = verbose || args.keyword("verbose");
            args.finish()?;
            let processes = own.processes();
            let shown = processes
                .iter()
                .filter(|process| name.as_deref().is_none_or(|name| *process.name == *name));
            heading(cx.output());
            shown.for_each(|process| row(process, verbose, cx.output()));
            Ok(())
        },
    )
}

fn heading(out: &Output) {
    out.print(format_args!(
        "{:<32}{:<12}{:>7}{:>12}{:>12}{:>12}{:>13}  {}",
        "Name", "State", "Starts", "Wakes", "Suspends", "Time ms", "Longest us", "Waits for"
    ));
}

fn row(process: &ProcessInfo, verbose: bool, out: &Output) {
    let status = &process.status;
    let state = status.state();
    let waits = match state {
        ProcessState::Waiting => status.waits().to_string(),
        _ => "-".to_owned(),
    };
    let seconds = |clocks: u64| clocks as f64 / tsc_frequency() as f64;
    let line = format!(
        "{:<32}{:<12}{:>7}{:>12}{:>12}{:>12.3}{:>13.1}  {waits}",
        process.name,
        state.to_string(),
        status.starts(),
        status.polls(),
        status.suspends(),
        seconds(process.stats.clocks) * 1e3,
        seconds(process.stats.max_clocks) * 1e6,
    );
    out.print(line);
    if !verbose {
        return;
    }
    if let Some(place) = process.registered {
        out.print(format_args!(
            "  registered at {}:{}",
            place.file(),
            place.line()
        ));
    }
    if let Some(exit) = status.last_exit() {
        out.print(format_args!("  last run {exit}"));
    }
}
