//! Clients of the CLI socket: one that behaves as `vppctl WORDS` does, and a person at a terminal.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const TERMINAL_TYPE: u8 = 24;

/// What `vppctl -s SOCKET WORDS` prints, by its own loop: reads of 100 bytes whose telnet messages are looked for in
/// each read by itself, answers counted by their NULs, and `quit` once the answer is there
/// (`vpp:src/vpp/app/vppctl.c`).
///
/// # Panics
/// When the socket does not answer.
#[must_use]
pub fn vppctl(socket: &Path, words: &str) -> String {
    let mut socket = connect(socket);
    let (mut printed, mut acked, mut quit_after, mut sent) = (Vec::new(), 1, 0, false);
    loop {
        let mut buffer = [0; 100];
        let length = socket.read(&mut buffer).expect("the node answers in time");
        if length == 0 {
            return String::from_utf8(printed).expect("answers are text");
        }
        let mut asked_for_type = false;
        let mut rest = &buffer[..length];
        while let Some((first, after)) = rest.split_first() {
            rest = match (first, after) {
                (0xff, [0xfa, option, ..]) => {
                    asked_for_type |= *option == TERMINAL_TYPE;
                    let end = rest.windows(2).position(|pair| pair == [0xff, 0xf0]);
                    &rest[end.expect("a message is in one read") + 2..]
                }
                (0xff, _) => &rest[3..],
                (0, _) => {
                    acked += 1;
                    after
                }
                (byte, _) => {
                    printed.push(*byte);
                    after
                }
            };
        }
        if asked_for_type {
            send(&mut socket, b"\xff\xfa\x18\x00vppctl\xff\xf0");
        }
        if quit_after != 0 && quit_after < acked {
            send(&mut socket, b"quit\n");
            quit_after = 0;
        }
        if asked_for_type && !sent {
            sent = true;
            send(&mut socket, format!("{words}\n\0").as_bytes());
            quit_after = acked;
        }
    }
}

/// A program in line mode, which sees every byte.
#[derive(Debug)]
pub struct LineClient(UnixStream);

impl LineClient {
    /// Connects, and tells that it is `vppctl` without a terminal.
    ///
    /// # Panics
    /// When the node does not greet.
    #[must_use]
    pub fn connect(socket: &Path) -> Self {
        let mut socket = connect(socket);
        socket
            .read_exact(&mut [0; 36])
            .expect("the greeting has 36 bytes");
        send(&mut socket, b"\xff\xfa\x18\x00vppctl\xff\xf0");
        Self(socket)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        send(&mut self.0, bytes);
    }

    /// Reads up to and with the next NUL.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn answer(&mut self) -> String {
        let mut read = Vec::new();
        let mut byte = [0];
        while read.last() != Some(&0) {
            self.0
                .read_exact(&mut byte)
                .expect("an answer ends with a NUL");
            read.push(byte[0]);
        }
        String::from_utf8(read).expect("answers are text")
    }

    /// Sends nothing more, and reads to the end.
    ///
    /// # Panics
    /// When the node does not close.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0
            .shutdown(std::net::Shutdown::Write)
            .expect("it is connected");
        self.rest()
    }

    /// Reads to the end.
    ///
    /// # Panics
    /// When the node does not close.
    #[must_use]
    pub fn rest(&mut self) -> String {
        let mut read = String::new();
        self.0.read_to_string(&mut read).expect("the node closes");
        read
    }
}

/// A person at a terminal, on any byte stream: the CLI socket or a pseudo-terminal.
#[derive(Debug)]
pub struct Person<S> {
    stream: S,
    seen: Vec<u8>,
}

impl Person<UnixStream> {
    /// Connects with this terminal type and size in columns and rows.
    ///
    /// # Panics
    /// When the node does not greet.
    #[must_use]
    pub fn connect(socket: &Path, terminal: &str, size: (u16, u16)) -> Self {
        let mut stream = connect(socket);
        stream
            .read_exact(&mut [0; 36])
            .expect("the greeting has 36 bytes");
        let mut person = Self::at(stream);
        person.resize(size);
        let name = [b"\xff\xfa\x18\x00", terminal.as_bytes(), b"\xff\xf0"].concat();
        person.keys(name);
        person
    }

    /// The window has another size now.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        let [w1, w0] = columns.to_be_bytes();
        let [h1, h0] = rows.to_be_bytes();
        send(
            &mut self.stream,
            &[0xff, 0xfa, 31, w1, w0, h1, h0, 0xff, 0xf0],
        );
    }
}

impl<S: Read + Write> Person<S> {
    /// Somebody at this terminal.
    pub fn at(stream: S) -> Self {
        Self {
            stream,
            seen: Vec::new(),
        }
    }

    /// The terminal.
    pub fn terminal(&self) -> &S {
        &self.stream
    }

    /// The terminal, left to others.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Presses keys.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn keys(&mut self, keys: impl AsRef<[u8]>) {
        self.stream
            .write_all(keys.as_ref())
            .expect("the terminal takes keys");
    }

    /// Looks until `wanted` is on the screen, and gives all that came before it and with it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn sees(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let at = self
                .seen
                .windows(wanted.len())
                .position(|seen| seen == wanted.as_bytes());
            if let Some(at) = at {
                let seen: Vec<u8> = self.seen.drain(..at + wanted.len()).collect();
                return String::from_utf8_lossy(&seen).into_owned();
            }
            let mut buffer = [0; 4096];
            let length = match self.stream.read(&mut buffer) {
                Ok(length) => length,
                Err(_) if Instant::now() < deadline => continue,
                Err(_) => 0,
            };
            let shown = String::from_utf8_lossy(&self.seen);
            assert_ne!(
                length,
                0,
                "no `{}' in `{}'",
                wanted.escape_debug(),
                shown.escape_debug()
            );
            self.seen.extend_from_slice(&buffer[..length]);
        }
    }

    /// Types a command and gives what is shown until the next prompt, the echo included.
    #[track_caller]
    pub fn command(&mut self, command: &str) -> String {
        self.keys(format!("{command}\r"));
        self.sees("vpp# ")
    }

    /// Looks until there is nothing more to see.
    pub fn rest(&mut self) -> String {
        let mut buffer = [0; 4096];
        // A pseudo-terminal whose other side is closed gives an error rather than an end.
        while let Ok(length @ 1..) = self.stream.read(&mut buffer) {
            self.seen.extend_from_slice(&buffer[..length]);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned()
    }
}

fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("the socket accepts");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a duration above zero");
    stream
}

fn send(socket: &mut UnixStream, bytes: &[u8]) {
    socket.write_all(bytes).expect("the socket takes it");
}
