//! The lines a session remembers.

use std::collections::VecDeque;

/// The lines of one session, oldest first. Neither empty lines nor repeats of the last one are kept.
#[derive(Debug, Clone)]
pub struct History {
    enabled: bool,
    limit: usize,
    lines: VecDeque<Box<[u8]>>,
    /// Lines ever stored, for their numbers.
    stored: usize,
}

impl History {
    /// Remembers `limit` lines.
    pub fn new(limit: usize) -> Self {
        Self {
            enabled: true,
            limit,
            lines: VecDeque::new(),
            stored: 0,
        }
    }

    /// Whether lines are stored and may be fetched again.
    pub fn is_active(&self) -> bool {
        self.enabled && self.limit > 0
    }

    /// Whether it is switched on; with a limit of 0 it still stores nothing.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The number of lines kept at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Switches it on or off; off forgets.
    pub fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
        self.shrink();
    }

    /// Changes the number of lines kept at most.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.shrink();
    }

    /// The lines with their numbers, counted from 1 since the session began.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let first = 1 + self.stored - self.lines.len();
        self.lines
            .iter()
            .enumerate()
            .map(move |(at, line)| (first + at, &**line))
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        self.lines.get(at).map(|line| &**line)
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        let repeated = self.lines.back().is_some_and(|last| **last == *line);
        if !self.is_active() || line.is_empty() || repeated {
            return;
        }
        self.lines.push_back(line.into());
        self.stored += 1;
        self.shrink();
    }

    fn shrink(&mut self) {
        let keep = if self.enabled { self.limit } else { 0 };
        let surplus = self.lines.len().saturating_sub(keep);
        self.lines.drain(..surplus);
    }
}
