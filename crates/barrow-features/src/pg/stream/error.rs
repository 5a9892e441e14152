//! Why the packet generator refused.

use crate::interface::InterfaceError;
use crate::pcap::PcapError;
use crate::pg::definition::DefinitionError;
use crate::pg::port::CaptureError;
use barrow_engine::NodeError;
use barrow_engine::cli::CliError;

/// Why the packet generator refused.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The words are not understood.
    #[error("{0}")]
    Words(#[from] CliError),
    /// The packets are not understood.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The packets could not be read.
    #[error(transparent)]
    Pcap(#[from] PcapError),
    /// Neither a definition nor a file is given.
    #[error("no packet data given")]
    NoData,
    /// It is not said which node gets the packets.
    #[error("output interface or node not given")]
    NoTarget,
    /// There is no such node.
    #[error("no node `{0}'")]
    NoSuchNode(String),
    /// There is no such stream.
    #[error("expected stream name `{0}'")]
    NoSuchStream(String),
    /// The size of a replayed packet is not to be changed.
    #[error("packets of a file have the size they have")]
    SizeOfReplay,
    /// The interface could not be had.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// The interface is no packet generator's.
    #[error("Please specify packet-generator interface")]
    NotAPort,
    /// The capture could not begin.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The graph refused.
    #[error(transparent)]
    Node(#[from] NodeError),
}
