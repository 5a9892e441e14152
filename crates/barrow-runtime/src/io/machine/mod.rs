//! What a machine that a worker hosts takes and gives, and the port that joins it to its sockets.
//!
//! A hosted machine is a [`barrow_core::Machine`] with [`Event<M>`] in and [`Action<M>`] out. `M` is
//! what it says to other tasks; everything else is here. It never sees a descriptor: it asks for a
//! socket by [`Action::Open`], is told its [`SocketId`] by [`Event::Opened`], and names it from then
//! on. Payloads are [`Packet`](super::Packet)s, owned.
//!
//! [`Port`] joins a [`Network`] (the kernel's, [`Sockets`](super::Sockets), or a simulated
//! one, [`sim`](super::sim)) and a [`Mailbox`], where messages come from and go to. With
//! [`barrow_core::Driver`] that is a unit for any scheduler.
//!
//! # Back-pressure
//!
//! Inputs are pulled: what a machine does not take stays in the kernel, whose windows tell the peer.
//! Outputs go to a bounded queue of their socket. When it is full, the machine waits
//! ([`WhenFull::Wait`]), or gets the packet back ([`WhenFull::Refuse`]: [`Event::Refused`], later
//! [`Event::Writable`]), or it is dropped and counted ([`WhenFull::Drop`]). A machine with one peer
//! waits; one with many refuses or drops, so that a slow peer costs only itself.

mod action;
mod address;
mod event;
mod open;
mod port;

pub use action::{Action, To};
pub use address::Address;
pub use event::{Datagram, Event, Frame, Offload, SocketId};
pub use open::{
    Mode, Open, TcpConnect, TcpListen, Tun, Udp, UnixConnect, UnixDatagram, UnixListen, WhenFull,
};
pub use port::{Mailbox, Network, NoMailbox, Port};
