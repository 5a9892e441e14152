//! A client of the API socket that knows its messages at run time only.

use barrow_messages::dynamic::{Codec, JsonRules};
use barrow_wire::Header;
use barrow_wire::frame::{self, FrameDecoder};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The fixed ids of the two messages that begin a session (`vpp:src/vlibmemory/memclnt.api`).
const CREATE: u16 = 15;
const CREATE_REPLY: u16 = 16;

/// A session.
pub(crate) struct Client {
    stream: UnixStream,
    decoder: FrameDecoder,
    codec: Codec,
    ids: HashMap<String, u16>,
    names: BTreeMap<u16, String>,
    index: u32,
    context: u32,
    /// Events since they were last taken.
    pub(crate) events: Vec<Json>,
}

impl Client {
    /// Connects and reads the table of messages.
    pub(crate) fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the socket accepts");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("above zero");
        let mut client = Self {
            stream,
            decoder: FrameDecoder::new(64 << 20),
            codec: Codec::of_this_crate(),
            ids: HashMap::from([("sockclnt_create".to_owned(), CREATE)]),
            names: BTreeMap::from([(CREATE_REPLY, "sockclnt_create_reply".to_owned())]),
            index: 0,
            context: 0,
            events: Vec::new(),
        };
        client.send(&json!({"_msgname": "sockclnt_create", "name": "messages"}));
        let reply = client.receive().1;
        assert_eq!(reply["response"], 0);
        client.index = reply["index"].as_u64().expect("a number") as u32;
        for entry in reply["message_table"].as_array().expect("an array") {
            let id = entry["index"].as_u64().expect("a number") as u16;
            let name = entry["name"].as_str().expect("a text");
            let name = name.rsplit_once('_').expect("the CRC is behind it").0;
            client.ids.insert(name.to_owned(), id);
            client.names.insert(id, name.to_owned());
        }
        client
    }

    /// Whether the node has a message of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.ids.contains_key(name)
    }

    /// Everything that answers a message, in order: what comes before the answer to a ping behind it.
    pub(crate) fn ask(&mut self, message: &Json) -> Vec<Json> {
        let context = self.send(message);
        self.context += 1;
        let end = self.send(&json!({"_msgname": "control_ping"}));
        let mut answers = Vec::new();
        loop {
            let (of, answer) = self.receive();
            match of {
                of if of == end => return answers,
                of if of == context => answers.push(answer),
                _ => self.events.push(answer),
            }
        }
    }

    /// Ends the session; the answer, behind which the node closes.
    pub(crate) fn leave(&mut self) -> Json {
        let message = json!({"_msgname": "sockclnt_delete", "index": self.index});
        let context = self.send(&message);
        let (of, answer) = self.receive();
        assert_eq!(of, context);
        let end = self.stream.read(&mut [0; 1]).expect("within 20 s");
        assert_eq!(end, 0, "the node closes the session");
        answer
    }

    fn send(&mut self, message: &Json) -> u32 {
        let read = self.codec.from_json(message, JsonRules::BY_HAND);
        let mut message = read.unwrap_or_else(|error| panic!("{message}: {error}"));
        let name = &*message.name;
        let id = self.ids.get(name);
        self.context += 1;
        message.header = Header {
            id: *id.unwrap_or_else(|| panic!("the node has no {name}")),
            client_index: self.index,
            context: self.context,
        };
        let bytes = self
            .codec
            .encode(&message)
            .expect("read from its JSON form");
        let mut out = Vec::new();
        frame::append(&bytes, &mut out).expect("shorter than a frame may be");
        self.stream.write_all(&out).expect("the node takes it");
        self.context
    }

    /// The next message, with the context it carries; that of an event is 0.
    fn receive(&mut self) -> (u32, Json) {
        loop {
            if let Some(bytes) = self.decoder.next_message().expect("frames of the node") {
                let id = u16::from_be_bytes([bytes[0], bytes[1]]);
                let name = self.names.get(&id);
                let name = name.unwrap_or_else(|| panic!("a message of unknown id {id}"));
                let message = self.codec.decode(name, bytes);
                let message = message.unwrap_or_else(|error| panic!("{name}: {error}"));
                let json = self.codec.to_json(&message).expect("decoded a moment ago");
                return (message.header.context, json);
            }
            let space = self.decoder.space(1 << 16);
            let n = self.stream.read(space).expect("an answer within 20 s");
            assert!(n > 0, "the node has closed the session");
            self.decoder.filled(n);
        }
    }
}
