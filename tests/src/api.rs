//! A raw client of the binary API: frames on a socket, nothing else.
//!
//! It does what a client library does not let a test do: send what is wrong, stop reading, go away in
//! the middle of a message.

use barrow_messages::memclnt::{SockclntCreate, SockclntCreateReply};
use barrow_wire::{
    FixedString, Header, Message, Request, decode_message, frame, frame::HEADER_LEN, message_id,
};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The fixed id of `sockclnt_create`.
const SOCKCLNT_CREATE: u16 = 15;

/// How long an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connected client that has said hello.
#[derive(Debug)]
pub struct ApiClient {
    stream: UnixStream,
    ids: HashMap<String, u16>,
    index: u32,
}

impl ApiClient {
    /// Connects and says hello as `name`.
    ///
    /// # Panics
    /// When the node does not answer.
    #[track_caller]
    #[must_use]
    pub fn connect(socket: &Path, name: &str) -> Self {
        let stream = UnixStream::connect(socket).expect("the socket accepts");
        let patience = Some(PATIENCE);
        stream
            .set_read_timeout(patience)
            .and_then(|()| stream.set_write_timeout(patience))
            .expect("a duration above zero");
        let ids = HashMap::from([(SockclntCreate::NAME_CRC.to_owned(), SOCKCLNT_CREATE)]);
        let mut client = Self {
            stream,
            ids,
            index: 0,
        };
        let hello = SockclntCreate {
            name: FixedString::truncated(name),
        };
        client.send(0, &hello);
        let (_, reply) = decode_message::<SockclntCreateReply>(&client.receive()).expect("a reply");
        assert_eq!(reply.response, 0);
        client.index = reply.index;
        let table = reply.message_table.into_iter();
        client.ids = table
            .map(|entry| (entry.name.to_string_lossy().into_owned(), entry.index))
            .collect();
        client
    }

    /// The number the node gave it.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The id of a message in this run of the node.
    ///
    /// # Panics
    /// When the node does not serve it.
    #[must_use]
    #[track_caller]
    pub fn id_of<M: Message>(&self) -> u16 {
        let id = self.ids.get(M::NAME_CRC);
        *id.unwrap_or_else(|| panic!("{} is not served", M::NAME))
    }

    /// The highest id that the node serves.
    #[must_use]
    pub fn highest_id(&self) -> u16 {
        self.ids.values().copied().max().unwrap_or(0)
    }

    /// A message as a frame.
    ///
    /// # Panics
    /// When it has no wire form, or the node does not serve it.
    #[must_use]
    #[track_caller]
    pub fn frame<M: Message>(&self, context: u32, message: &M) -> Vec<u8> {
        let header = Header {
            id: self.id_of::<M>(),
            client_index: self.index,
            context,
        };
        let mut frame = Vec::new();
        frame::encode(header, message, &mut frame).expect("messages of tests are short");
        frame
    }

    /// Sends a message.
    ///
    /// # Panics
    /// When the node takes nothing any more.
    #[track_caller]
    pub fn send<M: Message>(&mut self, context: u32, message: &M) {
        let frame = self.frame(context, message);
        self.send_bytes(&frame);
    }

    /// Sends any bytes.
    ///
    /// # Panics
    /// When the node takes nothing any more.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the node takes it");
    }

    /// Receives the next message, whatever it is.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    #[track_caller]
    pub fn receive(&mut self) -> Vec<u8> {
        let mut header = [0; HEADER_LEN];
        self.stream.read_exact(&mut header).expect("a frame");
        let length = u32::from_be_bytes(*header[8..].first_chunk().expect("4 of 16 bytes"));
        let mut message = vec![0; length as usize];
        self.stream.read_exact(&mut message).expect("its message");
        message
    }

    /// Receives the next message, of a known type.
    ///
    /// # Panics
    /// When none comes, or another.
    #[must_use]
    #[track_caller]
    pub fn expect<M: Message>(&mut self) -> (Header, M) {
        let message = self.receive();
        assert_eq!(message_id(&message), Some(self.id_of::<M>()), "{}", M::NAME);
        decode_message(&message).expect("the node encodes what it defines")
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Panics
    /// When something else comes.
    #[track_caller]
    pub fn request<M: Request>(&mut self, message: &M) -> M::Reply {
        self.send(0x0102_0304, message);
        let (header, reply) = self.expect::<M::Reply>();
        assert_eq!(header.context, 0x0102_0304);
        reply
    }

    /// Reads to the end of the connection, however it ends; gives the number of bytes.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn read_to_end(mut self) -> usize {
        let (mut chunk, mut total) = (vec![0; 1 << 16], 0);
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return total,
                Ok(length) => total += length,
                // Closed with bytes unread, the kernel tells so by a reset.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return total,
                Err(error) => panic!("the connection does not end: {error}"),
            }
        }
    }
}
