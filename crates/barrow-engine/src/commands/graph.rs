//! `show vlib graph`, `show vlib graphviz`.

use super::node_argument;
use crate::cli::{CliRegistry, CliResult, DuplicateCommand, Output};
use crate::control::Control;
use crate::node::NodeInfo;
use std::fmt::Write as _;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    cli.command(
        "show vlib graph",
        "Show packet processing node graph",
        move |cx, args| {
            let mut nodes = Vec::new();
            while !args.is_empty() {
                nodes.push(node_argument(&own, args)?);
            }
            if nodes.is_empty() {
                nodes = own.nodes();
                nodes.sort_by(|a, b| a.name.cmp(&b.name));
            }
            let [name, next, previous] = ["Name", "Next", "Previous"];
            cx.print(format_args!("{name:^26}{next:^28}{previous:^26}"));
            nodes.iter().for_each(|node| show(&own, node, cx.output()));
            Ok(())
        },
    )?;
    let own = control.clone();
    let help = "show vlib graphviz [<filename>]";
    cli.command("show vlib graphviz", help, move |cx, args| {
        let file = args.word().map(str::to_owned);
        args.finish()?;
        let text = graphviz(&own);
        match file {
            None => cx.print(text.trim_end()),
            Some(file) => write(&file, &text)?,
        }
        Ok(())
    })
}

/// One node: its next nodes with their slots beside the nodes before it.
fn show(control: &Control, node: &NodeInfo, out: &Output) {
    let lines = node.nexts.len().max(node.previous.len()).max(1);
    for line in 0..lines {
        let name = if line == 0 { &*node.name } else { "" };
        let next = node
            .nexts
            .get(line)
            .map_or_else(String::new, |(next, _)| format!("{next} [{line}]"));
        let previous = node
            .previous
            .get(line)
            .map(|previous| control.node_name(*previous));
        let previous: String = previous
            .iter()
            .flat_map(|name| name.chars().take(26))
            .collect();
        let text = format!("{name:<26}{next:^28}{previous:^26}");
        out.print(text.trim_end());
    }
    out.print("");
}

/// The nodes that packets went through, and what went from each to each.
fn graphviz(control: &Control) -> String {
    let mut text = String::from("digraph {\n  rankdir=LR;\n  node [shape=box];\n");
    let threads = 0..control.thread_count();
    let vectors = |node: &NodeInfo| -> u64 {
        threads
            .clone()
            .map(|thread| control.node_runtime(thread, node.id).vectors)
            .sum()
    };
    let nodes = control.nodes();
    let busy: Vec<_> = nodes
        .iter()
        .map(|node| (node, vectors(node)))
        .filter(|(_, n)| *n > 0)
        .collect();
    for (node, n) in &busy {
        // Names are printable ASCII without quotes or backslashes, or would be refused as names.
        let name = node.name.replace(['"', '\\'], "_");
        let _ = writeln!(text, "  n{} [label=\"{name}\\n{n}\"];", node.id);
    }
    for (node, _) in &busy {
        for (_, next) in &node.nexts {
            let Some(next) = next else { continue };
            let sent = control.sent(node.id, *next);
            if sent > 0 {
                let _ = writeln!(text, "  n{} -> n{next} [label=\"{sent}\"];", node.id);
            }
        }
    }
    text.push_str("}\n");
    text
}

/// Writes a new file: nothing that exists is overwritten.
fn write(file: &str, text: &str) -> CliResult {
    use std::io::Write as _;
    let new = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file);
    let written = new.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("`{file}': {error}").into())
}
