//! The program `barrow`.
//!
//! `barrow run -c FILE`, `barrow -c FILE` and `barrow unix { … } socksvr { … }` start a node; the last two
//! are how scripts start `vpp`, so the program may also be called that. The other commands are tools.
#![forbid(unsafe_code)]

mod api;
mod ctl;
mod demo;
mod run;
mod stats;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::Path;
use std::process::ExitCode;

/// A software-defined-network node that speaks VPP's protocols.
#[derive(Parser)]
#[command(
    name = "barrow",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a node: `run -c startup.conf`, or `run unix { nodaemon … } socksvr { … }`.
    Run(run::Options),
    /// Show a node between two hosts on this machine; needs nothing but the kernel.
    Demo(demo::Options),
    /// Work with VPP's interface language.
    #[command(subcommand)]
    Api(api::Command),
    /// Give commands to a running node (or to FD.io VPP): those of the arguments, or of standard input line by line.
    Ctl(ctl::Options),
    /// Read the statistics of a running node (or of FD.io VPP).
    Stats(stats::Options),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let first = arguments.get(1).map(String::as_str);
    let called_vpp = Path::new(&arguments[0])
        .file_name()
        .is_some_and(|name| name == "vpp");
    if first.is_some_and(|first| !is_command(first)) || (called_vpp && first.is_none()) {
        return run::node(&run::Options {
            words: arguments[1..].to_vec(),
        });
    }
    match Cli::parse().command {
        Command::Run(options) => run::node(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Api(command) => api::run(&command),
        Command::Ctl(options) => ctl::run(&options),
        Command::Stats(options) => stats::run(&options),
    }
}

/// Whether a first argument makes the program a tool, rather than a node configured by its arguments.
fn is_command(first: &str) -> bool {
    let known = Cli::command();
    known.find_subcommand(first).is_some()
        || matches!(first, "help" | "-h" | "--help" | "-V" | "--version")
}

/// Ends the program with an error text on standard error.
fn failed(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("barrow: {why}");
    ExitCode::FAILURE
}
