//! What the sources of a route say.

use super::entry::EntryIndex;
use super::path_list::ListIndex;
use super::source::Behaviour;
use super::{EntryFlags, PathSpec, Source};
use smallvec::SmallVec;

/// One source's say in a route.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) source: Source,
    pub(super) flags: EntryFlags,
    /// What it forwards by; holds a lock on the list. `None`: it does not want to forward now.
    pub(super) list: Option<ListIndex>,
    /// How many asked for it: recursive paths through this route.
    pub(super) refs: u32,
    /// Marked by `ip_table_replace_begin` and not refreshed since.
    pub(super) stale: bool,
    /// Neighbours: the paths on all links, of which `list` has those that the covering route allows.
    pub(super) paths: SmallVec<[PathSpec; 1]>,
}

impl Record {
    /// A source that forwards by a list.
    pub(super) fn new(source: Source, flags: EntryFlags, list: Option<ListIndex>) -> Self {
        Self {
            source,
            flags,
            list,
            refs: 1,
            stale: false,
            paths: SmallVec::new(),
        }
    }

    /// Whether its forwarding depends on the covering route.
    pub(super) fn follows_cover(&self) -> bool {
        matches!(
            self.source.behaviour(),
            Behaviour::Recursive | Behaviour::Adjacency
        )
    }

    /// Whether the entry's own fields can hold it.
    pub(super) fn is_plain(&self) -> bool {
        self.list.is_some() && self.refs == 1 && self.paths.is_empty() && !self.follows_cover()
    }
}

/// The sources of a route that needs more than its record.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By priority, the best first.
    pub(super) records: SmallVec<[Record; 2]>,
    /// The covering route, as long as a source follows it.
    pub(super) cover: Option<EntryIndex>,
}
