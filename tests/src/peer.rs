//! Running the programs that a node is tested against.

use crate::{Netns, Skip, target};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// It ended with status 0.
    pub success: bool,
}

impl Finished {
    /// The standard output of a program that must have succeeded.
    ///
    /// # Panics
    /// When it did not, with all it printed.
    #[must_use]
    #[track_caller]
    pub fn expect_success(self) -> String {
        assert!(self.success, "failed:\n{}\n{}", self.stdout, self.stderr);
        self.stdout
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            success: output.status.success(),
        }
    }
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Finished {
    let output = Command::new(program).args(arguments).output();
    output
        .unwrap_or_else(|error| panic!("{program}: {error}"))
        .into()
}

/// Runs a program to its end inside a namespace.
///
/// # Panics
/// When it cannot be started.
pub fn run_in(netns: &Netns, program: &str, arguments: &[&str]) -> Finished {
    let output = netns.command(program).args(arguments).output();
    output
        .unwrap_or_else(|error| panic!("{program}: {error}"))
        .into()
}

/// The Python of the interop tests, which xtask fills with the pinned peers.
///
/// # Errors
/// A reason to skip where it is missing.
pub fn python() -> Result<PathBuf, Skip> {
    let python = target().join("venv/bin/python");
    if python.is_file() {
        Ok(python)
    } else {
        Err(Skip(
            "no Python peers (cargo xtask setup makes them)".into(),
        ))
    }
}
