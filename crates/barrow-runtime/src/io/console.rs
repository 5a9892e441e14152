//! The standard input and output of the process, as a byte stream of the reactor.
//!
//! Descriptors that the process shares with whoever started it are not made non-blocking: the flag belongs to all of
//! them. Two threads move the bytes instead, through a socket pair whose buffers bound what waits; a reader that stops
//! holds up its own bytes only.
//!
//! A terminal is made to pass each key as it is pressed, without echo, by [`RawTerminal`], which puts it back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::fs::FileType;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr,
    tcgetwinsize, tcsetattr,
};

use super::reactor::Reactor;
use super::unix::Stream;

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A terminal: somebody types.
    Terminal,
    /// A pipe or socket: a program writes.
    Pipe,
    /// Something that never has anything to wait for, such as a file or `/dev/null`.
    Other,
}

/// What the standard input of this process is.
#[must_use]
pub fn input_kind() -> InputKind {
    kind_of(stdin())
}

fn kind_of(input: impl AsFd) -> InputKind {
    if isatty(&input) {
        return InputKind::Terminal;
    }
    let mode = rustix::fs::fstat(&input).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match mode {
        Ok(FileType::Fifo | FileType::Socket) => InputKind::Pipe,
        _ => InputKind::Other,
    }
}

/// Columns and rows of the terminal that standard input is; nothing when it does not tell.
#[must_use]
pub fn window_size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(stdin()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// The terminal of standard input passes each key at once and echoes nothing; as before when this is dropped. Keys that
/// mean signals still do.
#[derive(Debug)]
pub struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Changes the terminal.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn new() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN;
        // ^S and ^Q are keys, too.
        raw.input_modes -= InputModes::IXON | InputModes::IXOFF;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Flush, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // The terminal may be gone by now.
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The process's input and output as one stream. Once the stream is closed, and all that was written to it is out,
/// `ended` runs on a thread of its own. The output is the terminal if only the input is one.
///
/// # Errors
/// When the system has no descriptors or threads left.
pub fn open(reactor: &Reactor, ended: impl FnOnce() + Send + 'static) -> io::Result<Stream> {
    let input = rustix::io::fcntl_dupfd_cloexec(stdin(), 0)?;
    let to_input = isatty(stdin()) && !isatty(stdout());
    let output = if to_input {
        rustix::io::fcntl_dupfd_cloexec(stdin(), 0)?
    } else {
        rustix::io::fcntl_dupfd_cloexec(stdout(), 0)?
    };
    over(reactor, input, output, ended)
}

/// As [`open`], for descriptors of any kind.
fn over(
    reactor: &Reactor,
    input: OwnedFd,
    output: OwnedFd,
    ended: impl FnOnce() + Send + 'static,
) -> io::Result<Stream> {
    let (ours, theirs) = UnixStream::pair()?;
    let stream = Stream::from_std(reactor, ours)?;
    let mut sink = theirs.try_clone()?;
    let mut source = theirs;
    // Not joined: it waits for input that may never come, and the process does not wait for it.
    thread::Builder::new()
        .name("console-in".to_owned())
        .spawn(move || {
            // What ends it is the end of the input or of the session, and either is all there is to know.
            let _ = pass(&mut File::from(input), &mut sink);
            let _ = sink.shutdown(Shutdown::Write);
        })?;
    thread::Builder::new()
        .name("console-out".to_owned())
        .spawn(move || {
            let _ = pass(&mut source, &mut File::from(output));
            ended();
        })?;
    Ok(stream)
}

/// Copies until an end; each piece as soon as it comes.
fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::io::ByteStream;
    use crate::sys::Clock;

    #[test]
    fn what_is_written_is_out_before_the_end_is_told() {
        let reactor = Reactor::new(Clock::new()).unwrap();
        let (mut typed, input) = UnixStream::pair().unwrap();
        let (output, mut shown) = UnixStream::pair().unwrap();
        let (tell, told) = mpsc::channel();
        let ended = move || tell.send(()).unwrap();
        let stream = over(&reactor, input.into(), output.into(), ended).unwrap();
        typed.write_all(b"question").unwrap();
        let mut read = [0; 8];
        reactor
            .block_on(stream.read_exact(&mut read))
            .unwrap()
            .unwrap();
        assert_eq!(&read, b"question");
        reactor
            .block_on(stream.write_all(b"answer"))
            .unwrap()
            .unwrap();
        assert!(told.try_recv().is_err());
        drop(stream);
        told.recv().unwrap();
        let mut answer = String::new();
        shown.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer");
    }

    #[test]
    fn the_end_of_input_leaves_the_output_open() {
        let reactor = Reactor::new(Clock::new()).unwrap();
        let (typed, input) = UnixStream::pair().unwrap();
        let (output, mut shown) = UnixStream::pair().unwrap();
        let stream = over(&reactor, input.into(), output.into(), || ()).unwrap();
        drop(typed);
        let read = reactor.block_on(stream.read(&mut [0; 1])).unwrap();
        assert_eq!(read.unwrap(), 0);
        reactor
            .block_on(stream.write_all(b"late"))
            .unwrap()
            .unwrap();
        let mut read = [0; 4];
        shown.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"late");
    }

    #[test]
    fn files_are_no_consoles() {
        assert_eq!(kind_of(File::open("/dev/null").unwrap()), InputKind::Other);
        assert_eq!(
            kind_of(File::open("/proc/self/status").unwrap()),
            InputKind::Other
        );
        assert_eq!(kind_of(UnixStream::pair().unwrap().0), InputKind::Pipe);
    }
}
