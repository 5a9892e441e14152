//! `show statistics segment`: the directory of the statistics segment (`vpp:src/vlib/stats/cli.c`).

use crate::cli::{CliRegistry, DuplicateCommand};
use crate::control::Control;
use barrow_stats::layout::EntryKind;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    let help = "show statistics segment [verbose] [<part of a name>]";
    cli.command("show statistics segment", help, move |cx, args| {
        let (mut verbose, mut wanted) = (false, "");
        while !args.is_empty() {
            if args.keyword("verbose") {
                verbose = true;
            } else {
                wanted = args.word().unwrap_or_default();
            }
        }
        let segment = own.stats();
        let mut entries = segment.entries();
        entries.retain(|entry| entry.name.contains(wanted));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        cx.print(format_args!(
            "{:<74} {:>10} {:>10}",
            "Name", "Type", "Value"
        ));
        for entry in &entries {
            let kind = kind(entry.kind);
            cx.print(format_args!(
                "{:<74} {kind:<10} {:>10}",
                entry.name, entry.value
            ));
        }
        if verbose {
            let used = segment.memory();
            cx.print(format_args!(
                "{} entries, {} of {} bytes used",
                entries.len(),
                used.used,
                used.total
            ));
        }
        Ok(())
    })
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Scalar => "ScalarPtr",
        EntryKind::Gauge => "Gauge",
        EntryKind::Simple | EntryKind::Combined => "CMainPtr",
        EntryKind::Names => "NameVector",
        EntryKind::Ring => "RingBuffer",
        EntryKind::Histogram => "Histogram",
        EntryKind::Symlink => "Symlink",
        EntryKind::Empty => "empty",
    }
}
