//! The facts about VPP that tests compare with, where they are at hand.

use std::path::{Path, PathBuf};

/// The folder of facts: `BARROW_SHARED`, or `shared` beside the work tree. None in a plain clone.
pub(crate) fn vpp() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("BARROW_SHARED").map_or(beside, PathBuf::from);
    let vpp = shared.join("vpp");
    if vpp.is_dir() {
        Some(vpp)
    } else {
        eprintln!("skipped: no facts about VPP at {}", vpp.display());
        None
    }
}

/// The text of one file of facts.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
