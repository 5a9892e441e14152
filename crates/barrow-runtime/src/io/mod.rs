//! Input and output for one thread: readiness, sockets, netlink.

pub mod netlink;
pub mod reactor;
pub mod stream;
pub mod tcp;
pub mod unix;

pub use reactor::{Bell, Direction, Flag, Reactor, Source};
pub use stream::ByteStream;
