//! Typed calls between tasks: within a worker, between workers, and between machines over TCP and
//! UNIX sockets.
//!
//! ```text
//!   Client  --calls-->  Connection                              Connection  --tasks-->  Service
//!   (any thread)        Session | ports <== bytes, any Wire ==> ports | Session         (handlers)
//! ```
//!
//! The protocol is [`Session`], a [`barrow_core::Machine`] without I/O, symmetrical: both sides may
//! call. [`Connection`] drives it over a [`Wire`] ([`tcp`](crate::io::tcp),
//! [`unix`](crate::io::unix), or a [`pipe`] within the process). [`Client`] and [`Service`] are the
//! typed ends.
//!
//! - *Versions*: each side greets with the versions it speaks; without a common one both end with
//!   [`CloseReason::Version`].
//! - *Deadlines* travel as the time that is left, and hold on both sides: the caller gets
//!   [`Code::DEADLINE`], the handler is dropped.
//! - *Cancellation*: dropping the future of a call, or its [`Items`], drops the peer's handler.
//! - *Streams* have credit: a handler that is faster than its caller waits in [`Sink::send`].
//! - *Back-pressure*: calls wait in line when the peer has as many as it takes; a connection that
//!   cannot write takes no more calls and answers. Nothing queues without a bound.
//! - *Bad input* (short and oversize frames, other versions, a peer that stalls within a frame, calls
//!   beyond the limit) ends the session with a reason; nothing panics, and no allocation is sized by
//!   the peer's word.
//!
//! ```
//! use barrow_core::testing::Simulation;
//! use barrow_runtime::rpc::{Connection, Limits, Method, Service, pipe};
//!
//! struct Shout;
//! impl Method for Shout {
//!     const NAME: &'static str = "shout";
//!     type Request = String;
//!     type Reply = String;
//! }
//!
//! let mut simulation = Simulation::new();
//! let (spawner, (here, there)) = (simulation.spawner(), pipe());
//! let service = Service::new().method(Shout, |_, text| async move { Ok(text.to_uppercase()) });
//! Connection::open(&spawner, there, service, Limits::default());
//! let client = Connection::open(&spawner, here, Service::new(), Limits::default()).client();
//! spawner.spawn_task(async move {
//!     assert_eq!(client.call::<Shout>(&"hello".into()).await, Ok("HELLO".into()));
//! });
//! simulation.settle();
//! assert!(simulation.scheduler().take_failures().is_empty());
//! ```

mod client;
mod connection;
mod frame;
mod method;
mod ports;
mod service;
mod session;
mod status;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, Items};
pub use connection::Connection;
pub use frame::{FrameError, Versions};
pub use method::{Method, StreamMethod};
pub use service::{CallContext, Service, Sink};
pub use session::{CallId, Command, Event, Input, Limits, Output, Session, SessionStats};
pub use status::{CallError, CloseReason, Code, Failure};
pub use wire::{PipeEnd, Wire, pipe};
