//! `show files`: the descriptors of the process.

use super::{CliContext, CliRegistry, DuplicateCommand};
use barrow_runtime::io::Watched;
use std::{collections::BTreeMap, fs, path::Path};

/// What is known of a descriptor besides what the kernel tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// What was reported of it, if the main thread watches it.
    pub watched: Option<Watched>,
    /// What it is for.
    pub description: String,
}

/// Registers `show files`; `known` gives what is known of descriptors, by number.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_files(
    cli: &mut CliRegistry,
    known: impl Fn() -> BTreeMap<i32, FileInfo> + 'static,
) -> Result<(), DuplicateCommand> {
    cli.command("show files", "Show files in use", move |cx, args| {
        args.finish()?;
        show(cx, Path::new("/proc/self/fd"), &known());
        Ok(())
    })
}

/// VPP lists the descriptors that it polls; the others are here, too, with no thread.
fn show(cx: &mut CliContext<'_>, directory: &Path, known: &BTreeMap<i32, FileInfo>) {
    let files: BTreeMap<i32, String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            // The descriptor that reads the directory is gone again when it is looked at.
            let target = fs::read_link(entry.path()).ok()?;
            Some((number, target.display().to_string()))
        })
        .collect();
    cx.print(format_args!(
        "{:>3} {:<6} {:>12} {:>12} {:>12} {:<32} Description",
        "FD", "Thread", "Read", "Write", "Error", "File Name"
    ));
    for (number, name) in files {
        let info = known.get(&number).cloned().unwrap_or_default();
        let thread = if info.watched.is_some() { "0" } else { "" };
        let (reads, writes, errors) = info.watched.map_or((0, 0, 0), |watched| {
            (watched.reads, watched.writes, watched.errors)
        });
        let line = format!(
            "{number:>3} {thread:^6} {reads:>12} {writes:>12} {errors:>12} {name:<32} {}",
            info.description
        );
        cx.print(line.trim_end());
    }
}
