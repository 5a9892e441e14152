//! A fake server on a real socket, for the tests of programs that use this client.
//!
//! It greets, answers `control_ping` and `sockclnt_delete`, and hands everything else to a script of yours, which
//! answers, stays silent, breaks the protocol or dies: what a real server does rarely and at the wrong moment.
//!
//! ```
//! use barrow_client::{Config, blocking, testing::FakeServer};
//! use barrow_messages::vpe::{self, ShowVersion, ShowVersionReply};
//!
//! let server = FakeServer::start(&[&vpe::MODULE], |request, answer| {
//!     if request.is::<ShowVersion>() {
//!         answer.reply(&ShowVersionReply { version: "26.06".try_into().unwrap(), ..Default::default() });
//!     }
//! })?;
//! let client = blocking::connect(server.path(), Config::default())?;
//! let version = client.wait(client.call(ShowVersion {}))?;
//! assert_eq!(version.version, "26.06");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use barrow_messages::memclnt::{
    self, ControlPing, ControlPingReply, MessageTableEntry, SockclntCreateReply,
    SockclntDeleteReply,
};
use barrow_wire::frame::{self, FrameDecoder};
use barrow_wire::{
    DecodeError, Header, HeaderKind, Message, ModuleInfo, decode_message, message_id,
};
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The id of the first message that is not one of memclnt's.
const FIRST_ID: u16 = 29;

type Script = Box<dyn FnMut(&Request<'_>, &mut Answer<'_>) + Send>;

/// A server with a script. Stops when dropped.
pub struct FakeServer {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    table: Table,
    script: Mutex<Script>,
    pid: AtomicU32,
    stopped: AtomicBool,
    silent: AtomicBool,
    accepted: AtomicU64,
    connections: Mutex<Vec<UnixStream>>,
}

struct Table {
    ids: HashMap<&'static str, u16>,
    headers: HashMap<u16, (&'static str, HeaderKind)>,
}

/// A message from the client.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its header.
    pub header: Header,
    /// Which connection it came on: 0 for the first.
    pub connection: u64,
    bytes: &'a [u8],
}

impl Request<'_> {
    /// Whether it is of type `M`.
    #[must_use]
    pub fn is<M: Message>(&self) -> bool {
        self.name == M::NAME
    }

    /// Its fields.
    ///
    /// # Errors
    /// When it is shorter than its definition.
    pub fn decode<M: Message>(&self) -> Result<M, DecodeError> {
        decode_message(self.bytes).map(|(_, message)| message)
    }
}

/// What the server does about a request.
#[derive(Debug)]
pub struct Answer<'a> {
    ids: &'a HashMap<&'static str, u16>,
    context: u32,
    client_index: u32,
    out: Vec<u8>,
    cut: Option<usize>,
    hang_up: bool,
    done: bool,
    stream: &'a UnixStream,
}

impl Answer<'_> {
    /// Sends a reply or details, with the request's context.
    ///
    /// # Panics
    /// When the server was started without the message's module.
    pub fn reply<M: Message>(&mut self, message: &M) {
        self.with_context(self.context, message);
    }

    /// Sends a message with any context: late, repeated, to nobody.
    ///
    /// # Panics
    /// When the server was started without the message's module.
    pub fn with_context<M: Message>(&mut self, context: u32, message: &M) {
        let id = *self
            .ids
            .get(M::NAME)
            .unwrap_or_else(|| panic!("the fake server has no {}", M::NAME));
        let header = Header {
            id,
            client_index: self.client_index,
            context,
        };
        frame::encode(header, message, &mut self.out).expect("a fake message has a wire form");
        self.done = true;
    }

    /// Sends an event.
    ///
    /// # Panics
    /// When the server was started without the message's module.
    pub fn event<M: Message>(&mut self, message: &M) {
        self.with_context(0, message);
    }

    /// Sends any bytes.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.done = true;
    }

    /// Says nothing, not even to a ping.
    pub fn nothing(&mut self) {
        self.done = true;
    }

    /// Sends what there is, then waits before it goes on. Later requests of this connection wait as well.
    pub fn delay(&mut self, delay: Duration) {
        self.flush();
        thread::sleep(delay);
    }

    /// Dies after `bytes` bytes of what is sent from here on.
    pub fn die_after(&mut self, bytes: usize) {
        self.flush();
        self.cut = Some(bytes);
        self.hang_up = true;
        self.done = true;
    }

    /// Dies once what was said is sent.
    pub fn die(&mut self) {
        self.hang_up = true;
        self.done = true;
    }

    fn flush(&mut self) {
        if let Some(cut) = self.cut {
            self.out.truncate(cut);
        }
        // A client that is gone is noticed by the reader.
        let _ = (&*self.stream).write_all(&self.out);
        self.out.clear();
    }
}

impl FakeServer {
    /// Starts a server that has the messages of `modules`, memclnt's always. `script` sees every message but the
    /// greeting and the goodbye; a ping that it does not answer is answered by the server.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn start(
        modules: &[&'static ModuleInfo],
        script: impl FnMut(&Request<'_>, &mut Answer<'_>) + Send + 'static,
    ) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "barrow-fake-{}-{}.sock",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self::start_at(std::env::temp_dir().join(name), modules, script)
    }

    /// As [`start`](Self::start), at a path of the caller's; what is there is removed.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn start_at(
        path: impl Into<PathBuf>,
        modules: &[&'static ModuleInfo],
        script: impl FnMut(&Request<'_>, &mut Answer<'_>) + Send + 'static,
    ) -> io::Result<Self> {
        let path = path.into();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        let shared = Arc::new(Shared {
            path,
            table: Table::new(modules),
            script: Mutex::new(Box::new(script)),
            pid: AtomicU32::new(std::process::id()),
            stopped: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            connections: Mutex::new(Vec::new()),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || server.accept(&listener));
        Ok(Self { shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Acquire)
    }

    /// What it says its process is from now on: another number is another server.
    pub fn set_pid(&self, pid: u32) {
        self.shared.pid.store(pid, Ordering::Release);
    }

    /// Whether it keeps its connections open and says nothing at all: a server that hangs.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Release);
    }

    /// Closes all connections that are open; new ones are accepted.
    pub fn disconnect_all(&self) {
        let mut connections = self.shared.connections();
        for connection in connections.drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the acceptor.
        let _ = UnixStream::connect(&self.shared.path);
        let _ = std::fs::remove_file(&self.shared.path);
        self.disconnect_all();
    }
}

impl fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeServer")
            .field("path", &self.shared.path)
            .field("accepted", &self.accepted())
            .finish_non_exhaustive()
    }
}

impl Table {
    fn new(modules: &[&'static ModuleInfo]) -> Self {
        let mut table = Self {
            ids: HashMap::new(),
            headers: HashMap::new(),
        };
        let mut add = |module: &'static ModuleInfo, first: u16| {
            for (id, message) in (first..).zip(module.messages) {
                table.ids.insert(message.name, id);
                table.headers.insert(id, (message.name_crc, message.header));
            }
        };
        add(&memclnt::MODULE, 1);
        let mut first = FIRST_ID;
        for module in modules.iter().filter(|module| module.name != "memclnt") {
            add(module, first);
            first += module.messages.len() as u16;
        }
        table
    }

    fn greeting(&self) -> SockclntCreateReply {
        SockclntCreateReply {
            response: 0,
            index: 0x8000_0001,
            message_table: self
                .headers
                .iter()
                .map(|(id, (name_crc, _))| MessageTableEntry {
                    index: *id,
                    name: (*name_crc).try_into().expect("a name fits"),
                })
                .collect(),
        }
    }
}

impl Shared {
    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<UnixStream>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &UnixListener) {
        for stream in listener.incoming().flatten() {
            if self.stopped.load(Ordering::Acquire) {
                return;
            }
            let connection = self.accepted.fetch_add(1, Ordering::AcqRel);
            if let Ok(stream) = stream.try_clone() {
                self.connections().push(stream);
            }
            let server = Arc::clone(self);
            thread::spawn(move || server.serve(&stream, connection));
        }
    }

    fn serve(&self, stream: &UnixStream, connection: u64) {
        let mut decoder = FrameDecoder::default();
        let mut reader = stream;
        loop {
            match reader.read(decoder.space(64 << 10)) {
                Ok(len) if len > 0 => decoder.filled(len),
                _ => return,
            }
            let mut out = Vec::new();
            while let Ok(Some(message)) = decoder.next_message() {
                if self.silent.load(Ordering::Acquire) {
                    continue;
                }
                if !self.handle(stream, connection, message, &mut out) {
                    let _ = (&*stream).write_all(&out);
                    let _ = stream.shutdown(Shutdown::Both);
                    return;
                }
            }
            if (&*stream).write_all(&out).is_err() {
                return;
            }
        }
    }

    /// Whether the connection goes on.
    fn handle(
        &self,
        stream: &UnixStream,
        connection: u64,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let known = message_id(message).and_then(|id| self.table.headers.get(&id));
        let Some((name_crc, kind)) = known else {
            return true;
        };
        let Ok(header) = Header::decode(*kind, &mut barrow_wire::Reader::new(message)) else {
            return true;
        };
        // Without underscore and CRC.
        let name = &name_crc[..name_crc.len() - 9];
        let mut answer = Answer {
            ids: &self.table.ids,
            context: header.context,
            client_index: 0,
            out: std::mem::take(out),
            cut: None,
            hang_up: false,
            done: false,
            stream,
        };
        match name {
            "sockclnt_create" => answer.reply(&self.table.greeting()),
            "sockclnt_delete" => {
                answer.reply(&SockclntDeleteReply { response: 1 });
                answer.die();
            }
            _ => {
                let request = Request {
                    name,
                    header,
                    connection,
                    bytes: message,
                };
                let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
                script(&request, &mut answer);
                if name == ControlPing::NAME && !answer.done {
                    answer.reply(&ControlPingReply {
                        retval: 0,
                        client_index: 0,
                        vpe_pid: self.pid.load(Ordering::Acquire),
                    });
                }
            }
        }
        if let Some(cut) = answer.cut {
            answer.out.truncate(cut);
        }
        let goes_on = !answer.hang_up;
        *out = std::mem::take(&mut answer.out);
        goes_on
    }
}
