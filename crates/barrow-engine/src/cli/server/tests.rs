//! The CLI socket with clients that behave as `vppctl` does.

use super::*;
use crate::{
    cli::{CliHandle, ShellHost, register_shell, sleep_on},
    log::Logger,
};
use barrow_runtime::{
    host::{Handle, Options, spawn},
    io::unix::{Address, Listener},
    sys::Clock,
};
use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};
use tempfile::TempDir;

/// A node's CLI socket on a thread of its own.
struct Node {
    directory: TempDir,
    thread: Option<Handle<()>>,
}

impl Node {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let (socket, requests) = (
            directory.path().join("cli.sock"),
            directory.path().join("log"),
        );
        let thread = spawn(Options::default(), Clock::new(), move |host| {
            let listener = Listener::bind(
                &host.reactor,
                Address::from(socket.as_path()),
                Default::default(),
            )
            .map_err(std::io::Error::other)?;
            let spawner = host.scheduler.spawner();
            let sleep = sleep_on(&spawner);
            let (handle, sessions) = (CliHandle::default(), CliSessions::default());
            let shell = ShellHost {
                sleep,
                sessions: sessions.clone(),
                registry: handle.clone(),
            };
            let mut cli = CliRegistry::default();
            register_shell(&mut cli, &shell).unwrap();
            cli.command("show version", "show version", |cx, _| {
                cx.print("probe v1");
                Ok(())
            })
            .unwrap();
            cli.command("show much", "show much", |cx, _| {
                for line in 0..200_000 {
                    cx.print(format_args!("line {line} of a long output"));
                }
                Ok(())
            })
            .unwrap();
            let registry = Rc::new(cli);
            handle.set(&registry);
            let server = CliServer {
                registry: registry.clone(),
                settings: Rc::default(),
                macros: Rc::default(),
                sessions,
                log: Logger::quiet().class("cli"),
                requests: Some(RequestLog::open(&requests)?),
            };
            spawner.start_process(AcceptSessions {
                listener,
                server,
                access: Default::default(),
            });
            Ok::<_, std::io::Error>(())
        })
        .unwrap();
        Self {
            directory,
            thread: Some(thread),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("cli.sock")
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    /// What `vppctl WORDS` prints, by its own loop: reads of 100 bytes, no state between them.
    fn vppctl(&self, words: &str) -> String {
        let mut socket = self.connect();
        let (mut printed, mut acked, mut quit_after, mut sent) = (Vec::new(), 1, 0, false);
        loop {
            let mut buffer = [0; 100];
            let length = socket.read(&mut buffer).unwrap();
            if length == 0 {
                return String::from_utf8(printed).unwrap();
            }
            let mut told_type = false;
            let mut rest = &buffer[..length];
            while let Some((first, after)) = rest.split_first() {
                rest = match (first, after) {
                    (0xff, [0xfa, option, ..]) => {
                        if *option == 24 {
                            socket.write_all(b"\xff\xfa\x18\x00vppctl\xff\xf0").unwrap();
                            told_type = true;
                        }
                        let end = rest
                            .windows(2)
                            .position(|pair| pair == [0xff, 0xf0])
                            .unwrap();
                        &rest[end + 2..]
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
            if quit_after != 0 && quit_after < acked {
                socket.write_all(b"quit\n").unwrap();
                quit_after = 0;
            }
            if told_type && !sent {
                sent = true;
                socket.write_all(format!("{words}\n\0").as_bytes()).unwrap();
                quit_after = acked;
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let thread = self.thread.take().unwrap();
        thread.stop();
        thread.join().unwrap();
    }
}

/// Reads until the stream has brought `count` NULs.
fn answers(stream: &mut UnixStream, count: usize) -> String {
    let mut read = Vec::new();
    while read.iter().filter(|byte| **byte == 0).count() < count {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "closed after {}", read.escape_ascii());
        read.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(read).unwrap()
}

/// A connection in line mode, its greeting read.
fn program(node: &Node) -> UnixStream {
    let mut stream = node.connect();
    stream.read_exact(&mut [0; 36]).unwrap();
    stream.write_all(b"\xff\xfa\x18\x00vppctl\xff\xf0").unwrap();
    stream
}

#[test]
fn vppctl_gets_its_answer_and_the_end() {
    let node = Node::start();
    assert_eq!(node.vppctl("show version"), "probe v1\r\n");
    assert_eq!(
        node.vppctl("show nothing"),
        "show: unknown input `nothing'\r\n"
    );
    assert_eq!(node.vppctl("echo"), "\r\n");
    assert_eq!(node.vppctl("comment"), "");
    assert_eq!(node.vppctl("quit"), "");
}

#[test]
fn the_greeting_comes_in_one_read() {
    let node = Node::start();
    assert_eq!(node.connect().read(&mut [0; 100]).unwrap(), 36);
}

#[test]
fn a_half_closed_connection_is_answered_and_closed() {
    let node = Node::start();
    let mut stream = program(&node);
    stream.write_all(b"show version").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"probe v1\r\n\0");
}

#[test]
fn a_long_output_arrives_whole_and_a_stopped_reader_holds_up_nobody() {
    let node = Node::start();
    let mut stopped = program(&node);
    stopped.write_all(b"show much\n").unwrap();
    let mut reader = program(&node);
    reader.write_all(b"show much\nshow version\n").unwrap();
    let answer = answers(&mut reader, 1);
    assert!(answer.ends_with("line 199999 of a long output\r\nprobe v1\r\n\0"));
    assert_eq!(answer.lines().count(), 200_002);
    assert_eq!(node.vppctl("show version"), "probe v1\r\n");
}

#[test]
fn a_command_ends_when_its_client_is_gone() {
    let node = Node::start();
    let mut client = program(&node);
    client.write_all(b"show version\nwait 80000\n").unwrap();
    let mut first = [0; 10];
    client.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"probe v1\r\n");
    drop(client);
    // Its session is not listed any more, sooner or later; only that of the question is.
    while node.vppctl("show cli-sessions").lines().count() > 2 {
        std::thread::yield_now();
    }
}

#[test]
fn clients_that_die_leave_nothing() {
    let node = Node::start();
    for n in 0..200 {
        let mut client = node.connect();
        if n % 2 == 0 {
            client.write_all(b"\xff\xfa\x18\x00vpp").unwrap();
        }
    }
    while node.vppctl("show cli-sessions").lines().count() > 2 {
        std::thread::yield_now();
    }
}

#[test]
fn a_person_types_at_a_prompt() {
    let node = Node::start();
    let mut stream = node.connect();
    stream.read_exact(&mut [0; 36]).unwrap();
    stream.write_all(b"\xff\xfa\x18\x00dumb\xff\xf0").unwrap();
    let read = |stream: &mut UnixStream, wanted: &str| {
        let mut bytes = vec![0; wanted.len()];
        stream.read_exact(&mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    };
    read(&mut stream, "\rvpp# ");
    stream.write_all(b"sh ver\r").unwrap();
    read(&mut stream, "sh ver\r\nprobe v1\r\nvpp# ");
    // A key ends what waits for one.
    stream.write_all(b"wait 80000\r").unwrap();
    read(&mut stream, "wait 80000\r\n");
    stream.write_all(b"x").unwrap();
    read(&mut stream, "vpp# ");
    stream.write_all(b"\x04").unwrap();
    read(&mut stream, "quit\r\n");
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn requests_are_written_down() {
    let node = Node::start();
    node.vppctl("show version");
    let log = std::fs::read_to_string(node.directory.path().join("log")).unwrap();
    let first = log.lines().next().unwrap();
    assert!(
        first.contains("[unix-cli-local:") && first.ends_with("]: show version"),
        "{log}"
    );
}
