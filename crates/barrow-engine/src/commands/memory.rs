//! `show memory`, `show physmem`, `show bihash`: where memory goes.
//!
//! VPP has heaps of its own in regions that it maps once; here the system's allocator has one heap that grows. The
//! lines are VPP's (`clib_mem_show_heap` and `vpp:src/vlib/physmem.c`), the figures what the kernel and the pools tell.

use crate::cli::{Args, CliContext, CliRegistry, CliResult, DuplicateCommand};
use crate::collector::POOL;
use crate::control::Control;
use crate::memory::ProcessMemory;

/// Bytes of a page, where nothing else is known.
const PAGE: u64 = 4096;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    let help = "show memory [main-heap] [stats-segment] [verbose]";
    cli.command("show memory", help, move |cx, args| show(&own, cx, args))?;
    let own = control.clone();
    cli.command(
        "show physmem",
        "show physmem [verbose|detail|map]",
        move |cx, args| {
            let _ = args.one_of(&["verbose", "detail", "map"]);
            args.finish()?;
            let pool = own.pool();
            let bytes = pool.stats().size as u64 * pool.stride() as u64;
            cx.print(format_args!(
                " {POOL}: {} buffers of {} bytes, {}",
                pool.stats().size,
                pool.stride(),
                size(bytes)
            ));
            Ok(())
        },
    )?;
    cli.command("show bihash", "show bihash", |_, args| {
        // Tables here are not VPP's bounded-index hash, of which it lists the instances.
        args.keyword("verbose");
        args.finish()
    })
}

fn show(control: &Control, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let (mut main, mut stats, mut verbose) = (false, false, false);
    while !args.is_empty() {
        match args.one_of(&["main-heap", "stats-segment", "verbose"]) {
            Some("main-heap") => main = true,
            Some("stats-segment") => stats = true,
            Some(_) => verbose = true,
            None => return Err(args.unknown_input()),
        }
    }
    let all = !main && !stats;
    if main || all {
        show_main(cx, verbose || all);
    }
    if stats || all {
        let used = control.stats().memory();
        cx.print("Stats segment");
        let (total, in_use, free) = (size(used.total), size(used.used), size(used.free));
        cx.print(format_args!(
            "  total: {total}, used: {in_use}, free: {free}\n"
        ));
    }
    Ok(())
}

fn show_main(cx: &mut CliContext<'_>, verbose: bool) {
    let ProcessMemory {
        data,
        resident,
        peak,
    } = ProcessMemory::read();
    let total = data.max(resident);
    let (pages, populated) = (total / PAGE, resident / PAGE);
    cx.print(format_args!("  size {}, name 'main heap'", size(total)));
    cx.print(format_args!(
        "    page stats: page-size 4K, total {pages}, populated {populated}, not-populated {}",
        pages - populated
    ));
    let (used, free) = (size(resident), size(total - resident));
    cx.print(format_args!(
        "    total: {}, used: {used}, free: {free}, trimmable: {free}",
        size(total)
    ));
    if verbose {
        cx.print(format_args!("    peak: {}", size(peak)));
    }
    cx.print("\n");
}

/// An amount as VPP prints it: two decimals and the letter of its power of 1024.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    let unit = UNITS.iter().find(|(_, shift)| bytes >> shift > 0);
    match unit {
        None => bytes.to_string(),
        Some((letter, shift)) => {
            let hundredths = (u128::from(bytes) * 100) >> shift;
            format!("{}.{:02}{letter}", hundredths / 100, hundredths % 100)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Testbed;

    #[test]
    fn amounts_have_two_decimals_and_a_letter() {
        assert_eq!(size(0), "0");
        assert_eq!(size(1023), "1023");
        assert_eq!(size(1536), "1.50K");
        assert_eq!(size(2 << 30), "2.00G");
        assert_eq!(size(u64::MAX), "16777215.99T");
    }

    #[test]
    fn memory_is_shown_in_vpps_words() {
        let mut bed = Testbed::with(|_| Ok(()));
        let shown = bed.command("show memory main-heap verbose").text;
        for word in [
            "name 'main heap'",
            "page stats: page-size 4K, total ",
            "    total: ",
            ", trimmable: ",
        ] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        assert!(
            bed.command("show memory stats-segment")
                .text
                .starts_with("Stats segment\n  total: ")
        );
        let all = bed.command("show memory").text;
        assert!(
            all.contains("main heap") && all.contains("Stats segment"),
            "{all}"
        );
        assert_eq!(bed.command("show memory nowhere").retval, -1);
        assert!(bed.command("show physmem").text.contains("default-numa-0"));
        assert_eq!(
            (
                bed.command("show bihash").retval,
                bed.command("show bihash").text.as_str()
            ),
            (0, "")
        );
    }
}
