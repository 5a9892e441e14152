//! Interface names outside the table: in the statistics segment, and for texts made on other threads.

use super::{Combined, InterfaceCounters, InterfaceEvent, Interfaces, Simple, SwIfIndex};
use arc_swap::ArcSwap;
use barrow_stats::{EntryError, EntryKey, NameVector, Segment};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `/if/names` says in the place of an interface that is gone.
const DELETED: &str = "deleted";

/// Names by index, for threads other than main; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct InterfaceNames(Arc<ArcSwap<Vec<Option<Box<str>>>>>);

impl InterfaceNames {
    /// The name of an interface; its number where it has none.
    #[must_use]
    pub fn get(&self, index: u32) -> String {
        match self.0.load().get(index as usize) {
            Some(Some(name)) => name.to_string(),
            _ => format!("sw_if_index {index}"),
        }
    }

    fn set(&self, index: SwIfIndex, name: Option<&str>) {
        let mut names = Vec::clone(&self.0.load());
        if names.len() <= index.slot() {
            names.resize(index.slot() + 1, None);
        }
        names[index.slot()] = name.map(Into::into);
        self.0.store(Arc::new(names));
    }
}

/// `/if/names` and `/interfaces/NAME/COUNTER`, kept as the table is.
pub(super) struct Published {
    segment: Segment,
    names: NameVector,
    counters: InterfaceCounters,
    links: RefCell<BTreeMap<SwIfIndex, Vec<EntryKey>>>,
    shared: InterfaceNames,
}

impl Published {
    pub(super) fn new(
        segment: &Segment,
        counters: InterfaceCounters,
        shared: InterfaceNames,
    ) -> Result<Self, EntryError> {
        let names = segment.names("/if/names")?;
        Ok(Self {
            segment: segment.clone(),
            names,
            counters,
            links: RefCell::default(),
            shared,
        })
    }

    /// Follows a change, before whoever made it gets an answer.
    pub(super) fn follow(
        &self,
        interfaces: &Interfaces,
        event: InterfaceEvent,
    ) -> Result<(), EntryError> {
        let index = event.index();
        match event {
            InterfaceEvent::Created(_) | InterfaceEvent::Name(_) => {
                let name = interfaces.name(index).unwrap_or_default();
                let _window = self.segment.window();
                self.unlink(index)?;
                self.shared.set(index, Some(&name));
                self.names.set(index.0, &name)?;
                self.link(index, &name.replace('/', "_"))
            }
            InterfaceEvent::Deleted(_) => {
                let _window = self.segment.window();
                self.unlink(index)?;
                self.shared.set(index, None);
                self.names.set(index.0, DELETED)
            }
            _ => Ok(()),
        }
    }

    fn link(&self, index: SwIfIndex, name: &str) -> Result<(), EntryError> {
        let simple = Simple::ALL.map(|which| (which.name(), self.counters.simple(which).key()));
        let combined =
            Combined::ALL.map(|which| (which.name(), self.counters.combined(which).key()));
        let mut keys = Vec::with_capacity(simple.len() + combined.len());
        for (counter, target) in simple.into_iter().chain(combined) {
            keys.push(self.segment.symlink(
                &format!("/interfaces/{name}/{counter}"),
                target,
                index.0,
            )?);
        }
        self.links.borrow_mut().insert(index, keys);
        Ok(())
    }

    fn unlink(&self, index: SwIfIndex) -> Result<(), EntryError> {
        let keys = self.links.borrow_mut().remove(&index);
        keys.into_iter()
            .flatten()
            .try_for_each(|key| self.segment.remove(key))
    }
}
