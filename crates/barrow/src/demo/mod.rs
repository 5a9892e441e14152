//! `barrow demo`: a node between two hosts, on one machine, with nothing to install.
//!
//! ```text
//!  host "left" --- tap0 --- [ Barrow ] --- veth, AF_PACKET --- host "right"
//!   10.0.0.2                 10.0.0.1   10.1.0.1                 10.1.0.2
//! ```
//!
//! The hosts are network namespaces without a name, and so is the one that the node moves into: all of
//! it ends with the process, however that ends. The folder of the sockets of a demo that was killed is
//! removed by the next one. Ping, TCP and netlink are the demo's own; it needs no
//! program but the kernel.

mod folder;
mod net;
mod ping;
mod report;
mod transfer;

use crate::failed;
use barrow_engine::config::{Config, Source};
use barrow_engine::{BuildError, Builder, Engine};
use folder::Folder;
use net::Net;
use report::{Command, Report};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

/// What the demo is to do.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave the node running, with the commands to talk to it; Ctrl-C ends it.
    #[arg(long)]
    keep: bool,
    /// Fail unless nothing was lost and everything was seen.
    #[arg(long)]
    check: bool,
    /// Seconds of TCP transfer.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

/// Exit status for a missing permission.
const NOT_PERMITTED: u8 = 2;

/// Runs the demo.
pub(crate) fn run(options: &Options) -> ExitCode {
    if let Err(missing) = net::may() {
        eprintln!("barrow demo: {missing}");
        return ExitCode::from(NOT_PERMITTED);
    }
    let net = match Net::new() {
        Ok(net) => net,
        Err(error) => return failed(format_args!("the network of the demo: {error}")),
    };
    let parent = std::env::temp_dir();
    let folder = match Folder::new(&parent) {
        Ok(folder) => folder,
        Err(error) => return failed(format_args!("{}: {error}", parent.display())),
    };
    let outcome = with_node(options, net, folder.path());
    drop(folder);
    match outcome {
        Ok(report) if options.check && !report.holds() => failed(format_args!(
            "the check failed: {}",
            report.faults().join(", ")
        )),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// Runs the node on this thread and the hosts on others.
fn with_node(
    options: &Options,
    net: Net,
    folder: &std::path::Path,
) -> Result<Report, Box<dyn std::error::Error>> {
    let folder = folder.display();
    let text = format!(
        "unix {{ nodaemon runtime-dir {folder} cli-listen {folder}/cli.sock }} \
         socksvr {{ socket-name {folder}/api.sock }} \
         statseg {{ socket-name {folder}/stats.sock }}"
    );
    let config = Config::parse(Source::arguments([text]))?;
    let node = barrow_features::standard(Engine::builder()).quiet();
    let engine: Engine = node
        .config(config)
        .map_err(BuildError::from)
        .and_then(Builder::build)?;
    let stopper = engine.stopper();
    let (ready, is_ready) = mpsc::channel();
    let command = Command::new(format!("{folder}/cli.sock"));
    let (keep, seconds) = (options.keep, options.seconds);
    let hosts = std::thread::spawn(move || {
        let report = match is_ready.recv_timeout(Duration::from_secs(20)) {
            Ok(()) => report::play(&net, &command, Duration::from_secs(seconds)),
            Err(_) => Err("the node is not ready after 20 s".into()),
        };
        if let Ok(report) = &report {
            println!("{report}");
            if keep {
                net.print_commands(command.socket());
            }
        }
        if !keep {
            stopper.stop();
        }
        // The network goes with this result, when the node has ended.
        report
            .map(|report| (report, net))
            .map_err(|error| error.to_string())
    });
    engine.serve(move || {
        // Nobody listens any more when the demo has given up.
        let _unheard = ready.send(());
    })?;
    match hosts.join() {
        Ok(outcome) => Ok(outcome?.0),
        Err(_) => Err("the demo's hosts panicked".into()),
    }
}
