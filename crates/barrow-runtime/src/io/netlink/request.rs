//! Requests and their answers.

use std::fmt;
use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::io::Errno;

use super::error::NetlinkError;
use super::events::messages;
use super::socket::{DATAGRAM, Socket};
use crate::sys::NetNs;

/// How often a table that changes while it is read is read again.
const ATTEMPTS: usize = 8;

/// A connection to the kernel's network configuration, in one network namespace.
///
/// Every call blocks until the kernel has answered. Errors name the request.
pub struct Netlink {
    socket: Socket,
    buffer: Box<[u8]>,
    sequence: u32,
    skipped: u64,
}

impl Netlink {
    /// Opens a connection in the calling thread's namespace.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn open() -> io::Result<Self> {
        let buffer = vec![0; DATAGRAM].into_boxed_slice();
        Ok(Self {
            socket: Socket::blocking()?,
            buffer,
            sequence: 0,
            skipped: 0,
        })
    }

    /// Opens a connection in another namespace; it can be used from everywhere.
    ///
    /// # Errors
    /// When the namespace may not be entered, or no socket can be had.
    pub fn open_in(namespace: &NetNs) -> io::Result<Self> {
        namespace.run(Self::open)?
    }

    /// Messages that were not understood, and so are missing from lists.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Has something done.
    pub(super) fn execute(
        &mut self,
        request: &'static str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), NetlinkError> {
        self.send(request, message, flags | NLM_F_ACK)?;
        self.answers(request, |_| {}).map(|_| ())
    }

    /// Asks for one thing; the last answer is it.
    pub(super) fn ask<R>(
        &mut self,
        request: &'static str,
        message: RouteNetlinkMessage,
        read: impl Fn(RouteNetlinkMessage) -> Option<R>,
    ) -> Result<Option<R>, NetlinkError> {
        self.send(request, message, NLM_F_ACK)?;
        let mut answer = None;
        self.answers(request, |message| answer = read(message).or(answer.take()))?;
        Ok(answer)
    }

    /// Asks for a table.
    pub(super) fn list<R>(
        &mut self,
        request: &'static str,
        message: RouteNetlinkMessage,
        read: impl Fn(RouteNetlinkMessage) -> Option<R>,
    ) -> Result<Vec<R>, NetlinkError> {
        for _ in 0..ATTEMPTS {
            self.send(request, message.clone(), NLM_F_DUMP)?;
            let mut list = Vec::new();
            if self.answers(request, |message| list.extend(read(message)))? {
                return Ok(list);
            }
        }
        Err(NetlinkError::Unstable {
            request,
            attempts: ATTEMPTS,
        })
    }

    fn send(
        &mut self,
        request: &'static str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), NetlinkError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(message);
        message.header.flags = flags | NLM_F_REQUEST;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket
            .send(&bytes)
            .map_err(|error| NetlinkError::Socket {
                request,
                source: error.into(),
            })
    }

    /// Reads the answers to the last request to their end; false when the table changed meanwhile.
    fn answers(
        &mut self,
        request: &'static str,
        mut take: impl FnMut(RouteNetlinkMessage),
    ) -> Result<bool, NetlinkError> {
        let mut steady = true;
        loop {
            let len = match self.socket.receive(&mut self.buffer) {
                Ok(len) => len,
                Err(Errno::INTR) => continue,
                Err(error) => {
                    return Err(NetlinkError::Socket {
                        request,
                        source: error.into(),
                    });
                }
            };
            for message in messages(&self.buffer[..len]) {
                let Ok(message) = message else {
                    self.skipped += 1;
                    continue;
                };
                // What is left of an earlier request that ended in an error.
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                steady &= message.header.flags & NLM_F_DUMP_INTR == 0;
                let code = match message.payload {
                    NetlinkPayload::InnerMessage(inner) => {
                        take(inner);
                        continue;
                    }
                    NetlinkPayload::Error(error) => error.raw_code(),
                    NetlinkPayload::Done(done) => done.code,
                    _ => continue,
                };
                return match code {
                    0 => Ok(steady),
                    code => {
                        let source = io::Error::from_raw_os_error(code.saturating_neg());
                        Err(NetlinkError::Refused { request, source })
                    }
                };
            }
        }
    }
}

impl fmt::Debug for Netlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netlink")
            .field("socket", &self.socket)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}
