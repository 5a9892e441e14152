//! What makes packets.

use super::edit::{Edit, Progress};
use super::fixup::Fixup;
use super::{DefinitionError, Random};
use crate::pcap::MAX_PACKET;
use std::sync::Arc;

/// How long packets are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Bytes of the shortest.
    pub min: u32,
    /// Bytes of the longest.
    pub max: u32,
    /// In random order, instead of growing from the shortest to the longest and again.
    pub random: bool,
}

impl Sizes {
    /// Whether packets can have these sizes.
    ///
    /// # Errors
    /// [`Sizes`](DefinitionError::Sizes), [`PacketTooLong`](DefinitionError::PacketTooLong).
    pub fn check(self) -> Result<(), DefinitionError> {
        if self.max < self.min {
            return Err(DefinitionError::Sizes);
        }
        if self.max as usize > MAX_PACKET {
            return Err(DefinitionError::PacketTooLong);
        }
        Ok(())
    }
}

/// One header of a definition, or its payload, for listings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// Where it begins.
    pub offset: usize,
    /// Its bytes.
    pub len: usize,
    /// What computes its lengths and checksums, in VPP's words.
    pub edit_function: Option<&'static str>,
}

/// What a stream's packets look like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// The longest packet, before any edit; with its computed fields if nothing ever changes.
    template: Vec<u8>,
    edits: Vec<Edit>,
    fixups: Vec<Fixup>,
    sizes: Sizes,
    layers: Vec<Layer>,
}

impl Program {
    pub(super) fn new(
        mut template: Vec<u8>,
        edits: Vec<Edit>,
        mut fixups: Vec<Fixup>,
        sizes: Sizes,
        layers: Vec<Layer>,
    ) -> Self {
        if edits.is_empty() && sizes.min == sizes.max {
            fixups
                .drain(..)
                .for_each(|fixup| fixup.apply(&mut template));
        }
        Self {
            template,
            edits,
            fixups,
            sizes,
            layers,
        }
    }

    /// How long its packets are.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Its headers and its payload.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Whether all packets are equal.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.edits.is_empty() && self.sizes.min == self.sizes.max
    }
}

/// Goes through a program, packet by packet.
#[derive(Clone, Debug)]
pub struct Writer {
    program: Arc<Program>,
    /// The packet; beyond its end, what longer ones have there.
    packet: Vec<u8>,
    len: usize,
    progress: Vec<Progress>,
    random: Random,
    size: u32,
    constant: bool,
}

impl Writer {
    /// Before the first packet.
    #[must_use]
    pub fn new(program: Arc<Program>, random: Random) -> Self {
        let mut writer = Self {
            packet: program.template.clone(),
            len: 0,
            progress: program.edits.iter().map(Edit::progress).collect(),
            random,
            size: program.sizes.min,
            constant: program.is_constant(),
            program,
        };
        writer.write();
        writer
    }

    /// The packet that is due.
    #[inline]
    #[must_use]
    pub fn packet(&self) -> &[u8] {
        &self.packet[..self.len]
    }

    /// Goes on to the next packet.
    #[inline]
    pub fn advance(&mut self) {
        if !self.constant {
            self.step();
        }
    }

    fn step(&mut self) {
        for (edit, progress) in self.program.edits.iter().zip(&mut self.progress) {
            edit.advance(progress);
        }
        let Sizes { min, max, .. } = self.program.sizes;
        self.size = if self.size >= max { min } else { self.size + 1 };
        self.write();
    }

    fn write(&mut self) {
        let Sizes { min, max, random } = self.program.sizes;
        let size = match random {
            true => self.random.between(min.into(), max.into()) as usize,
            false => self.size as usize,
        };
        self.len = size.min(self.packet.len());
        let packet = &mut self.packet[..self.len];
        for (edit, progress) in self.program.edits.iter().zip(&self.progress) {
            edit.apply(progress, &mut self.random, packet);
        }
        self.program
            .fixups
            .iter()
            .for_each(|fixup| fixup.apply(packet));
    }
}
