//! `show clock` and `set clock adjust`.

use super::{CliRegistry, DuplicateCommand};
use crate::log::http_date;
use std::{rc::Rc, time::Duration};

/// The node's clock, as far as its commands and messages need it.
pub trait NodeClock {
    /// The time since the node started, adjustments included.
    fn now(&self) -> Duration;

    /// The time since 1970.
    fn since_epoch(&self) -> Duration;

    /// Moves the clock forward: everything due fires at once.
    fn advance(&self, by: Duration);

    /// The number of threads, the main thread included.
    fn threads(&self) -> usize;
}

/// Registers `show clock [verbose]` and `set clock adjust`.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_clock(
    cli: &mut CliRegistry,
    clock: Rc<dyn NodeClock>,
) -> Result<(), DuplicateCommand> {
    let shown = clock.clone();
    cli.command("show clock", "show clock [verbose]", move |cx, args| {
        args.keyword("verbose");
        let date = http_date(shown.since_epoch());
        cx.print(format_args!(
            "Time now {:.6}, {date}",
            shown.now().as_secs_f64()
        ));
        // No worker is ever stopped by a barrier, and all threads read one clock.
        cx.print("Time last barrier release 0.000000000");
        for thread in 0..shown.threads() {
            cx.print(format_args!(
                "{thread}: Time now {:.6}",
                shown.now().as_secs_f64()
            ));
            cx.print(format_args!(
                "Thread {thread} offset 0.000000000 error 0.000000000"
            ));
        }
        Ok(())
    })?;
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
            clock.advance(Duration::from_secs_f64(seconds));
            Ok(())
        },
    )
}
