//! Attaching, the epoch protocol, and the directory.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::Duration;

use rustix::fs::{self, SealFlags};

use super::value::Decoder;
use super::vector::{Space, Vector};
use super::{AttachError, ReadError, Value};
use crate::layout::{ENTRY_BYTES, EntryKind, HEADER_BYTES, NAME_BYTES, VERSION, WORD, header};
use crate::segment::View;
use crate::socket;

/// How much a reader is ready to copy, and how long to try.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Entries in the directory.
    pub entries: u32,
    /// Rows of an entry.
    pub rows: u32,
    /// Bytes of one entry's values.
    pub value_bytes: u64,
    /// Attempts before [`ReadError::Busy`].
    pub attempts: u32,
    /// Looks at `in_progress` in each attempt, [`Limits::PAUSE`] apart.
    pub looks: u32,
}

impl Limits {
    /// Time between two looks at `in_progress`.
    pub const PAUSE: Duration = Duration::from_micros(10);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1 << 23,
            rows: 4096,
            value_bytes: 4 << 30,
            attempts: 100,
            looks: 10_000,
        }
    }
}

/// An entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index, valid while the epoch is the one it was listed at.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it is; none for a number that is not known.
    pub kind: Option<EntryKind>,
}

/// A reader of one segment.
///
/// A node that restarts has another segment: when [`heartbeat`](Self::heartbeat) stands still for some update
/// intervals (10 s each by default), attach again.
pub struct Reader {
    view: View,
    limits: Limits,
    /// Where names stood at that epoch.
    names: HashMap<String, u32>,
    names_epoch: u64,
}

impl Reader {
    /// Attaches the segment of the node whose statistics socket is at `path`, which has `patience` to answer.
    ///
    /// # Errors
    /// When the socket or the segment is not what it should be.
    pub fn connect(path: &Path, patience: Duration) -> Result<Self, AttachError> {
        Self::map(socket::receive_descriptor(path, patience)?)
    }

    /// Attaches the segment in the file `descriptor`, which may be closed afterwards.
    ///
    /// # Errors
    /// When the file cannot be mapped, might shrink, or holds another layout.
    pub fn map(descriptor: impl AsFd) -> Result<Self, AttachError> {
        let seals = fs::fcntl_get_seals(&descriptor).unwrap_or(SealFlags::empty());
        if !seals.contains(SealFlags::SHRINK) {
            return Err(AttachError::NotSealed);
        }
        let stat = fs::fstat(&descriptor).map_err(std::io::Error::from)?;
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        if bytes < HEADER_BYTES {
            return Err(AttachError::TooSmall { bytes });
        }
        Self::over(View::map(descriptor, bytes)?)
    }

    /// Attaches a copy of a segment, for example one that was saved.
    ///
    /// # Errors
    /// When it holds no header, or another layout.
    pub fn copied(bytes: &[u8]) -> Result<Self, AttachError> {
        if (bytes.len() as u64) < HEADER_BYTES {
            return Err(AttachError::TooSmall {
                bytes: bytes.len() as u64,
            });
        }
        Self::over(View::copied(bytes))
    }

    fn over(view: View) -> Result<Self, AttachError> {
        let word = |index: u64| view.load(index * WORD).unwrap_or(0);
        match word(header::VERSION) {
            VERSION => {}
            other => return Err(AttachError::Version(other)),
        }
        let space = Space::new(&view);
        if space
            .offset(word(header::EARLY_ERROR_VECTOR))
            .is_ok_and(|at| at >= HEADER_BYTES)
        {
            return Err(AttachError::EarlyVersion2);
        }
        let limits = Limits::default();
        Ok(Self {
            view,
            limits,
            names: HashMap::new(),
            names_epoch: 0,
        })
    }

    /// Reads within `limits` instead of the default ones.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The present epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.header(header::EPOCH)
    }

    /// The heartbeat: directory index 0, from 22.06 on.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn heartbeat(&self) -> Result<u64, ReadError> {
        self.attempt(|space| {
            let directory = self.directory(space)?;
            match directory.length {
                0 => Err(ReadError::Corrupt("a directory without entries")),
                _ => space.word(directory.data + WORD),
            }
        })
    }

    /// All entries that have a name, in the order of the directory.
    ///
    /// # Errors
    /// [`ReadError::Busy`], or what is wrong with the segment.
    pub fn list(&self) -> Result<Vec<Entry>, ReadError> {
        self.attempt(|space| {
            let directory = self.directory(space)?;
            let entries = (0..directory.length).map(|index| entry(space, directory, index));
            entries
                .filter(|entry| !entry.as_ref().is_ok_and(|e| e.name.is_empty()))
                .collect()
        })
    }

    /// The value of the entry `name`; none when there is no such entry.
    ///
    /// # Errors
    /// [`ReadError::Busy`], or what is wrong with the segment or the entry.
    pub fn get(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        if self.names_epoch == self.epoch()
            && let Some(&index) = self.names.get(name)
            && let Some(value) = self.value_at(index, name)?
        {
            return Ok(Some(value));
        }
        // Links may appear without a new epoch, so a name that is not known is looked for again.
        for _ in 0..self.limits.attempts {
            self.learn_names()?;
            let Some(&index) = self.names.get(name) else {
                return Ok(None);
            };
            if let Some(value) = self.value_at(index, name)? {
                return Ok(Some(value));
            }
        }
        Err(ReadError::Busy)
    }

    /// The entries whose name `select` accepts, with their values, which are read one by one as the iterator goes on.
    /// What is removed meanwhile is left out; an entry that cannot be read comes with its error.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn dump(
        &self,
        mut select: impl FnMut(&str) -> bool,
    ) -> Result<impl Iterator<Item = (Entry, Result<Value, ReadError>)>, ReadError> {
        let entries = self.list()?;
        let selected = entries.into_iter().filter(move |entry| select(&entry.name));
        Ok(selected.filter_map(|entry| {
            let value = self.value_at(entry.index, &entry.name).transpose()?;
            Some((entry, value))
        }))
    }

    /// The value at `index` if the entry there is called `name`.
    fn value_at(&self, index: u32, name: &str) -> Result<Option<Value>, ReadError> {
        self.attempt(|space| {
            let directory = self.directory(space)?;
            if index >= directory.length || entry(space, directory, index)?.name != name {
                return Ok(None);
            }
            let decoder = Decoder {
                space,
                directory,
                limits: &self.limits,
            };
            decoder.entry(index).map(Some)
        })
    }

    fn learn_names(&mut self) -> Result<(), ReadError> {
        let epoch = self.epoch();
        let entries = self.list()?;
        self.names = entries
            .into_iter()
            .map(|entry| (entry.name, entry.index))
            .collect();
        self.names_epoch = epoch;
        Ok(())
    }

    fn directory(&self, space: Space<'_>) -> Result<Vector, ReadError> {
        let directory = space.vector(space.word(header::DIRECTORY * WORD)?, ENTRY_BYTES)?;
        match directory.length <= self.limits.entries {
            true => Ok(directory),
            false => Err(ReadError::TooMuch("directory entries")),
        }
    }

    /// Runs `read` until the epoch stays the same around it.
    fn attempt<T>(&self, read: impl Fn(Space<'_>) -> Result<T, ReadError>) -> Result<T, ReadError> {
        for _ in 0..self.limits.attempts {
            let Some(epoch) = self.begin() else {
                return Err(ReadError::Busy);
            };
            let result = read(Space::new(&self.view));
            if self.unchanged(epoch) {
                return result;
            }
        }
        Err(ReadError::Busy)
    }

    /// The epoch, once no change is in progress.
    fn begin(&self) -> Option<u64> {
        for look in 0..self.limits.looks {
            if self.header(header::IN_PROGRESS) == 0 {
                fence(Ordering::Acquire);
                let epoch = self.header(header::EPOCH);
                fence(Ordering::Acquire);
                return Some(epoch);
            }
            match look {
                0..16 => std::hint::spin_loop(),
                _ => thread::sleep(Limits::PAUSE),
            }
        }
        None
    }

    fn unchanged(&self, epoch: u64) -> bool {
        fence(Ordering::Acquire);
        self.header(header::EPOCH) == epoch && self.header(header::IN_PROGRESS) == 0
    }

    fn header(&self, index: u64) -> u64 {
        self.view.load(index * WORD).unwrap_or(0)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("epoch", &self.epoch())
            .field("view", &self.view)
            .finish()
    }
}

/// The entry at `index`, which is below the directory's length.
fn entry(space: Space<'_>, directory: Vector, index: u32) -> Result<Entry, ReadError> {
    let offset = directory.data + u64::from(index) * ENTRY_BYTES;
    let (number, _) = crate::layout::unpack(space.word(offset)?);
    let name = space.words(offset + 2 * WORD, NAME_BYTES as u64 / WORD)?;
    let mut bytes = [0; NAME_BYTES];
    for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(name) {
        *to = word.to_ne_bytes();
    }
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_BYTES);
    let name = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Ok(Entry {
        index,
        name,
        kind: EntryKind::from_number(number),
    })
}
