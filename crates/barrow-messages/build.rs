//! Makes the bindings of the folder `api`, and tells dependents where it is.

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("api");
    // Dependents' build scripts see this as DEP_BARROW_MESSAGES_API_DIR.
    println!("cargo::metadata=api_dir={}", folder.display());
    barrow_api::build::Builder::new()
        .api_dir(folder)
        .cargo_features()
        .run();
}
