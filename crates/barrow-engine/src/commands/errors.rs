//! `show errors`, `clear errors`, and the same under their newer names.

use super::thread_name;
use crate::cli::{CliRegistry, DuplicateCommand, Output};
use crate::control::Control;
use crate::error::ErrorCount;

pub(super) fn register(
    cli: &mut CliRegistry,
    control: &Control,
    prefix: &str,
) -> Result<(), DuplicateCommand> {
    for path in ["show errors", "show node counters"] {
        let (own, prefix) = (control.clone(), prefix.to_owned());
        let help = format!("{path} [verbose]");
        cli.command(path, &help, move |cx, args| {
            let verbose = args.keyword("verbose");
            args.finish()?;
            let counts = own.errors().list();
            if verbose {
                show_by_thread(&counts, &prefix, own.thread_count(), cx.output());
            } else {
                show(&counts, cx.output());
            }
            Ok(())
        })?;
    }
    for path in ["clear errors", "clear node counters"] {
        let own = control.clone();
        cli.command(path, "Clear error counters", move |_, args| {
            args.finish()?;
            own.clear_errors();
            Ok(())
        })?;
    }
    Ok(())
}

/// The sums over all threads.
fn show(counts: &[ErrorCount], out: &Output) {
    let [count, node, reason, severity] = ["Count", "Node", "Reason", "Severity"];
    out.print(format_args!(
        "{count:^10}{node:^40}{reason:^40}{severity:^10}"
    ));
    for error in counts.iter().filter(|error| error.total() > 0) {
        row(error, error.total(), out);
    }
}

fn row(error: &ErrorCount, n: u64, out: &Output) {
    let (description, severity) = (error.description, error.severity);
    out.print(format_args!(
        "{n:>10}{:^40}{description:^40}{severity:^10}",
        error.node
    ));
}

/// Each thread's own, then the sums.
fn show_by_thread(counts: &[ErrorCount], prefix: &str, threads: usize, out: &Output) {
    let [count, node, reason] = ["Count", "Node", "Reason"];
    let [severity, index] = ["Severity", "Index"];
    out.print(format_args!(
        "{count:^10}{node:^40}{reason:^40}{severity:^10}{index:^6}"
    ));
    for thread in 0..threads {
        out.print(format_args!(
            "Thread {thread} ({} ):",
            thread_name(prefix, thread)
        ));
        for error in counts.iter().filter(|error| error.by_thread[thread] > 0) {
            let n = error.by_thread[thread];
            let (description, severity, index) = (error.description, error.severity, error.index);
            let node = &error.node;
            out.print(format_args!(
                "{n:>10}{node:^40}{description:^40}{severity:^10}{index:^6}"
            ));
        }
    }
    out.print("Total:");
    for error in counts.iter().filter(|error| error.total() > 0) {
        let reason: String = error.description.chars().take(20).collect();
        let (n, node, index) = (error.total(), &error.node, error.index);
        out.print(format_args!("{n:>10}{node:^40}{reason:^20}{index:>10}"));
    }
}
