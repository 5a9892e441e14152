//! People at a terminal: start, end, and everything at once.

use super::*;

#[test]
fn a_person_is_greeted_with_banner_and_prompt() {
    let settings = || SessionSettings {
        banner: "The first twenty colu|mns\nare red\n".into(),
        ..SessionSettings::default()
    };
    let mut client = Client::with(settings());
    client.read();
    assert_eq!(
        client.exchange(XTERM),
        "\r\x1b[1m\x1b[31mThe first twenty col\x1b[0mu|mns\r\n\x1b[1m\x1b[31mare red\x1b[0m\r\n\r\nvpp# "
    );
    let mut client = Client::with(SessionSettings {
        color: false,
        ..settings()
    });
    client.read();
    assert_eq!(
        client.exchange(XTERM),
        "\rThe first twenty colu|mns\r\nare red\r\n\r\nvpp# "
    );
}

#[test]
fn without_terminal_type_a_session_starts_after_a_second() {
    let mut client = Client::connect();
    client.read();
    assert_eq!(client.exchange(b"show version\r\n"), "");
    assert_eq!(
        client.session.poll_timeout(),
        Some(START.saturating_add(Duration::from_secs(1)))
    );
    client.wait(Duration::from_secs(1));
    assert_eq!(client.read(), b"\rvpp# show version\r\nprobe v1\r\nvpp# ");
}

#[test]
fn a_console_starts_at_once_and_without_telnet() {
    let shell = Shell::new();
    let handle = CliSession::terminal_session(
        SessionKind::Console,
        0,
        shell.settings.clone(),
        shell.macros.clone(),
    );
    let mut session = Session::new(handle, Rc::clone(&shell.registry), START);
    assert_eq!(
        session.poll_output(START),
        Some(SessionOutput::Transmit(b"\rvpp# ".to_vec()))
    );
    session.handle_input(START, SessionInput::Bytes(b"a\xffb\n"));
    assert_eq!(
        session.poll_output(START),
        Some(SessionOutput::Transmit(b"ab\n".to_vec()))
    );
    assert_eq!(
        session.poll_output(START),
        Some(SessionOutput::Execute("ab".into()))
    );
}

#[test]
fn a_shutdown_closes_every_session() {
    for kind in [VPPCTL, XTERM] {
        let mut client = Client::of_type(kind);
        client.session.handle_shutdown(client.now);
        client.read();
        assert!(client.closed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_a_session_panic_or_grow(
        chunks in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![
                    any::<u8>(),
                    prop::sample::select(b"\x1b[A;5D~\r\n\0\x04\x08\x12\x15\t qshow versionbiglines 3\xff\xfa\x18\x1f\xf0".to_vec()),
                ],
                0..60),
            0..20),
        kind in prop::sample::select(vec![VPPCTL, XTERM, DUMB, &b""[..]]),
        waits in any::<u32>(),
    ) {
        let mut client = Client::connect();
        client.read();
        client.send(kind);
        for (at, chunk) in chunks.iter().enumerate() {
            client.send(chunk);
            client.read();
            if waits >> at & 1 == 1 {
                client.wait(Duration::from_millis(600));
                client.read();
            }
            prop_assert!(client.closed || !client.session.is_running());
        }
        client.end_input();
        client.read();
        prop_assert!(client.closed);
    }
}

#[test]
fn a_pipe_on_the_console_gets_plain_text() {
    let shell = Shell::new();
    let handle = CliSession::terminal_session(
        SessionKind::Console,
        0,
        shell.settings.clone(),
        shell.macros.clone(),
    );
    handle.terminal().unwrap().make_non_interactive();
    let mut session = Session::new(handle, Rc::clone(&shell.registry), START);
    session.handle_input(START, SessionInput::Bytes(b"show version\n"));
    let request = SessionOutput::Execute("show version".into());
    assert_eq!(session.poll_output(START), Some(request));
    session.handle_input(START, SessionInput::Text("probe v1\n"));
    session.handle_input(START, SessionInput::Finished);
    session.handle_input(START, SessionInput::EndOfInput);
    let text = SessionOutput::Transmit(b"probe v1\n".to_vec());
    assert_eq!(session.poll_output(START), Some(text));
    assert_eq!(session.poll_output(START), Some(SessionOutput::Close));
}
