//! A client of VPP's binary API: one connection, shared by many, that heals itself.
//!
//! ```no_run
//! use barrow_client::Client;
//! use barrow_messages::interface::{SwInterfaceDump, WantInterfaceEvents};
//! use barrow_messages::vpe::ShowVersion;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), barrow_client::Error> {
//! let client = Client::connect("/run/vpp/api.sock").await?;
//! let version = client.call(ShowVersion {}).await?;
//! println!("{}", version.version);
//!
//! let mut interfaces = client.dump(SwInterfaceDump::default());
//! while let Some(interface) = interfaces.next().await {
//!     println!("{}", interface?.interface_name);
//! }
//!
//! let mut events = client.subscribe(WantInterfaceEvents::default()).await?;
//! while let Some(event) = events.next().await {
//!     println!("{:?}", event?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! - [`session`]: the protocol of one client, without clock and socket;
//! - [`Client`] and [`Channel`], the handles: a call knows its reply, a dump its details, a subscription its events;
//! - [`Config`] with [`Health`] and [`Reconnect`]: when a server counts as dead, and what happens then;
//! - `dynamic` (a Cargo feature): calls by name, with JSON;
//! - the drivers: [`Client::connect`] under tokio, [`blocking`] on a thread of its own.
//!
//! # What holds
//!
//! - Every call ends: with its reply, with the server's error number and the reply attached, or with an error that
//!   says how far it had come. There is a deadline unless you ask for none.
//! - Dropping a future takes the call back. An answer never reaches another call.
//! - The reader of the connection never waits for a user: one slow user never delays another. Requests wait for a
//!   place instead, fairly between channels; a dump that nobody reads is cut, with an error; events that nobody reads
//!   are dropped and counted in the stream itself.
//! - A lost connection ends all calls at once, and is made again for ever unless told otherwise; subscriptions are
//!   made again, with a mark in the stream.
#![forbid(unsafe_code)]

// The listings of the guide are compiled.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../../../docs/client.md")]
mod guide {}

pub mod blocking;
mod client;
mod config;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod error;
mod health;
mod mux;
mod reconnect;
pub mod session;
pub mod testing;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "tokio")]
pub use self::tokio::{Ready, Resync};
pub use client::{Call, Channel, Client, Dump, Event, EventStream, Items, States, Subscribing};
pub use config::{Config, DEFAULT_SOCKET, GovppConf, GovppConfError};
pub use error::{ApiError, Closed, Error, Lost};
pub use health::Health;
pub use mux::{ConnectionState, Overflow, Status};
pub use reconnect::Reconnect;
