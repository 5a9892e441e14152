//! `show clock` and `set clock adjust`.

use super::{CliRegistry, DuplicateCommand};
use crate::{Control, log::http_date};
use std::time::Duration;

/// Registers `show clock [verbose]` and `set clock adjust`.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_clock(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let shown = control.clone();
    cli.command("show clock", "show clock [verbose]", move |cx, args| {
        args.keyword("verbose");
        let clock = shown.clock();
        let (now, date) = (clock.now().as_secs_f64(), http_date(clock.wall()));
        cx.print(format_args!("Time now {now:.6}, {date}"));
        // No worker is ever stopped by a barrier, and all threads read one clock.
        cx.print("Time last barrier release 0.000000000");
        for thread in 0..shown.thread_count() {
            let now = clock.now().as_secs_f64();
            cx.print(format_args!("{thread}: Time now {now:.6}"));
            cx.print(format_args!(
                "Thread {thread} offset 0.000000000 error 0.000000000"
            ));
        }
        Ok(())
    })?;
    let clock = control.clock().clone();
    cli.command(
        "set clock adjust",
        "set clock adjust <seconds>",
        move |_, args| {
            /// Ten years: the clock has no end in reach.
            const MOST: f64 = 315_360_000.0;
            let seconds = args.float().ok_or_else(|| args.unknown_input())?;
            args.finish()?;
            if !(0.0..=MOST).contains(&seconds) {
                return Err("the clock only moves forward, by ten years at most".into());
            }
            clock.adjust(Duration::from_secs_f64(seconds));
            Ok(())
        },
    )
}
