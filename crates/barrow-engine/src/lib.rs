//! The kernel of a packet node: packets, frames, nodes, arcs, counters, trace, and the servers.
//!
//! # The idea
//!
//! Packets travel in vectors through a graph of nodes. Each thread runs its own instances of all nodes in
//! the order of the graph, so that vectors grow before they are spent, and never waits for another one:
//! the main thread publishes changes, workers take them up between two turns.
//!
//! ```text
//!   Feature --register--> EngineBuilder --build--> Engine --run-->
//!                                                    main thread          workers
//!                                                    Control              PacketUnit (graph)
//!                                                    servers, processes   input -> node -> node -> tx
//!                                                    PacketUnit           ^-- mailbox, arcs, rings
//! ```
//!
//! Start reading at [`PacketNode`] and [`PacketContext`] for the data path, at [`Control`] for the control
//! plane, at [`Feature`] for how both come together. The engine knows no packet protocol.
#![deny(unsafe_code)]

extern crate self as barrow_engine;

/// For the derive macros.
#[doc(hidden)]
pub use barrow_core as __core;

mod access;
pub mod api;
mod arc;
mod assembly;
mod builder;
pub mod cli;
mod clock;
mod collector;
mod commands;
pub mod config;
mod context;
mod control;
#[expect(unsafe_code, reason = "processor instructions for vectors of packets")]
mod cpu;
mod disposition;
mod engine;
mod error;
mod feature;
mod frame;
mod fuse;
pub mod log;
mod memory;
mod node;
mod outlet;
mod packet;
mod punt;
mod running_config;
pub mod servers;
mod supervisor;
mod tables;
pub mod testing;
mod trace;
mod watchdog;
mod worker;

pub use access::{Access, AccessRules, AccessSettings, Account, UnknownAccount};
pub use arc::{ArcEntry, ArcError, ArcHandle, ArcInfo, ArcTable, Constraint, OrderError};
pub use assembly::BuildError;
pub use builder::EngineBuilder;
pub use clock::NodeClock;
pub use context::{
    AsInputNode, AsPacketNode, Declares, DispatchContext, InputContext, PacketContext,
};
pub use control::{
    Control, FusedRuntime, NodeRuntime, ProcessInfo, Rates, ThreadRuntime, Unavailable, Watch,
};
pub use engine::{Builder, Engine};
pub use error::{ErrorCount, ErrorTable, ErrorTableError};
pub use feature::{About, Feature, RegisterError};
pub use frame::{Frame, VECTOR, Vector};
pub use fuse::{FusedContext, FusedGroup, Verdict};
pub use memory::ProcessMemory;
pub use node::{
    InputMode, InputNode, Interrupt, NodeError, NodeId, NodeInfo, NodeKind, NodeOptions,
    NodeThread, PacketNode, Polled, Role, Runtime,
};
pub use outlet::{PacketOut, PacketOutError};
pub use packet::{
    Buffer, BufferExt, HEADROOM, Packet, PacketCache, PacketFlags, PacketHeader, PullUpError,
    Segments, UNSET,
};
pub use punt::{PuntReason, PuntTable};
pub use running_config::{ConfigStage, RunningConfig};
pub use trace::{Filter, TraceControl, TraceEntry, TraceRecord, TracedPacket};
pub use worker::{Quiescence, ThreadPackets, WorkerPackets};

pub use barrow_core::{
    CounterDescription, ErrorCounters, Instant, NextNodes, NoErrors, NoNext, ProcessContext,
    ProcessError, ProcessNode, Restart, Severity, Spawner,
};
