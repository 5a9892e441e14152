//! `show buffers`.

use crate::cli::{CliRegistry, DuplicateCommand};
use crate::collector::POOL;
use crate::control::Control;

pub(super) fn register(cli: &mut CliRegistry, control: &Control) -> Result<(), DuplicateCommand> {
    let own = control.clone();
    cli.command(
        "show buffers",
        "Show packet buffer allocation",
        move |cx, args| {
            args.finish()?;
            let pool = own.pool();
            let stats = pool.stats();
            let cached: usize = stats.cached.iter().sum();
            cx.print(format_args!(
                "{:<20}{:>6}{:>5}{:>6}{:>11}{:>7}{:>7}{:>8}{:>7}",
                "Pool Name",
                "Index",
                "NUMA",
                "Size",
                "Data Size",
                "Total",
                "Avail",
                "Cached",
                "Used"
            ));
            cx.print(format_args!(
                "{POOL:<20}{:^6}{:^5}{:>6}{:>11}{:>7}{:>7}{cached:>8}{:>7}",
                0,
                0,
                pool.stride(),
                pool.data_size(),
                stats.size,
                stats.free,
                stats.owned
            ));
            Ok(())
        },
    )
}
