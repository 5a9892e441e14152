//! What the tests use beside the Rust toolchain.

use crate::shell::{self, Failure};
use std::path::PathBuf;
use std::process::Command;

/// A program the tests drive, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("ping", "iputils-ping"),
    ("iperf3", "iperf3"),
    ("dnsmasq", "dnsmasq-base"),
    ("traceroute", "traceroute"),
    ("ethtool", "ethtool"),
    ("python3", "python3"),
];

/// Python packages, pinned: the peers of the interop tests.
const PYTHON: &[&str] = &["vpp_papi==2.4.2", "scapy==2.8.0"];

/// Version of the fuzzing driver.
const CARGO_FUZZ: &str = "0.13.2";

/// Installs everything; what is missing afterwards is named, not fatal.
pub(crate) fn all() -> Result<(), Failure> {
    packages();
    python();
    Ok(())
}

/// System packages, by apt when this is root; otherwise the missing ones are named.
pub(crate) fn packages() {
    let missing = |program: &&(&str, &str)| !shell::in_path(program.0);
    let mut wanted: Vec<&str> = PROGRAMS.iter().filter(missing).map(|p| p.1).collect();
    if !shell::works("python3", "--version") || !has_venv() {
        wanted.push("python3-venv");
    }
    wanted.dedup();
    if wanted.is_empty() {
        return;
    }
    if shell::is_root() && shell::in_path("apt-get") {
        let mut update = Command::new("apt-get");
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            .args(&wanted);
        let done = shell::run(update.args(["update", "--quiet=2"]))
            .and_then(|()| shell::run(&mut install));
        if let Err(why) = done {
            eprintln!("xtask: {why}");
        }
    }
    for (program, package) in PROGRAMS.iter().filter(missing) {
        eprintln!("missing: {program} (Debian package {package}); tests that need it are skipped");
    }
}

/// The Python environment of the interop tests, or nothing where it cannot be made.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = shell::target().join("venv");
    let python = folder.join("bin/python");
    let stamp = folder.join("barrow-packages");
    let pinned = PYTHON.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == pinned) {
        return Some(python);
    }
    let made = shell::run(Command::new("python3").arg("-m").arg("venv").arg(&folder))
        .and_then(|()| {
            let mut pip = Command::new(&python);
            shell::run(pip.args(["-m", "pip", "install", "--quiet"]).args(PYTHON))
        })
        .and_then(|()| std::fs::write(&stamp, pinned).map_err(|error| error.to_string()));
    match made {
        Ok(()) => Some(python),
        Err(why) => {
            eprintln!("missing: the Python peers ({why}); tests that need them are skipped");
            None
        }
    }
}

/// `cargo-fuzz`, installed under the build folder when the machine has none.
pub(crate) fn cargo_fuzz() -> Result<PathBuf, Failure> {
    if shell::in_path("cargo-fuzz") {
        return Ok("cargo-fuzz".into());
    }
    let tools = shell::target().join("tools");
    let program = tools.join("bin/cargo-fuzz");
    if !program.is_file() {
        let folder = tools.to_string_lossy();
        let mut install = shell::cargo(&["install", "cargo-fuzz", "--locked", "--version"]);
        shell::run(install.args([CARGO_FUZZ, "--root", &folder]))?;
    }
    Ok(program)
}

fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}
