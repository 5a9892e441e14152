//! Makes the bindings of every `.api.json` of the shared facts; of none in a plain clone.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=BARROW_SHARED");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for build scripts");
    let beside = Path::new(&root).join("../../../shared");
    let shared = std::env::var_os("BARROW_SHARED").map_or(beside, PathBuf::from);
    let facts = shared.join("vpp/api-json");
    let mut builder = barrow_api::build::Builder::new();
    for folder in ["core", "plugins"].map(|name| facts.join(name)) {
        if folder.is_dir() {
            builder = builder.json_dir(folder);
        }
    }
    let made = builder.compile().expect("the facts are well formed");
    let list = made.folder.with_file_name("each.rs");
    std::fs::write(list, each(&made.folder, &made.modules)).expect("the build folder is ours");
}

/// A function that visits every message type, found by the trait they implement.
fn each(folder: &Path, modules: &[String]) -> String {
    let mut text =
        "/// Visits every message.\npub fn each(visitor: &mut impl Visitor) {\n".to_owned();
    for module in modules {
        let path = folder.join(format!("{module}.rs"));
        let rust = std::fs::read_to_string(path).expect("just written");
        for line in rust.lines() {
            let name = line.strip_prefix("impl wire::Message for ");
            if let Some(name) = name.and_then(|rest| rest.split(' ').next()) {
                text += &format!("    visitor.visit::<{module}::{name}>();\n");
            }
        }
    }
    text + "}\n"
}
