//! The binary API: the server's side of VPP's protocol over a stream socket.
//!
//! * [`ApiRegistry`] collects modules and typed handlers; [`ApiTable`] is what becomes of it when the node starts: every
//!   served message with its id. Ids 1 to 28 are those of `memclnt`, every other module gets a block of its own from 29.
//! * [`Session`] is one connection without socket or clock: bytes in, bytes out. It keeps requests in order, holds back
//!   what follows an unfinished request, and makes dumps only as fast as its client reads them.
//! * [`Clients`] knows who is connected; [`Subscribers`] whom to send events.
//! * [`ApiTrace`] records what clients send.
//!
//! A client that lies, floods, stalls or dies costs its own connection: see [`ApiLimits`] and [`ApiCounters`].
//!
//! Facts about the protocol are those of VPP 26.06 (`vlibmemory/socket_api.c`, `vlibmemory/memclnt_api.c`); where VPP
//! is careless (replies to a connection named by the request, unbounded queues) this server is not.

mod clients;
mod commands;
mod context;
mod events;
mod handler;
mod limits;
mod memclnt;
mod registry;
mod server;
mod session;
mod table;
mod trace;
mod vlib;
mod vpe;

pub use barrow_messages::errors::Retval as ApiError;
pub use clients::{Client, ClientIndex, Clients};
pub use commands::{ApiCommands, register_api_commands};
pub use context::ApiContext;
pub use events::Subscribers;
pub use handler::{CursorRun, Details};
pub use limits::{ApiCounters, ApiLimits};
pub use memclnt::register_memclnt;
pub use registry::{ApiRegisterError, ApiRegistry};
pub use server::{AcceptClients, ApiServer, ConnectionUnit};
pub use session::{Closed, Progress, Session};
pub use table::{ApiTable, MessageRange, TableHandle};
pub use trace::{ApiTrace, TraceFile, TraceFileError};
pub use vlib::{register_cli, register_graph, register_threads};
pub use vpe::{register_log_dump, register_vpe};
