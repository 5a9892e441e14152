//! Input and output for one thread: readiness, sockets, netlink.

pub mod machine;
pub mod netlink;
pub mod packet;
pub mod reactor;
pub mod stream;
pub mod tcp;
pub mod unix;

pub use machine::{Action, Address, Event, SocketId, To};
pub use packet::{Packet, Packets};
pub use reactor::{Bell, Direction, Flag, Reactor, Source};
pub use stream::ByteStream;
