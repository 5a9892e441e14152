//! Facts about VPP 26.06, present in the developers' tree only. Tests that need them pass without.

#![allow(dead_code, reason = "each test binary uses a part")]

use barrow_api::json;
use barrow_api::schema::Schema;
use std::path::{Path, PathBuf};

/// The folder of facts: `BARROW_SHARED`, or `shared` beside the workspace.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("BARROW_SHARED").map_or(beside, PathBuf::from);
    folder.join("vpp/api-json").is_dir().then_some(folder)
}

/// Name and text of VPP's 150 `.api.json` files; none without the facts.
pub(crate) fn vpp_files() -> Vec<(String, String)> {
    let Some(shared) = shared() else {
        eprintln!("skipped: the facts about VPP are not here");
        return Vec::new();
    };
    let mut files = Vec::new();
    for part in ["core", "plugins"] {
        for entry in std::fs::read_dir(shared.join("vpp/api-json").join(part)).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, std::fs::read_to_string(path).expect("readable")));
        }
    }
    files.sort();
    files
}

/// VPP's files, read.
pub(crate) fn vpp_schemas() -> Vec<Schema> {
    let read = |(name, text): &(String, String)| json::read_named(name, text).expect("valid");
    vpp_files().iter().map(read).collect()
}
