//! `cargo xtask test`: every test, with its set-up.

use crate::setup;
use crate::shell::{self, Failure};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out the model checks, which build crates anew.
    #[arg(long)]
    quick: bool,
    /// Run the crates with unsafe code under AddressSanitizer too.
    #[arg(long)]
    sanitizer: bool,
}

/// Crates with unsafe code whose tests run once more under AddressSanitizer.
const UNSAFE: &[&str] = &["barrow-runtime"];

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::all()?;
    shell::run(&mut shell::cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "barrow",
    ]))?;
    shell::run(&mut shell::cargo(&[
        "test",
        "--workspace",
        "--locked",
        "--no-fail-fast",
    ]))?;
    if !options.quick {
        model_checks()?;
    }
    if options.sanitizer {
        sanitizer()?;
    }
    Ok(())
}

/// Wake paths and rings, under loom, which explores every interleaving.
fn model_checks() -> Result<(), Failure> {
    let mut loom = shell::cargo(&["test", "--locked", "--release", "--package", "barrow-core"]);
    loom.args(["--package", "barrow-runtime", "--lib", "loom"])
        .env("RUSTFLAGS", "--cfg barrow_loom")
        .env("CARGO_TARGET_DIR", shell::target().join("loom"));
    shell::run(&mut loom)
}

/// The crates with unsafe code, under AddressSanitizer.
fn sanitizer() -> Result<(), Failure> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        eprintln!("skipped: AddressSanitizer runs on x86-64 Linux only");
        return Ok(());
    }
    let mut asan = shell::cargo(&["test", "--locked", "--lib"]);
    for package in UNSAFE {
        asan.args(["--package", package]);
    }
    asan.args(["--target", "x86_64-unknown-linux-gnu"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", shell::target().join("asan"));
    shell::run(&mut asan)
}
