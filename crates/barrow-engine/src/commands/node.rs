//! `show node`.

use super::node_argument;
use crate::cli::{CliRegistry, DuplicateCommand, Output};
use crate::control::Control;
use crate::node::{NodeId, NodeInfo, NodeKind};
use barrow_core::ProcessState;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    cli.command(
        "show node",
        "show node [index] <node-name | node-index>",
        move |cx, args| {
            if args.is_empty() {
                for node in own.nodes() {
                    cx.print(format_args!(
                        "{:<6}{:<12}{}",
                        node.id.index(),
                        node.kind,
                        node.name
                    ));
                }
                return Ok(());
            }
            let node = node_argument(&own, args)?;
            args.finish()?;
            show(&own, &node, cx.output());
            Ok(())
        },
    )
}

fn show(control: &Control, node: &NodeInfo, out: &Output) {
    let state = control.node_state(node.id);
    let index = node.id.index();
    out.print(format_args!(
        "node {}, type {}, state {state}, index {index}",
        node.name, node.kind
    ));
    if node.kind == NodeKind::Process {
        process(control, node, out);
    } else {
        out.print("  node function variants:");
        out.print("    Name             Priority  Active  Description");
        out.print("    default                 0    yes   default");
    }
    out.print("");
    next_nodes(control, node, out);
    previous_nodes(control, &node.previous, out);
}

fn process(control: &Control, node: &NodeInfo, out: &Output) {
    let Some(info) = control.process(node.id) else {
        return;
    };
    let status = &info.status;
    out.print(format_args!(
        "  process {}: {} polls, {} suspends, {} starts",
        status.state(),
        status.polls(),
        status.suspends(),
        status.starts()
    ));
    if status.state() == ProcessState::Waiting {
        out.print(format_args!("  waits for {}", status.waits()));
    }
    if let Some(place) = info.registered {
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

fn next_nodes(control: &Control, node: &NodeInfo, out: &Output) {
    if node.nexts.is_empty() {
        return;
    }
    out.print("\n  next nodes:");
    out.print(format_args!(
        "    {:>10}  {:>10}{:^30}{:>8}",
        "next-index", "node-index", "Node", "Vectors"
    ));
    for (slot, (name, next)) in node.nexts.iter().enumerate() {
        let (index, vectors) = match next {
            Some(next) => (next.index().to_string(), control.sent(node.id, *next)),
            None => ("-".to_owned(), 0),
        };
        out.print(format_args!(
            "    {slot:^10}  {index:^10}{name:^30}{vectors:>8}"
        ));
    }
}

/// In three columns, as many as fit a line.
fn previous_nodes(control: &Control, previous: &[NodeId], out: &Output) {
    if previous.is_empty() {
        return;
    }
    out.print("\n  known previous nodes:");
    for line in previous.chunks(3) {
        let cells = line.iter().map(|node| {
            let text = format!("{} ({})", control.node_name(*node), node.index());
            format!("{text:<34} ")
        });
        let line: String = cells.collect();
        out.print(format_args!("    {}", line.trim_end()));
    }
}
