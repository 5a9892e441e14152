//! A definition while it is read.

use super::DefinitionError;
use super::edit::{Edit, Place, Value};
use super::fixup::Fixup;
use super::program::{Layer, Program, Sizes};
use crate::pcap::MAX_PACKET;

/// Headers one definition can have.
const MOST_LAYERS: usize = 16;
/// Bytes of a packet whose size is not given.
const DEFAULT_SIZE: usize = 64;

/// What has been read so far: headers at the start of a packet, and maybe its payload.
#[derive(Debug)]
pub(super) struct Draft {
    bytes: Vec<u8>,
    edits: Vec<Edit>,
    fixups: Vec<Fixup>,
    layers: Vec<Layer>,
    sizes: Option<Sizes>,
    /// Bytes without the payload, once that has been read.
    headers: Option<usize>,
}

impl Draft {
    pub(super) fn new(sizes: Option<Sizes>) -> Result<Self, DefinitionError> {
        if let Some(sizes) = sizes {
            sizes.check()?;
        }
        Ok(Self {
            bytes: Vec::new(),
            edits: Vec::new(),
            fixups: Vec::new(),
            layers: Vec::new(),
            sizes,
            headers: None,
        })
    }

    /// Adds a header of `len` zero bytes behind those so far; returns its offset.
    pub(super) fn header(&mut self, len: usize) -> Result<usize, DefinitionError> {
        let at = self.bytes.len();
        if self.layers.len() == MOST_LAYERS || at + len > MAX_PACKET {
            return Err(DefinitionError::TooLong);
        }
        self.bytes.resize(at + len, 0);
        self.layers.push(Layer {
            offset: at,
            len,
            edit_function: None,
        });
        Ok(at)
    }

    /// Makes the last header longer by `len` zero bytes; returns their offset.
    pub(super) fn extend(&mut self, len: usize) -> Result<usize, DefinitionError> {
        let at = self.bytes.len();
        if at + len > MAX_PACKET {
            return Err(DefinitionError::TooLong);
        }
        self.bytes.resize(at + len, 0);
        if let Some(layer) = self.layers.last_mut() {
            layer.len += len;
        }
        Ok(at)
    }

    /// Sets a field.
    pub(super) fn put(&mut self, place: Place, value: Value) {
        match value {
            Value::Fixed(value) => place.write(&mut self.bytes, value),
            value => self.edits.push(Edit { place, value }),
        }
    }

    /// A field that is computed.
    pub(super) fn compute(&mut self, fixup: Fixup) {
        self.fixups.push(fixup);
    }

    /// Whether every packet has the same size.
    pub(super) fn is_one_size(&self) -> bool {
        self.sizes.is_none_or(|sizes| sizes.min == sizes.max)
    }

    /// Whether all fields in these bytes are fixed.
    pub(super) fn is_fixed(&self, bytes: std::ops::Range<usize>) -> bool {
        !self.edits.iter().any(|edit| edit.place.touches(&bytes))
    }

    /// Names what computes the fields of the header at `offset`.
    pub(super) fn set_edit_function(&mut self, offset: usize, name: &'static str) {
        if let Some(layer) = self.layers.iter_mut().find(|layer| layer.offset == offset) {
            layer.edit_function = Some(name);
        }
    }

    /// Fills the rest of the packet with these bytes and zeros.
    pub(super) fn payload(&mut self, payload: &[u8]) -> Result<(), DefinitionError> {
        let headers = self.bytes.len();
        self.headers = Some(headers);
        let size = self.sizes.map_or(DEFAULT_SIZE, |sizes| sizes.max as usize);
        let room = size.saturating_sub(headers);
        let at = self.header(room)?;
        let kept = payload.len().min(room);
        self.bytes[at..at + kept].copy_from_slice(&payload[..kept]);
        Ok(())
    }

    /// The program, once everything has been read.
    pub(super) fn finish(mut self) -> Result<Program, DefinitionError> {
        let headers = self.headers.unwrap_or(self.bytes.len());
        let sizes = match self.sizes {
            Some(sizes) => sizes,
            None => {
                let size = self.bytes.len() as u32;
                Sizes {
                    min: size,
                    max: size,
                    random: false,
                }
            }
        };
        if (sizes.min as usize) < headers || sizes.min == 0 {
            return Err(DefinitionError::HeadersDoNotFit(headers));
        }
        self.bytes.resize(sizes.max as usize, 0);
        self.fixups.sort_by_key(|fixup| fixup.order());
        Ok(Program::new(
            self.bytes,
            self.edits,
            self.fixups,
            sizes,
            self.layers,
        ))
    }
}
