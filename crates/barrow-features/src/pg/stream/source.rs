//! Where a stream's packets come from.

use crate::pcap::PcapPackets;
use crate::pg::definition::{Program, Random, Writer};
use std::sync::Arc;

/// What a stream sends.
#[derive(Clone, Debug)]
pub enum Source {
    /// Packets made by a program.
    Program(Arc<Program>),
    /// The packets of a file, over and over.
    Replay(Arc<PcapPackets>),
}

impl Source {
    /// Lengths of the shortest and the longest packet.
    #[must_use]
    pub fn lengths(&self) -> (u32, u32) {
        match self {
            Self::Program(program) => (program.sizes().min, program.sizes().max),
            Self::Replay(packets) => {
                let (shortest, longest) = packets.lengths();
                (shortest as u32, longest as u32)
            }
        }
    }

    /// Before the first packet; random values follow from `seed`.
    pub(super) fn start(&self, seed: &str) -> Cursor {
        match self {
            Self::Program(program) => {
                Cursor::Program(Writer::new(program.clone(), Random::named(seed)))
            }
            Self::Replay(packets) => Cursor::Replay {
                packets: packets.clone(),
                next: 0,
            },
        }
    }
}

/// How far a run has got in its source.
#[derive(Clone, Debug)]
pub(super) enum Cursor {
    Program(Writer),
    Replay {
        packets: Arc<PcapPackets>,
        next: usize,
    },
}

impl Cursor {
    /// The packet that is due.
    #[inline]
    pub(super) fn packet(&self) -> &[u8] {
        match self {
            Self::Program(writer) => writer.packet(),
            Self::Replay { packets, next } => packets.get(*next),
        }
    }

    /// Goes on to the next.
    #[inline]
    pub(super) fn advance(&mut self) {
        match self {
            Self::Program(writer) => writer.advance(),
            Self::Replay { packets, next } => {
                *next += 1;
                if *next == packets.len() {
                    *next = 0;
                }
            }
        }
    }
}
