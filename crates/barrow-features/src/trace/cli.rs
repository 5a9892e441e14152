//! `clear trace`, `trace add`, `trace filter`, `show trace`.

use super::{is_traceable, set_filter, show};
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, DuplicateCommand};
use barrow_engine::{Control, Filter, NodeId};

/// Packets that `show trace` shows of a thread unless told otherwise.
const MOST_SHOWN: usize = 50;
/// Packets that `trace add` traces when asked for 2^32 - 1 (`vpp:src/vlib/trace.c`).
pub(super) const DEFAULT_COUNT: u32 = 50;

/// Registers the commands.
pub(super) fn register(
    cli: &mut CliRegistry,
    control: &Control,
    thread_prefix: &str,
) -> Result<(), DuplicateCommand> {
    cli.group("trace", "Packet tracer commands");
    let own = control.clone();
    cli.command(
        "clear trace",
        "Clear trace buffer and free memory",
        move |_, args| {
            args.finish()?;
            own.trace().clear();
            Ok(())
        },
    )?;
    let own = control.clone();
    let help = "trace add <input-graph-node> <add'l-pkts-for-node-> [filter] [verbose]";
    cli.command("trace add", help, move |_, args| add(&own, args))?;
    let own = control.clone();
    let help = "trace filter none | [include|exclude] NODE COUNT";
    cli.command("trace filter", help, move |_, args| filter(&own, args))?;
    let (own, prefix) = (control.clone(), thread_prefix.to_owned());
    cli.command(
        "show trace",
        "Show trace buffer [max COUNT]",
        move |cx, args| {
            let mut most = MOST_SHOWN;
            while !args.is_empty() {
                let Some(max) = args.option("max", Args::number) else {
                    return Err(unexpected("'max COUNT'", args));
                };
                most = max;
            }
            show::show(&own, &prefix, most, cx.output()).map_err(|error| error.to_string().into())
        },
    )
}

fn add(control: &Control, args: &mut Args<'_>) -> CliResult {
    let mut wanted = None;
    while !args.is_empty() {
        // Traces always go through the filter, and no node has more to tell than it tells.
        if args.keyword("verbose") || args.keyword("filter") {
            continue;
        }
        let parsed = args.attempt(|args| node_and_count(control, args));
        wanted = Some(parsed.ok_or_else(|| unexpected("NODE COUNT", args))?);
    }
    let (node, count) = wanted.ok_or_else(|| unexpected("NODE COUNT", args))?;
    if !control.node(node).as_ref().is_some_and(is_traceable) {
        let name = control.node_name(node);
        return Err(CliError::new(format!(
            "node '{name}' doesn't support per-node tracing. There may be another way to initiate \
             trace on this node."
        )));
    }
    let count = if count == u32::MAX {
        DEFAULT_COUNT
    } else {
        count
    };
    control.trace().add(node, count);
    Ok(())
}

fn filter(control: &Control, args: &mut Args<'_>) -> CliResult {
    let filter = if args.keyword("none") {
        Some(Filter::None)
    } else {
        args.attempt(|args| {
            let include = args.one_of(&["include", "exclude"])? == "include";
            let (node, count) = node_and_count(control, args)?;
            Some(if include {
                Filter::Include { node, count }
            } else {
                Filter::Exclude { node, count }
            })
        })
    };
    let filter = filter.ok_or_else(|| {
        unexpected(
            "'include NODE COUNT' or 'exclude NODE COUNT' or 'none'",
            args,
        )
    })?;
    set_filter(control, filter);
    Ok(())
}

fn node_and_count(control: &Control, args: &mut Args<'_>) -> Option<(NodeId, u32)> {
    let node = control.node_by_name(args.word()?)?;
    Some((node, args.number()?))
}

fn unexpected(expected: &str, args: &Args<'_>) -> CliError {
    // The engine's own error quotes the rest of the line in the same way.
    let rest = args.unknown_input();
    let quoted = rest.text().trim_start_matches("unknown input ");
    CliError::new(format!("expected {expected}, got {quoted}"))
}
