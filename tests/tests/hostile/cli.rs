//! Bytes on the CLI socket that no `vppctl` sends.

use crate::{noise, on};
use barrow_tests::Node;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The answer of `vppctl` to the greeting: a terminal type that is not a person's.
const PROGRAM: &[u8] = b"\xff\xfb\x18\xff\xfa\x18\x00vppctl\xff\xf0";

fn connect(node: &Node) -> UnixStream {
    let stream = UnixStream::connect(node.cli_socket()).expect("the socket accepts");
    let patience = Some(Duration::from_secs(60));
    stream
        .set_read_timeout(patience)
        .and_then(|()| stream.set_write_timeout(patience))
        .expect("a duration above zero");
    stream
}

fn read_to_end(mut stream: UnixStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return bytes,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return bytes,
            Err(error) => panic!("the session does not end: {error}"),
        }
    }
}

#[test]
fn garbage_on_the_cli_socket_harms_nobody() {
    on(Node::builder(), |node| {
        for seed in 1..30 {
            let mut session = connect(node);
            if seed % 2 == 0 {
                session.write_all(PROGRAM).expect("it takes that");
            }
            // No line ends, or some of it might be a command; telnet commands and keys it has.
            let garbage: Vec<u8> = noise(2048, seed)
                .into_iter()
                .map(|byte| {
                    if matches!(byte, b'\n' | b'\r' | 0) {
                        0xff
                    } else {
                        byte
                    }
                })
                .collect();
            session.write_all(&garbage).ok();
        }
    });
}

#[test]
fn a_request_without_end_is_refused_and_its_session_closed() {
    on(Node::builder(), |node| {
        let mut session = connect(node);
        session.write_all(PROGRAM).expect("it takes that");
        let mut reading = session.try_clone().expect("a second handle");
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            reading.read_to_end(&mut text).ok();
            text
        });
        // The session closes somewhere in here.
        for _ in 0..64 {
            if session.write_all(&[b'x'; 1 << 16]).is_err() {
                break;
            }
        }
        drop(session);
        let text = reader.join().expect("it only reads");
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("bytes at most"), "{text}");
    });
}

#[test]
fn a_line_that_a_person_never_ends_is_cut() {
    on(Node::builder(), |node| {
        let mut session = connect(node);
        session
            .write_all(b"\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0")
            .expect("it takes that");
        session
            .write_all(&[b'y'; 100_000])
            .expect("it goes on reading");
        session.write_all(b"\rquit\r").expect("it goes on reading");
        let echoed = read_to_end(session);
        assert!(echoed.len() < 100_000 + 20_000, "{} bytes", echoed.len());
    });
}

#[test]
fn a_request_that_drips_byte_by_byte_is_answered() {
    on(Node::builder(), |node| {
        let mut session = connect(node);
        for byte in PROGRAM.iter().chain(b"show version\n") {
            session.write_all(&[*byte]).expect("it takes that");
        }
        let (mut text, mut chunk) = (String::new(), [0; 100]);
        // Dripped slowly enough, it would be several requests; it is never none.
        while !text.contains('\0') {
            let length = session.read(&mut chunk).expect("an answer");
            assert_ne!(length, 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&chunk[..length]));
        }
    });
}

#[test]
fn a_session_that_reads_nothing_holds_a_bounded_output() {
    on(Node::builder(), |node| {
        let _lines = node.cli("create loopback interface");
        let before = barrow_tests::private_memory(node.pid());
        let mut session = connect(node);
        session.write_all(PROGRAM).expect("it takes that");
        session
            .set_write_timeout(Some(Duration::from_millis(200)))
            .expect("above zero");
        // More output than may wait; at some point the node reads no more requests.
        for _ in 0..2_000 {
            if session.write_all(b"show node\0").is_err() {
                break;
            }
        }
        crate::serves(node);
        let grown = barrow_tests::private_memory(node.pid()).saturating_sub(before);
        assert!(
            grown < 16 << 10,
            "{grown} KiB for a session that reads nothing"
        );
    });
}
