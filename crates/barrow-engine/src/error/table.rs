//! Who owns which counter.

use barrow_core::{CounterDescription, Severity};
use barrow_stats::{EntryError, EntryKey, Segment, Shape, SimpleCounters, SimpleRow};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

/// Counters a node of all kinds together can have: numbers fit a packet's header.
const MOST: usize = u16::MAX as usize;

/// Why a node's counters could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ErrorTableError {
    /// All numbers are in use.
    #[error("no numbers left for {0} error counters")]
    Full(usize),
    /// The statistics segment refused.
    #[error("statistics segment: {0}")]
    Segment(#[from] EntryError),
}

/// The texts of all counters by number, for trace records of any thread.
#[derive(Clone, Default)]
pub(crate) struct ErrorTexts(Arc<RwLock<Vec<String>>>);

impl ErrorTexts {
    /// `NODE: DESCRIPTION`.
    pub(crate) fn get(&self, error: u16) -> String {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        texts.get(usize::from(error)).cloned().unwrap_or_default()
    }

    fn set(&self, error: usize, text: String) {
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if texts.len() <= error {
            texts.resize(error + 1, String::new());
        }
        texts[error] = text;
    }
}

impl fmt::Debug for ErrorTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorTexts")
    }
}

#[derive(Debug)]
struct Owned {
    node: Rc<str>,
    description: CounterDescription,
    link: EntryKey,
}

struct Inner {
    segment: Segment,
    counters: SimpleCounters,
    owned: Vec<Option<Owned>>,
    /// Free ranges by length.
    free: BTreeMap<usize, Vec<u16>>,
    texts: ErrorTexts,
}

/// All error counters; a cheap handle of the main thread.
#[derive(Clone)]
pub struct ErrorTable(Rc<RefCell<Inner>>);

/// One counter, for listings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorCount {
    /// Its number.
    pub index: u16,
    /// The node that owns it.
    pub node: Rc<str>,
    /// Its name, as in `/err/NODE/NAME`.
    pub name: &'static str,
    /// What it counts, in words.
    pub description: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Its value on each thread.
    pub by_thread: Vec<u64>,
}

impl ErrorCount {
    /// The sum over all threads.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_thread.iter().fold(0, |sum, n| sum.wrapping_add(*n))
    }
}

impl ErrorTable {
    /// Makes `/node/errors`, with a row for each of `threads`.
    pub(crate) fn new(segment: &Segment, threads: usize) -> Result<Self, EntryError> {
        let shape = Shape::rows(threads).limit(MOST as u32);
        let counters = segment.simple("/node/errors", shape)?;
        Ok(Self(Rc::new(RefCell::new(Inner {
            segment: segment.clone(),
            counters,
            owned: Vec::new(),
            free: BTreeMap::new(),
            texts: ErrorTexts::default(),
        }))))
    }

    /// Gives a node its counters, all zero; returns the number of the first.
    pub(crate) fn allocate(
        &self,
        node: &str,
        counters: &'static [CounterDescription],
    ) -> Result<u16, ErrorTableError> {
        let inner = &mut *self.0.borrow_mut();
        let first = inner.range(counters.len())?;
        let node: Rc<str> = node.into();
        let segment = inner.segment.clone();
        let _window = segment.window();
        for (i, description) in counters.iter().enumerate() {
            let index = usize::from(first) + i;
            inner.counters.ensure(index as u32)?;
            inner.counters.clear(index as u32);
            let name = text(description.name);
            let link = format!("/err/{node}/{name}");
            let link = segment.symlink(&link, inner.counters.key(), index as u32)?;
            inner
                .texts
                .set(index, format!("{node}: {}", text(description.description)));
            inner.owned[index] = Some(Owned {
                node: node.clone(),
                description: *description,
                link,
            });
        }
        Ok(first)
    }

    /// Takes `len` counters back; their names are gone at once.
    pub(crate) fn release(&self, first: u16, len: usize) {
        if len == 0 {
            return;
        }
        let inner = &mut *self.0.borrow_mut();
        let segment = inner.segment.clone();
        let _window = segment.window();
        for index in usize::from(first)..usize::from(first) + len {
            if let Some(owned) = inner.owned.get_mut(index).and_then(Option::take) {
                // It can only be gone already, with its target.
                let _ = segment.remove(owned.link);
            }
        }
        inner.free.entry(len).or_default().push(first);
    }

    /// Lets `len` counters be those of a node of another name.
    pub(crate) fn rename(&self, first: u16, len: usize, node: &str) -> Result<(), ErrorTableError> {
        let inner = &mut *self.0.borrow_mut();
        let _window = inner.segment.window();
        let node: Rc<str> = node.into();
        let range = usize::from(first)..usize::from(first) + len;
        for (index, owned) in inner
            .owned
            .iter_mut()
            .enumerate()
            .take(range.end)
            .skip(range.start)
        {
            let Some(owned) = owned else { continue };
            let name = text(owned.description.name);
            inner
                .segment
                .rename(owned.link, &format!("/err/{node}/{name}"))?;
            let description = text(owned.description.description);
            inner.texts.set(index, format!("{node}: {description}"));
            owned.node = node.clone();
        }
        Ok(())
    }

    /// A thread's row.
    pub(crate) fn row(&self, thread: usize) -> Option<SimpleRow> {
        self.0.borrow().counters.row(thread)
    }

    pub(crate) fn texts(&self) -> ErrorTexts {
        self.0.borrow().texts.clone()
    }

    /// Stores the value of a counter that is kept elsewhere (process nodes), in main's row.
    pub(crate) fn store(&self, index: u16, value: u64) {
        self.0.borrow().counters.set(0, index.into(), value);
    }

    /// All counters, by number.
    #[must_use]
    pub fn list(&self) -> Vec<ErrorCount> {
        let inner = self.0.borrow();
        let threads = inner.counters.threads();
        let count = |(index, owned): (usize, &Option<Owned>)| {
            let owned = owned.as_ref()?;
            let value = |thread| inner.counters.value(thread, index as u32);
            Some(ErrorCount {
                index: index as u16,
                node: owned.node.clone(),
                name: text(owned.description.name),
                description: text(owned.description.description),
                severity: owned.description.severity,
                by_thread: (0..threads).map(value).collect(),
            })
        };
        inner.owned.iter().enumerate().filter_map(count).collect()
    }

    /// One counter summed over all threads, by its node and name; `None` if there is none.
    #[must_use]
    pub fn get(&self, node: &str, name: &str) -> Option<u64> {
        let inner = self.0.borrow();
        let is_it = |owned: &Owned| &*owned.node == node && text(owned.description.name) == name;
        let index = inner
            .owned
            .iter()
            .position(|owned| owned.as_ref().is_some_and(is_it))?;
        Some(inner.counters.sum(index as u32))
    }

    /// Zeroes all counters, also while threads count.
    pub fn clear(&self) {
        self.0.borrow().counters.clear_all();
    }
}

impl Inner {
    fn range(&mut self, len: usize) -> Result<u16, ErrorTableError> {
        if len == 0 {
            return Ok(0);
        }
        if let Some(first) = self.free.get_mut(&len).and_then(Vec::pop) {
            return Ok(first);
        }
        let first = self.owned.len();
        if first + len > MOST {
            return Err(ErrorTableError::Full(len));
        }
        self.owned.resize_with(first + len, || None);
        Ok(first as u16)
    }
}

/// Names and descriptions are literals of this program: ASCII, or shown without what is not.
fn text(text: &'static std::ffi::CStr) -> &'static str {
    text.to_str().unwrap_or("?")
}

impl fmt::Debug for ErrorTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorTable({} numbers)", self.0.borrow().owned.len())
    }
}
