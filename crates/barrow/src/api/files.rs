//! Interface files to JSON and to Rust.

use barrow_api::json;
use std::path::{Path, PathBuf};

/// Writes `.api.json` files: of `files`, or of what the node serves.
pub(super) fn to_json(out: &Path, files: &[PathBuf]) -> Result<(), String> {
    match files {
        [] => write_own(out),
        _ => files.iter().try_for_each(|file| translate(file, out)),
    }
}

/// Writes Rust for each file.
pub(super) fn to_rust(out: &Path, import: &[PathBuf], files: &[PathBuf]) -> Result<(), String> {
    files
        .iter()
        .try_for_each(|file| generate(file, import, out))
}

/// The definitions of the messages that the node serves, one file a module.
fn write_own(out: &Path) -> Result<(), String> {
    make(out)?;
    barrow_messages::catalogue()
        .iter()
        .try_for_each(|module| write(&out.join(format!("{}.api.json", module.name)), module.json))
}

fn translate(file: &Path, out: &Path) -> Result<(), String> {
    make(out)?;
    let schema = load(file, &[])?;
    let name = stem(file)?;
    write(
        &out.join(format!("{name}.api.json")),
        &json::to_string(&schema),
    )
}

fn generate(file: &Path, import: &[PathBuf], out: &Path) -> Result<(), String> {
    make(out)?;
    let schema = load(file, import)?;
    let options = barrow_api::rust::Options::default();
    let text = barrow_api::rust::generate(&schema, &options).map_err(|error| error.to_string())?;
    write(&out.join(format!("{}.rs", stem(file)?)), &text)
}

fn load(file: &Path, import: &[PathBuf]) -> Result<barrow_api::Schema, String> {
    let shown = file.display();
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
        return json::read_named(&shown.to_string(), &text).map_err(|error| error.to_string());
    }
    let own = file.parent().map(Path::to_path_buf);
    let folders = own
        .iter()
        .chain(import)
        .map(|folder| match folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => folder.clone(),
        });
    let importer = barrow_api::DirImporter::new(folders);
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    barrow_api::load(name, &importer).map_err(|error| error.to_string())
}

fn stem(file: &Path) -> Result<&str, String> {
    let name = file.file_name().and_then(|name| name.to_str());
    let stem = name
        .and_then(|name| name.split('.').next())
        .filter(|stem| !stem.is_empty());
    stem.ok_or_else(|| format!("{}: not the name of a file", file.display()))
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
