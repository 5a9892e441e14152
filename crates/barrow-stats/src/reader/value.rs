//! Values of entries, kind by kind.

use super::vector::{Space, Vector};
use super::{Limits, ReadError, Ring};
use crate::Combined;
use crate::layout::{ENTRY_BYTES, EntryKind, WORD, unpack};

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, such as a time stamp.
    Scalar(u64),
    /// A level.
    Gauge(u64),
    /// Counters by thread and index. For a link to a column, one a thread.
    Simple(Vec<Vec<u64>>),
    /// Counters of packets and bytes by thread and index. For a link to a column, one a thread.
    Combined(Vec<Vec<Combined>>),
    /// Strings by index; none where nothing was set.
    Names(Vec<Option<String>>),
    /// Histograms by thread.
    Histogram(Vec<Histogram>),
    /// Rings.
    Ring(Ring),
    /// A free place in the directory.
    Empty,
    /// A kind this reader does not know: its number and its word.
    Unknown(u32, u64),
}

/// One thread's histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bin 0 counts values up to 2 to the power of this; each further bin has twice the bound.
    pub min_exp: u64,
    /// The counts.
    pub bins: Vec<u64>,
}

/// Decodes entries in one attempt.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) space: Space<'a>,
    pub(super) directory: Vector,
    pub(super) limits: &'a Limits,
}

/// Which columns are wanted.
#[derive(Clone, Copy)]
enum Columns {
    All,
    One(u32),
}

/// What one value may still copy.
struct Allowance(u64);

impl Allowance {
    fn take(&mut self, count: u64, size: u64) -> Result<(), ReadError> {
        let left = count
            .checked_mul(size)
            .and_then(|bytes| self.0.checked_sub(bytes));
        self.0 = left.ok_or(ReadError::TooMuch("bytes in one entry"))?;
        Ok(())
    }
}

impl Decoder<'_> {
    /// The value of the entry at `index`, following a link.
    pub(super) fn entry(&self, index: u32) -> Result<Value, ReadError> {
        let (kind, value) = self.head(index)?;
        if EntryKind::from_number(kind) != Some(EntryKind::Symlink) {
            return self.value(kind, value, Columns::All);
        }
        let (target, column) = unpack(value);
        if target >= self.directory.length {
            return Err(ReadError::Corrupt("a link that leaves the directory"));
        }
        let (kind, value) = self.head(target)?;
        self.value(kind, value, Columns::One(column))
    }

    /// Number of the kind, and the value word.
    fn head(&self, index: u32) -> Result<(u32, u64), ReadError> {
        let offset = self.directory.data + u64::from(index) * ENTRY_BYTES;
        let (kind, _) = unpack(self.space.word(offset)?);
        Ok((kind, self.space.word(offset + WORD)?))
    }

    fn value(&self, kind: u32, value: u64, columns: Columns) -> Result<Value, ReadError> {
        let Some(known) = EntryKind::from_number(kind) else {
            return Ok(Value::Unknown(kind, value));
        };
        Ok(match known {
            EntryKind::Scalar => Value::Scalar(value),
            EntryKind::Gauge => Value::Gauge(value),
            EntryKind::Simple => Value::Simple(self.rows(value, columns, |[word]: [u64; 1]| word)?),
            EntryKind::Combined => {
                let combined = |[packets, bytes]: [u64; 2]| Combined { packets, bytes };
                Value::Combined(self.rows(value, columns, combined)?)
            }
            EntryKind::Names => Value::Names(self.names(value, columns)?),
            EntryKind::Empty => Value::Empty,
            EntryKind::Symlink => return Err(ReadError::Corrupt("a link to a link")),
            EntryKind::Histogram => {
                let rows = self.rows(value, columns, |[word]: [u64; 1]| word)?;
                Value::Histogram(rows.into_iter().map(histogram).collect())
            }
            EntryKind::Ring if value == 0 => Value::Ring(Ring::default()),
            EntryKind::Ring => Value::Ring(Ring::read(self.space, value, self.limits)?),
        })
    }

    /// Rows of elements of `W` words. A null pointer is no rows, or an empty row: VPP has such for a moment.
    fn rows<const W: usize, T>(
        &self,
        pointer: u64,
        columns: Columns,
        element: impl Fn([u64; W]) -> T,
    ) -> Result<Vec<Vec<T>>, ReadError> {
        let mut allowance = Allowance(self.limits.value_bytes);
        let size = W as u64 * WORD;
        let rows = self.pointers(pointer)?;
        rows.map(|pointer| {
            if pointer == 0 {
                return Ok(Vec::new());
            }
            let Vector { data, length } = self.space.vector(pointer, size)?;
            let (first, count) = match columns {
                Columns::All => (0, u64::from(length)),
                Columns::One(column) if column < length => (u64::from(column), 1),
                Columns::One(_) => return Err(ReadError::Corrupt("a link to no column")),
            };
            allowance.take(count, size)?;
            let mut words = self.space.words(data + first * size, count * W as u64)?;
            let mut row = Vec::with_capacity(words.len() / W);
            while let Some(word) = words.next() {
                let mut whole = [word; W];
                for (to, word) in whole[1..].iter_mut().zip(&mut words) {
                    *to = word;
                }
                row.push(element(whole));
            }
            Ok(row)
        })
        .collect()
    }

    fn names(&self, pointer: u64, columns: Columns) -> Result<Vec<Option<String>>, ReadError> {
        let mut allowance = Allowance(self.limits.value_bytes);
        if pointer == 0 {
            return Ok(Vec::new());
        }
        let Vector { data, length } = self.space.vector(pointer, WORD)?;
        let (first, count) = match columns {
            Columns::All => (0, u64::from(length)),
            Columns::One(column) if column < length => (u64::from(column), 1),
            Columns::One(_) => return Err(ReadError::Corrupt("a link to no column")),
        };
        allowance.take(count, size_of::<Option<String>>() as u64)?;
        let pointers = self.space.words(data + first * WORD, count)?;
        pointers
            .map(|pointer| {
                if pointer == 0 {
                    return Ok(None);
                }
                let Vector { data, length } = self.space.vector(pointer, 1)?;
                allowance.take(u64::from(length), 1)?;
                let mut bytes = self.space.bytes(data, u64::from(length))?;
                let end = bytes
                    .iter()
                    .position(|byte| *byte == 0)
                    .unwrap_or(bytes.len());
                bytes.truncate(end);
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            })
            .collect()
    }

    /// The pointers of an outer vector.
    fn pointers(&self, pointer: u64) -> Result<impl Iterator<Item = u64>, ReadError> {
        let rows = match pointer {
            0 => Vector { data: 0, length: 0 },
            _ => self.space.vector(pointer, WORD)?,
        };
        if rows.length > self.limits.rows {
            return Err(ReadError::TooMuch("rows in one entry"));
        }
        self.space.words(rows.data, u64::from(rows.length))
    }
}

fn histogram(row: Vec<u64>) -> Histogram {
    let mut words = row.into_iter();
    match words.next() {
        Some(min_exp) => Histogram {
            min_exp,
            bins: words.collect(),
        },
        None => Histogram::default(),
    }
}
