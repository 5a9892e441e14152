//! Running the Python scripts of `tests/python` against a node.

use crate::{Finished, Node, Skip, python, run, workspace};
use std::path::PathBuf;

/// The definitions of the messages that the node serves, as `barrow api json` writes them.
///
/// # Errors
/// A reason to skip where the binary was not built.
///
/// # Panics
/// When it fails.
pub fn definitions(node: &Node) -> Result<PathBuf, Skip> {
    let folder = node.folder().join("api");
    let binary = Node::binary()?;
    let out = folder.to_string_lossy().into_owned();
    let _printed = run(&binary.to_string_lossy(), ["api", "json", "--out", &out]).expect_success();
    Ok(folder)
}

/// Runs a script of `tests/python` to its end.
///
/// # Errors
/// A reason to skip where there are no Python peers.
pub fn script(name: &str, arguments: &[&str]) -> Result<Finished, Skip> {
    let script = workspace().join("tests/python").join(name);
    let script = script.to_string_lossy().into_owned();
    let arguments = std::iter::once(script.as_str()).chain(arguments.iter().copied());
    Ok(run(&python()?.to_string_lossy(), arguments))
}
