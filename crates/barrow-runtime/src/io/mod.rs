//! Input and output for one thread: readiness, sockets, netlink, the console.

mod backend;
pub mod console;
pub mod machine;
pub mod netlink;
pub mod packet;
#[expect(
    unsafe_code,
    reason = "the crate's registration is unsafe: a descriptor must be deleted before it is closed"
)]
mod polling;
pub mod reactor;
pub mod sim;
pub mod sockets;
pub mod stream;
pub mod tcp;
pub mod unix;
#[expect(
    unsafe_code,
    reason = "the kernel reads and writes memory that requests point to, after the call"
)]
mod uring;

pub use backend::{Backend, Fallback, NoBackend};

pub use machine::{Action, Address, Event, SocketId, To};
pub use packet::{Packet, Packets};
pub use reactor::{Bell, Direction, Flag, Reactor, Source, Watched};
pub use sockets::Sockets;
pub use stream::ByteStream;
