//! `show runtime`, `clear runtime`.

use super::thread_name;
use crate::cli::{Args, CliRegistry, DuplicateCommand, Output};
use crate::control::{Control, NodeRuntime, ThreadRuntime};
use barrow_runtime::sys::tsc_frequency;

/// What is shown of each node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Columns {
    /// What it cost on average.
    #[default]
    Mean,
    /// Its longest call.
    Longest,
    /// As the mean, in nanoseconds.
    Time,
}

/// What was asked for.
#[derive(Debug, Default)]
struct Wanted {
    columns: Columns,
    /// Nodes that did nothing too.
    verbose: bool,
    /// No nodes at all.
    summary: bool,
    /// These only, and no heading.
    nodes: Vec<String>,
}

pub(super) fn register(
    cli: &mut CliRegistry,
    control: &Control,
    prefix: &str,
) -> Result<(), DuplicateCommand> {
    let (own, prefix) = (control.clone(), prefix.to_owned());
    let help = "show runtime [<node-name>] [brief|max|summary|verbose|time]";
    cli.command("show runtime", help, move |cx, args| {
        let wanted = parse(&own, args)?;
        show(&own, &prefix, &wanted, cx.output());
        Ok(())
    })?;
    let own = control.clone();
    cli.command(
        "clear runtime",
        "Clear node runtime statistics",
        move |_, args| {
            args.finish()?;
            own.clear_runtime();
            Ok(())
        },
    )
}

fn parse(control: &Control, args: &mut Args<'_>) -> Result<Wanted, crate::cli::CliError> {
    let mut wanted = Wanted::default();
    while !args.is_empty() {
        match args.one_of(&["brief", "max", "summary", "verbose", "time"]) {
            Some("max") => wanted.columns = Columns::Longest,
            Some("time") => wanted.columns = Columns::Time,
            Some("summary") => wanted.summary = true,
            Some("verbose") => wanted.verbose = true,
            Some(_) => {}
            None => {
                let node = args.attempt(|args| control.node_by_name(args.word()?));
                let node = node.ok_or_else(|| args.unknown_input())?;
                wanted.nodes.push(control.node_name(node).to_string());
            }
        }
    }
    Ok(wanted)
}

fn show(control: &Control, prefix: &str, wanted: &Wanted, out: &Output) {
    let threads = control.runtime();
    let several = threads.len() > 1;
    for thread in &threads {
        let nodes: Vec<_> = thread
            .nodes
            .iter()
            .filter(|node| wanted.shows(node))
            .collect();
        if !wanted.nodes.is_empty() {
            if nodes.is_empty() {
                continue;
            }
        } else {
            if several {
                if thread.thread > 0 {
                    out.print("---------------");
                }
                let name = thread_name(prefix, thread.thread);
                out.print(format_args!("Thread {} {name}", thread.thread));
            }
            heading(thread, out);
            if wanted.summary {
                continue;
            }
        }
        columns(wanted.columns, out);
        nodes.iter().for_each(|node| row(wanted.columns, node, out));
    }
    if wanted.nodes.is_empty() && !wanted.summary {
        groups(control, out);
    }
}

/// Nodes that ran as one: their clocks stand under the first.
fn groups(control: &Control, out: &Output) {
    for group in control.fused().iter().filter(|group| group.packets > 0) {
        out.print(format_args!(
            "Fused {}: {} packets since the start, clocks under {}: {}",
            group.name,
            group.packets,
            group.nodes[0],
            group.nodes.join(" > "),
        ));
    }
}

impl Wanted {
    fn shows(&self, node: &NodeRuntime) -> bool {
        let runtime = &node.runtime;
        let named = self.nodes.iter().any(|name| **name == *node.name);
        let busy = runtime.calls + runtime.vectors + runtime.suspends > 0;
        if self.nodes.is_empty() {
            self.verbose || busy
        } else {
            named
        }
    }
}

fn heading(thread: &ThreadRuntime, out: &Output) {
    let rates = &thread.rates;
    out.print(format_args!(
        "Time {:.1}, {:.6} sec internal node vector rate {:.2} loops/sec {:.2}\n  vector rates in \
         {:.4e}, out {:.4e}, drop {:.4e}, punt {:.4e}",
        thread.since.as_secs_f64(),
        10.0,
        rates.vectors_per_call,
        rates.loops,
        rates.input,
        rates.output,
        rates.drop,
        rates.punt,
    ));
}

fn columns(columns: Columns, out: &Output) {
    let [name, state] = ["Name", "State"];
    match columns {
        Columns::Mean | Columns::Time => {
            let clocks = if columns == Columns::Mean {
                "Packet-Clocks"
            } else {
                "ns/Packet"
            };
            out.print(format_args!(
                "{name:^30}{state:^17}{:>11}{:>17}{:>16}{clocks:>19}{:>15}  ",
                "Calls", "Vectors", "Suspends", "Vectors/Call"
            ));
        }
        Columns::Longest => out.print(format_args!(
            "{name:^30}{:>17}{:>16}{:>16}{:>16}{:>20}",
            "Max Node Clocks", "Vectors at Max", "Max Clocks", "Avg Clocks", "Avg Vectors/Call"
        )),
    }
}

fn row(columns: Columns, node: &NodeRuntime, out: &Output) {
    let runtime = &node.runtime;
    let name: String = node.name.chars().take(30).collect();
    let (each, vectors_per_call) = (runtime.clocks_each(), runtime.vectors_per_call());
    match columns {
        Columns::Mean | Columns::Time => {
            let each = if columns == Columns::Mean {
                each
            } else {
                each * 1e9 / tsc_frequency() as f64
            };
            out.print(format_args!(
                "{name:<30}{:^12}{:>16}{:>16}{:>16}{each:>16.2e}{vectors_per_call:>16.2}",
                state(node),
                runtime.calls,
                runtime.vectors,
                runtime.suspends,
            ));
        }
        Columns::Longest => {
            let longest = runtime.max_clocks as f64 / runtime.max_vectors.max(1) as f64;
            out.print(format_args!(
                "{name:<30}{:>17.2e}{:>16}{longest:>16.2e}{each:>16.2e}{vectors_per_call:>20.2}",
                runtime.max_clocks as f64, runtime.max_vectors,
            ));
        }
    }
}

/// VPP writes the state of a process node in quotes.
fn state(node: &NodeRuntime) -> String {
    match node.kind {
        crate::NodeKind::Process => format!("\"{}\"", node.state),
        _ => node.state.to_owned(),
    }
}
