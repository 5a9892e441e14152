//! `barrow stats`: what the statistics segment of a node says.

use crate::failed;
use barrow_stats::reader::Reader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The statistics socket.
    #[arg(long, default_value = "/run/vpp/stats.sock")]
    socket: PathBuf,
    /// Only entries whose name contains one of these; all without any.
    patterns: Vec<String>,
}

/// Prints names and values, one entry after the other.
pub(crate) fn run(options: &Options) -> ExitCode {
    let reader = match Reader::connect(&options.socket, Duration::from_secs(2)) {
        Ok(reader) => reader,
        Err(error) => return failed(format_args!("{}: {error}", options.socket.display())),
    };
    let wanted = |name: &str| {
        options.patterns.is_empty() || options.patterns.iter().any(|part| name.contains(part))
    };
    let entries = match reader.dump(wanted) {
        Ok(entries) => entries,
        Err(error) => return failed(error),
    };
    for (entry, value) in entries {
        match value {
            Ok(value) => println!("{} {value:?}", entry.name),
            Err(error) => return failed(format_args!("{}: {error}", entry.name)),
        }
    }
    ExitCode::SUCCESS
}
