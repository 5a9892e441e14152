//! What `docs/runtime.md` names as proof is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const START: &str = "<!-- table -->";
const END: &str = "<!-- end of table -->";

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The words in backquotes.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The functions of every source file below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("text");
            let name = |line: &str| {
                let line = line.trim_start().trim_start_matches("pub(crate) ");
                let name = line.strip_prefix("fn ")?;
                Some(name.split('(').next()?.to_owned())
            };
            found.extend(source.lines().filter_map(name));
        }
    }
}

fn guide() -> Option<String> {
    let path = crates().join("../docs/runtime.md");
    fs::read_to_string(path).ok()
}

#[test]
fn every_tick_of_the_table_names_a_test_an_example_or_a_bench() {
    let Some(guide) = guide() else {
        return eprintln!("skipped: the guide is not beside the crate");
    };
    let mut known = BTreeSet::new();
    functions(&crates().join("barrow-core"), &mut known);
    functions(&crates().join("barrow-runtime"), &mut known);
    let table = guide
        .split(START)
        .nth(1)
        .and_then(|rest| rest.split(END).next());
    let rows: Vec<&str> = table.expect("the table").lines().skip(3).collect();
    assert!(rows.len() > 15, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 7, "{row}");
        for name in names(cells[2]) {
            let module = crates().join("barrow-runtime/src").join(name);
            assert!(module.is_dir(), "no module {name}: {row}");
        }
        for name in cells[3..6].iter().flat_map(|cell| names(cell)) {
            let file = crates().join("barrow-runtime").join(name);
            assert!(
                known.contains(name) || file.is_file(),
                "nothing is called {name}"
            );
        }
        // What is not implemented is not shown either, and nothing is ticked without a name.
        let shown = cells[3..6].iter().any(|cell| !cell.is_empty());
        assert!(!(cells[2].is_empty() && shown), "{row}");
        assert!(
            cells[2..6]
                .iter()
                .all(|cell| cell.is_empty() || cell.contains('`')),
            "{row}"
        );
    }
}

#[test]
fn every_invariant_has_tests_that_bear_its_number() {
    let mut known = BTreeSet::new();
    functions(&crates().join("barrow-core"), &mut known);
    functions(&crates().join("barrow-runtime"), &mut known);
    for number in 1..=10 {
        let prefix = format!("i{number}_");
        let bears = |name: &String| name.starts_with(&prefix);
        assert!(known.iter().any(bears), "no test of invariant {number}");
    }
}
