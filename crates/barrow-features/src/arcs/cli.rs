//! The commands (`vpp:src/vnet/feature/feature.c`).

use super::switches::Switches;
use crate::interface::cli::take_interface;
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::cli::{Args, CliContext, CliRegistry, CliResult, DuplicateCommand};
use barrow_engine::{ArcError, ArcTable};

pub(super) fn register(
    cli: &mut CliRegistry,
    arcs: &ArcTable,
    switches: &Switches,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let (own, known) = (switches.clone(), interfaces.clone());
    let help = "set interface feature <interface> <feature> arc <arc> [disable]";
    cli.command("set interface feature", help, move |_, args| {
        set(&own, &known, args)
    })?;
    let own = arcs.clone();
    cli.command(
        "show features",
        "show features [verbose]",
        move |cx, args| {
            show(&own, args.abbreviation("verbose", 1), cx);
            Ok(())
        },
    )
}

fn set(switches: &Switches, interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let mut wanted: Option<(SwIfIndex, &str, &str)> = None;
    let mut on = true;
    while !args.is_empty() {
        let named = args.attempt(|args| {
            let index = take_interface(args, interfaces)?;
            let feature = args.word()?;
            Some((index, feature, args.option("arc", Args::word)?))
        });
        if named.is_some() {
            wanted = named;
        } else if args.keyword("disable") {
            on = false;
        } else {
            return Err(args.unknown_input());
        }
    }
    let (index, feature, arc) = wanted.ok_or("Both feature name and arc required...")?;
    switches
        .set(index, arc, feature, on)
        .map_err(|error| match error {
            ArcError::UnknownArc(arc) => format!("Unknown arc name ({arc})... "),
            ArcError::UnknownFeature { arc, feature } => format!(
                "Feature ({feature}) not registered to arc ({arc})... \
                 See 'show features verbose' for valid feature/arc combinations. "
            ),
            _ => error.to_string(),
        })?;
    Ok(())
}

/// The arcs, latest first, each with its features in the order in which they run.
fn show(arcs: &ArcTable, verbose: bool, cx: &mut CliContext<'_>) {
    cx.print("Available feature paths");
    for (n, arc) in arcs.list().into_iter().enumerate().rev() {
        if verbose {
            cx.print(format_args!("[{n:>2}] {}:", arc.name));
        } else {
            cx.print(format_args!("{}:", arc.name));
        }
        for (place, feature) in arc.features.iter().enumerate() {
            if verbose {
                cx.print(format_args!("  [{place:>2}]: {feature}"));
            } else {
                cx.print(format_args!("  {feature}"));
            }
        }
    }
}
