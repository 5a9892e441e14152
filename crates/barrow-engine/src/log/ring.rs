//! The latest messages.

use super::Level;
use std::{collections::VecDeque, time::Duration};

/// A message that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was logged, since 1970.
    pub time: Duration,
    /// How grave it is.
    pub level: Level,
    /// `class` or `class/subclass`.
    pub class: String,
    /// What it says.
    pub text: String,
}

/// A ring that forgets its oldest entries.
#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    size: usize,
}

impl Ring {
    pub(super) fn new(size: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            size: size.max(1),
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() == self.size {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.size = size.max(1);
        let surplus = self.entries.len().saturating_sub(self.size);
        self.entries.drain(..surplus);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}
