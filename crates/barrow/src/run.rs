//! `barrow run`: a node.

use crate::failed;
use barrow_engine::cli::Identity;
use barrow_engine::config::{Config, Source};
use barrow_engine::{BuildError, Builder, Engine};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;

/// How to configure the node.
#[derive(clap::Args)]
#[command(trailing_var_arg = true, disable_help_flag = false)]
pub(crate) struct Options {
    /// `-c FILE` reads a configuration; anything else is the configuration itself.
    #[arg(allow_hyphen_values = true, value_name = "-c FILE | SECTION { … }")]
    pub(crate) words: Vec<String>,
}

/// Runs a node until somebody stops it.
pub(crate) fn node(options: &Options) -> ExitCode {
    let source = match source(&options.words) {
        Ok(source) => source,
        Err(why) => return failed(why),
    };
    let config = match Config::parse(source) {
        Ok(config) => config,
        Err(error) => return failed(error),
    };
    let identity = Identity {
        command_line: std::env::args().collect(),
        ..Identity::of_this_build(std::process::id())
    };
    let node = barrow_features::standard(Engine::builder()).identity(identity);
    let engine = match node
        .config(config)
        .map_err(BuildError::from)
        .and_then(Builder::build)
    {
        Ok(engine) => engine,
        Err(error) => return failed(error),
    };
    raise_descriptor_limit();
    match engine.serve(ready) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// Lets the process hold as many descriptors as it is allowed to: the usual soft limit of 1,024 is there for
/// programs that call select(2), and fewer than the clients that may connect.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Refused, the node serves fewer clients.
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        eprintln!("barrow: the limit of descriptors stays as it is: {error}");
    }
}

/// Tells whoever started the node that its sockets accept: the service manager, and who reads the log.
fn ready() {
    if let Err(error) = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]) {
        eprintln!("barrow: the service manager was not told: {error}");
    }
    eprintln!("barrow: ready");
}

/// The configuration: of the file that `-c` names, or the words themselves.
fn source(words: &[String]) -> Result<Source, String> {
    match words {
        [flag, file] if flag == "-c" => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            Ok(Source::file(file, &text))
        }
        [flag] if flag == "-c" => Err("-c needs the name of a file".to_owned()),
        words => Ok(Source::arguments(words)),
    }
}
