//! The tables as text: the shapes of VPP's `show ip fib`, `show fib ...` and `show ip table`.

use super::control::Fib;
use super::entry::EntryIndex;
use super::path_list::{ListIndex, Path};
use super::table::Table;
use super::text::{Level, Out};
use super::{Prefix, Source};
use std::fmt;

/// What `show ip fib` prints of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ShowPart {
    /// All routes, by address.
    #[default]
    Routes,
    /// How many routes there are of each length.
    Summary,
    /// The lookup structure; without its slots if `brief`.
    Mtrie {
        /// The totals only.
        brief: bool,
    },
    /// Memory in use.
    Memory,
    /// The route that a prefix takes, with its sources and paths; what depends on it too, if `detail`.
    Match {
        /// The prefix.
        prefix: Prefix,
        /// Print delegates and children.
        detail: bool,
    },
}

/// The arguments of `show ip fib`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShowFib {
    /// Only the table of this id.
    pub table_id: Option<u32>,
    /// Only the table of this index.
    pub index: Option<u32>,
    /// What to print.
    pub part: ShowPart,
}

impl Fib {
    /// `show ip fib`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_ip_fib(&self, what: &ShowFib, out: Out<'_>) -> fmt::Result {
        let state = self.state();
        let (mut tries, mut hashes) = (0, 0);
        for (fib, table) in state.tables.iter() {
            if what.table_id.is_some_and(|id| id != table.id)
                || what.index.is_some_and(|index| index != fib.0)
            {
                continue;
            }
            if what.part == ShowPart::Memory {
                let (trie, hash) = (state.trie_bytes(&table.mtrie), table.routes().bytes());
                writeln!(out, "{} mtrie:{trie} hash:{hash}", table.name)?;
                (tries, hashes) = (tries + trie, hashes + hash);
                continue;
            }
            state.show_header(fib, table, out)?;
            match what.part {
                ShowPart::Routes => state.show_routes(fib, out)?,
                ShowPart::Summary => show_summary(table, out)?,
                ShowPart::Mtrie { brief } => state.show_mtrie(&table.mtrie, brief, out)?,
                ShowPart::Match { prefix, detail } => {
                    let level = if detail {
                        Level::Everything
                    } else {
                        Level::Sources
                    };
                    if let Ok(Some(entry)) = state.longest(fib, prefix) {
                        state.show_entry(entry, level, out)?;
                    }
                }
                ShowPart::Memory => {}
            }
        }
        if what.part == ShowPart::Memory {
            writeln!(
                out,
                "totals: mtrie:{tries} hash:{hashes} all:{}",
                tries + hashes
            )?;
        }
        Ok(())
    }

    /// `show ip table`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_ip_table(&self, out: Out<'_>) -> fmt::Result {
        for (fib, table) in self.state().tables.iter() {
            writeln!(out, "[{fib}] table_id:{} {}", table.id, table.name)?;
        }
        Ok(())
    }

    /// `show fib entry [N]`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_entry(&self, index: Option<u32>, out: Out<'_>) -> fmt::Result {
        let state = self.state();
        let Some(index) = index else {
            writeln!(out, "FIB Entries:")?;
            for entry in state.entries.iter() {
                write!(out, "{}@", entry.0)?;
                state.show_entry(entry, Level::Brief, out)?;
            }
            return Ok(());
        };
        match state.entries.checked(index) {
            Some(entry) => {
                write!(out, "{index}@")?;
                state.show_entry(entry, Level::Everything, out)
            }
            None => writeln!(out, "entry {index} invalid"),
        }
    }

    /// `show fib paths [N]`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_paths(&self, number: Option<u32>, out: Out<'_>) -> fmt::Result {
        let state = self.state();
        let lists = state.lists.iter();
        let mut paths: Vec<(ListIndex, &Path)> = lists
            .flat_map(|(index, list)| list.paths.iter().map(move |path| (index, path)))
            .collect();
        paths.sort_unstable_by_key(|(_, path)| path.number);
        let Some(number) = number else {
            writeln!(out, "FIB Paths")?;
            return paths
                .into_iter()
                .try_for_each(|(list, path)| state.show_path(list, path, 0, out));
        };
        match paths.iter().find(|(_, path)| path.number == number) {
            Some(&(list, path)) => {
                state.show_path(list, path, 1, out)?;
                writeln!(out, "  children:{{path-list:{}}}", list.0)
            }
            None => writeln!(out, "path {number} invalid"),
        }
    }

    /// `show fib path-lists [N]`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_path_lists(&self, number: Option<u32>, out: Out<'_>) -> fmt::Result {
        let state = self.state();
        let Some(number) = number else {
            writeln!(out, "FIB Path Lists")?;
            return state
                .lists
                .iter()
                .try_for_each(|(index, list)| state.show_list(index, list, 0, out));
        };
        match state.lists.find(ListIndex(number)) {
            Some(list) => {
                state.show_list(ListIndex(number), list, 0, out)?;
                write!(out, "children:")?;
                let mut entry = list.head;
                while entry != EntryIndex::NONE {
                    write!(out, "{{entry:{}}}", entry.0)?;
                    entry = state.entries.get(entry).next;
                }
                writeln!(out)
            }
            None => writeln!(out, "path list {number} invalid"),
        }
    }

    /// `show fib source [prio]`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn show_sources(&self, by_priority: bool, out: Out<'_>) -> fmt::Result {
        Source::all(by_priority)
            .into_iter()
            .try_for_each(|source| writeln!(out, "{}", source.line()))
    }
}

fn show_summary(table: &Table, out: Out<'_>) -> fmt::Result {
    let center = crate::ip::cli::format::center;
    writeln!(
        out,
        "{}{}",
        center("Prefix length", 20),
        center("Count", 16)
    )?;
    for (len, &count) in table
        .routes()
        .counts()
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        writeln!(out, "{len:20}{count:16}")?;
    }
    Ok(())
}
