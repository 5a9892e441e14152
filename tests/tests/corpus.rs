//! The fuzz targets' corpora, replayed.

#[path = "../../fuzz/src/entries.rs"]
#[expect(
    unreachable_pub,
    reason = "they are public in the crate of the fuzz targets"
)]
mod entries;

use std::path::PathBuf;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(&folder).expect("the corpus is committed");
    let mut count = 0;
    for file in files {
        let path = file.expect("the folder can be read").path();
        entry(&std::fs::read(&path).expect("the file can be read"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

macro_rules! corpora {
    ($($name:ident),*) => { $(#[test] fn $name() { replay(stringify!($name), entries::$name); })* };
}

corpora!(
    api_frame,
    any_message,
    api_language,
    startup_grammar,
    cli_line,
    packet_input
);
