//! Tasks of the workspace: `cargo xtask setup | test | fuzz | bench`.
//!
//! Each task does its own set-up: system packages by apt when it runs as root, Python packages into a
//! virtual environment under `target/`, cargo tools under `target/tools`. What cannot be had is said
//! in one line, and the tests that need it skip themselves.
#![forbid(unsafe_code)]

mod bench;
mod fuzz;
mod setup;
mod shell;
mod test;

use clap::{Parser, Subcommand};

/// Tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests use: system packages (as root), a Python environment, cargo tools.
    Setup,
    /// Run every test: unit, property, end to end, interop, model checks and sanitizer.
    Test(test::Options),
    /// Build and run the fuzz targets.
    Fuzz(fuzz::Options),
    /// Run the benches and judge them against their bars.
    Bench(bench::Options),
}

fn main() -> std::process::ExitCode {
    let outcome = match Cli::parse().task {
        Task::Setup => setup::all(),
        Task::Test(options) => test::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}
