//! Small values that the main thread sets and data paths read: one word, one load.

use super::{InputMode, NodeId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// What fits a [`Line`].
pub(crate) trait Word: Copy {
    fn to_word(self) -> u16;
    fn from_word(word: u16) -> Self;
}

/// A value that one thread sets and others read whole, at no more cost than plain memory.
///
/// It orders nothing: what has to be in place before the value is seen travels another way (a closure in
/// the reader's mailbox).
pub(crate) struct Line<T>(AtomicU16, PhantomData<T>);

impl<T: Word> Line<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(AtomicU16::new(value.to_word()), PhantomData)
    }

    #[inline]
    pub(crate) fn get(&self) -> T {
        T::from_word(self.0.load(Relaxed))
    }

    pub(crate) fn set(&self, value: T) {
        self.0.store(value.to_word(), Relaxed);
    }
}

impl Word for NodeId {
    fn to_word(self) -> u16 {
        self.raw()
    }

    #[inline]
    fn from_word(word: u16) -> Self {
        Self::from_raw(word)
    }
}

impl Word for InputMode {
    fn to_word(self) -> u16 {
        self as u16
    }

    #[inline]
    fn from_word(word: u16) -> Self {
        [Self::Polling, Self::Interrupt, Self::Adaptive]
            .get(usize::from(word))
            .copied()
            .unwrap_or(Self::Disabled)
    }
}

impl<T: Word + fmt::Debug> fmt::Debug for Line<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_survives_a_line() {
        use InputMode::{Adaptive, Disabled, Interrupt, Polling};
        let line = Line::new(Disabled);
        for mode in [Polling, Interrupt, Adaptive, Disabled] {
            line.set(mode);
            assert_eq!(line.get(), mode);
        }
    }
}
