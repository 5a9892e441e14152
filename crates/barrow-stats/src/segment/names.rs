//! Strings by index.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::allocator::{Age, Allocator, Fill};
use super::core::{Core, Purpose, Vector};
use super::directory::printable;
use super::window::Window;
use super::{EntryError, EntryKey};
use crate::layout::WORD;

/// Longest string, in bytes; longer ones are cut.
const STRING_LIMIT: usize = 1023;

/// A vector of pointers to strings, and the strings.
pub(super) struct NameSlots {
    pointer: u64,
    limit: u32,
    length: Cell<u32>,
    /// Gone once the entry is removed.
    vectors: RefCell<Option<Vectors>>,
}

struct Vectors {
    outer: Vector,
    strings: Vec<Option<(Box<str>, Vector)>>,
}

impl fmt::Debug for NameSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameSlots")
            .field("length", &self.length.get())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl NameSlots {
    pub(super) fn reserve(core: &Core, limit: u32) -> Result<Rc<Self>, EntryError> {
        if limit == 0 {
            return Err(EntryError::Shape("a name vector needs an index"));
        }
        let outer = core.vector(Purpose::Row, u64::from(limit) * WORD, Fill::Grows)?;
        Ok(Rc::new(Self {
            pointer: outer.pointer(),
            limit,
            length: Cell::new(0),
            vectors: RefCell::new(Some(Vectors {
                outer,
                strings: Vec::new(),
            })),
        }))
    }

    pub(super) fn pointer(&self) -> u64 {
        self.pointer
    }

    pub(super) fn retire(&self, allocator: &mut Allocator, age: Age) {
        if let Some(vectors) = self.vectors.take() {
            allocator.retire(vectors.outer.extent, None, age);
            for (_, string) in vectors.strings.into_iter().flatten() {
                allocator.retire(string.extent, None, age);
            }
        }
    }
}

/// Strings by index, such as interface names by `sw_if_index`. A cheap handle; clones are the same names.
#[derive(Clone)]
pub struct NameVector {
    core: Rc<Core>,
    slots: Rc<NameSlots>,
    key: EntryKey,
}

impl NameVector {
    /// Indices by default.
    pub const DEFAULT_LIMIT: u32 = super::Shape::DEFAULT_LIMIT;

    pub(super) fn new(core: &Rc<Core>, slots: Rc<NameSlots>, key: EntryKey) -> Self {
        Self {
            core: Rc::clone(core),
            slots,
            key,
        }
    }

    /// The entry.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        self.key
    }

    /// Number of indices that readers see.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.slots.length.get()
    }

    /// Whether nothing was ever set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string at `index`.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Box<str>> {
        let vectors = self.slots.vectors.borrow();
        let slot = vectors.as_ref()?.strings.get(index as usize)?;
        slot.as_ref().map(|(text, _)| text.clone())
    }

    /// Sets the string at `index`. Printable ASCII; other characters become `?`, more than 1023 are cut.
    ///
    /// # Errors
    /// [`EntryError::Limit`], [`EntryError::Memory`], [`EntryError::AddressSpace`], [`EntryError::Removed`].
    pub fn set(&self, index: u32, text: &str) -> Result<(), EntryError> {
        if index >= self.slots.limit {
            return Err(EntryError::Limit {
                index,
                limit: self.slots.limit,
            });
        }
        let mut vectors = self.slots.vectors.borrow_mut();
        let vectors = vectors.as_mut().ok_or(EntryError::Removed)?;
        let text = printable(text, STRING_LIMIT);
        if let Some(Some((old, _))) = vectors.strings.get(index as usize)
            && **old == *text
        {
            return Ok(());
        }
        let end = vectors.outer.data + u64::from(index + 1) * WORD;
        self.core.commit(&mut vectors.outer.extent, end)?;
        let bytes = text.len() + 1;
        let string = self
            .core
            .vector(Purpose::String, bytes as u64, Fill::Whole)?;
        self.core.memory.store_bytes(string.data, text.as_bytes());
        string.set_length(&self.core.memory, u32::try_from(bytes).expect("cut above"));

        let _window = Window::open(&self.core);
        if vectors.strings.len() <= index as usize {
            vectors.strings.resize_with(index as usize + 1, || None);
        }
        self.point(vectors, index, Some((text.into(), string)));
        if index >= self.slots.length.get() {
            vectors.outer.set_length(&self.core.memory, index + 1);
            self.slots.length.set(index + 1);
        }
        Ok(())
    }

    /// Takes the string at `index` away. Some readers leave such indices out, and shift those above; VPP sets
    /// `deleted` instead where positions matter.
    pub fn clear(&self, index: u32) {
        let mut vectors = self.slots.vectors.borrow_mut();
        if let Some(vectors) = vectors.as_mut()
            && matches!(vectors.strings.get(index as usize), Some(Some(_)))
        {
            let _window = Window::open(&self.core);
            self.point(vectors, index, None);
        }
    }

    /// Switches one pointer, inside the caller's window.
    fn point(&self, vectors: &mut Vectors, index: u32, string: Option<(Box<str>, Vector)>) {
        self.core.epoch.change(&self.core.memory);
        let pointer = string.as_ref().map_or(0, |(_, vector)| vector.pointer());
        let word = self
            .core
            .memory
            .word(vectors.outer.data + u64::from(index) * WORD);
        word.store(pointer, Ordering::Release);
        let old = std::mem::replace(&mut vectors.strings[index as usize], string);
        if let Some((_, old)) = old {
            self.core.retire(old.extent, None);
        }
    }
}

impl fmt::Debug for NameVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameVector")
            .field("key", &self.key)
            .field("slots", &self.slots)
            .finish()
    }
}
