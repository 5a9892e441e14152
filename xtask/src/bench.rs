//! `cargo xtask bench`: runs the benches; the node's own say where they stand against their bars.

use crate::shell::{self, Failure};

/// Which benches.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// `forwarding`, `api_server`, or the name of a crate; all when absent.
    name: Option<String>,
    /// For the bench itself: `cargo xtask bench forwarding -- --quick`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let name = options.name.as_deref();
    for whole_node in ["forwarding", "api_server"] {
        if name.is_none_or(|name| name == whole_node) {
            let mut words = vec!["bench", "--package", "barrow", "--bench", whole_node, "--"];
            words.extend(options.arguments.iter().map(String::as_str));
            shell::run(&mut shell::cargo(&words))?;
        }
    }
    match name {
        Some("forwarding" | "api_server") => Ok(()),
        Some(package) => shell::run(&mut shell::cargo(&["bench", "--package", package])),
        None => shell::run(&mut shell::cargo(&[
            "bench",
            "--workspace",
            "--exclude",
            "barrow",
        ])),
    }
}
