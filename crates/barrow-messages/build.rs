//! Makes the bindings of the folder `api`, and tells dependents where it is.

use std::path::PathBuf;

fn main() {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for build scripts");
    let folder = PathBuf::from(root).join("api");
    // Dependents' build scripts see this as DEP_BARROW_MESSAGES_API_DIR.
    println!("cargo::metadata=api_dir={}", folder.display());
    barrow_api::build::Builder::new()
        .api_dir(folder)
        .cargo_features()
        .run();
}
