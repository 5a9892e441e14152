//! Saying that a test cannot run here.

use std::path::Path;

/// Why a test cannot run on this machine.
#[derive(Debug)]
pub struct Skip(pub String);

/// Prints `skipped: why`.
pub fn skip(why: impl std::fmt::Display) {
    eprintln!("skipped: {why}");
}

/// Runs a test, and says why when it cannot run here.
pub fn report(test: impl FnOnce() -> Result<(), Skip>) {
    if let Err(Skip(why)) = test() {
        skip(why);
    }
}

/// Whether this process is root.
#[must_use]
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        uid.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
    })
}

/// Whether a program is in the search path, or where Debian keeps those of root.
#[must_use]
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").into(), Path::new("/sbin").into()])
        .any(|folder| folder.join(name).is_file())
}
