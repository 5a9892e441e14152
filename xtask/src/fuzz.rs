//! `cargo xtask fuzz`: builds and runs the fuzz targets.

use crate::setup;
use crate::shell::{self, Failure};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// One target; all of them when absent.
    target: Option<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let cargo_fuzz = setup::cargo_fuzz()?;
    for target in targets()? {
        if options
            .target
            .as_ref()
            .is_some_and(|wanted| *wanted != target)
        {
            continue;
        }
        let mut fuzz = std::process::Command::new(&cargo_fuzz);
        fuzz.current_dir(shell::root())
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", "--sanitizer", "none", &target, "--"])
            .arg(format!("-max_total_time={}", options.seconds))
            .args(["-max_len=65536", "-rss_limit_mb=4096", "-timeout=10"]);
        shell::run(&mut fuzz)?;
    }
    Ok(())
}

/// The names of the targets: one file each in `fuzz/fuzz_targets`.
fn targets() -> Result<Vec<String>, Failure> {
    let folder = shell::root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}
