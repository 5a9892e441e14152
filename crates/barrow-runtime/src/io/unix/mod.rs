//! UNIX sockets on the reactor: listeners whose path appears only once it accepts, byte streams,
//! packets, credentials, descriptors.

mod address;
mod bind;
mod descriptors;
mod listener;
mod packets;
mod stream;

#[cfg(test)]
mod tests;

pub use address::{Address, AddressError};
pub use bind::BindError;
pub use descriptors::{MAX_DESCRIPTORS, Received};
pub use listener::{Listener, Options, PacketListener};
pub use packets::SeqPacket;
pub(super) use stream::connected;
pub use stream::{Credentials, Stream};
