//! Programs: `vppctl` with words on its command line.

use super::*;

#[test]
fn the_greeting_is_one_piece_of_36_bytes() {
    let mut client = Client::connect();
    let greeting = b"\xff\xfc\x22\xff\xfe\x22\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01\xff\xfe\x01\
        \xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\xff\xfd\x1f\xff\xfa\x1f\x01\xff\xf0";
    assert_eq!(client.pieces(), [greeting]);
    assert_eq!(greeting.len(), 36);
}

#[test]
fn requests_of_vppctl_are_answered_as_captured() {
    let cases: [(&[u8], &str); 11] = [
        (b"show version\n\0", "probe v1\r\n\0"),
        (
            b"show version\nshow biglines 2\n",
            "probe v1\r\nline 0\r\nline 1\r\n\0",
        ),
        (b"show nothing\n", "\0"),
        (b"bogus\n", "unknown input `bogus'\r\n\0"),
        (
            b"bogus\nshow version\n",
            "unknown input `bogus\\nshow version'\r\n\0",
        ),
        (b"\n", "\0"),
        (b"\n\0", "\0"),
        (b"\0", "\0"),
        (b"show version\0", "probe v1\r\n\0"),
        (
            b"history\n",
            "history: invalid for non-interactive sessions\r\n\0",
        ),
        (b"echo $(nothing)\n", "UNSET\r\n\0"),
    ];
    let mut client = Client::of_type(VPPCTL);
    for (sent, received) in cases {
        assert_eq!(client.exchange(sent), received, "{}", sent.escape_ascii());
        client.wait(Duration::from_secs(1));
        assert_eq!(client.read(), b"", "one NUL a request");
    }
}

#[test]
fn the_terminal_type_alone_has_no_answer() {
    let mut client = Client::connect();
    client.read();
    assert_eq!(client.exchange(VPPCTL), "");
    assert_eq!(
        client.exchange(b"\xff\xfb\x18\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"),
        ""
    );
    client.wait(Duration::from_secs(5));
    assert_eq!(client.read(), b"");
}

#[test]
fn the_terminal_type_and_a_request_may_come_in_one_write() {
    let mut client = Client::connect();
    client.read();
    let both = [VPPCTL, b"show version\n\0"].concat();
    assert_eq!(client.exchange(&both), "probe v1\r\n\0");
}

#[test]
fn the_terminal_type_may_come_byte_by_byte() {
    let mut client = Client::connect();
    client.read();
    for byte in [VPPCTL, b"show version\n"].concat() {
        client.send(&[byte]);
    }
    assert_eq!(client.read(), b"probe v1\r\n\0");
}

#[test]
fn a_request_in_pieces_is_one_request() {
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(client.exchange(b"sho"), "");
    client.wait(Duration::from_millis(20));
    assert_eq!(client.exchange(b"w version\n"), "probe v1\r\n\0");
}

#[test]
fn a_request_without_line_end_is_answered_after_a_pause() {
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(client.exchange(b"show ver"), "");
    client.wait(Duration::from_millis(50));
    assert_eq!(client.read(), b"probe v1\r\n\0");
    assert_eq!(client.session.poll_timeout(), None);
}

#[test]
fn a_nul_that_comes_late_belongs_to_its_request() {
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(client.exchange(b"show version\n"), "probe v1\r\n\0");
    assert_eq!(client.exchange(b"\0"), "");
    assert_eq!(client.exchange(b"\0"), "\0");
    assert_eq!(client.exchange(b"show nothing\0\0\0"), "\0");
    assert_eq!(
        client.exchange(b"show nothing\0show version\0"),
        "\0probe v1\r\n\0"
    );
}

#[test]
fn quit_is_answered_and_closes() {
    for quit in [&b"quit\n"[..], b"q\n", b"exit\n\0"] {
        let mut client = Client::of_type(VPPCTL);
        assert_eq!(client.exchange(quit), "\0");
        assert!(client.closed && client.session.is_finished());
    }
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(client.exchange(b"show version\nquit\n"), "probe v1\r\n\0");
    assert!(client.closed);
}

#[test]
fn after_a_half_close_everything_before_it_is_answered() {
    let mut client = Client::of_type(VPPCTL);
    client.send(b"show version");
    client.end_input();
    assert_eq!(client.read(), b"probe v1\r\n\0");
    assert!(client.closed);
    let mut client = Client::of_type(VPPCTL);
    client.end_input();
    assert_eq!(client.read(), b"");
    assert!(client.closed);
}

#[test]
fn requests_that_come_while_one_runs_wait_their_turn() {
    let mut client = Client::of_type(VPPCTL);
    client.by_hand = true;
    client.send(b"first\n");
    client.read();
    client.send(b"second\n");
    client.read();
    assert_eq!(client.requests, ["first"]);
    client
        .session
        .handle_input(client.now, SessionInput::Text("one\n"));
    client
        .session
        .handle_input(client.now, SessionInput::Finished);
    assert_eq!(client.read(), b"one\r\n\0");
    assert_eq!(client.requests, ["first", "second"]);
}

#[test]
fn what_waits_while_a_request_runs_is_bounded() {
    let mut client = Client::of_type(VPPCTL);
    client.by_hand = true;
    client.send(b"first\n");
    client.read();
    let mut sent = 0;
    while client.session.wants_input() {
        client.send(&[b'x'; 4096]);
        sent += 4096;
    }
    assert_eq!(sent, client.shell.settings.max_type_ahead);
}

#[test]
fn a_request_without_end_closes_the_session() {
    let settings = SessionSettings {
        max_request: 1000,
        ..SessionSettings::default()
    };
    let mut client = Client::with(settings);
    client.read();
    client.send(VPPCTL);
    assert_eq!(
        client.exchange(&[b'x'; 1001]),
        "a request has 1000 bytes at most\r\n\0"
    );
    assert!(client.closed);
}

#[test]
fn a_session_in_line_mode_has_neither_greeting_nor_carriage_returns() {
    let settings = SessionSettings {
        line_mode: true,
        ..SessionSettings::default()
    };
    let mut client = Client::with(settings);
    assert_eq!(client.read(), b"");
    assert_eq!(client.exchange(b"show version\n"), "probe v1\n\0");
}
