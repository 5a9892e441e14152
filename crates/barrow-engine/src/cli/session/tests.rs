//! Sessions byte for byte: the exchanges of `cli-socket.md`, captured from VPP.

use super::*;
use crate::cli::{
    run_request,
    tests::{START, Shell, finish},
};
use barrow_core::{Instant, Machine};
use proptest::prelude::*;
use std::{rc::Rc, time::Duration};

const VPPCTL: &[u8] = b"\xff\xfa\x18\x00vppctl\xff\xf0";
const XTERM: &[u8] = b"\xff\xfa\x18\x00xterm\xff\xf0";
const DUMB: &[u8] = b"\xff\xfa\x18\x00dumb\xff\xf0";

/// A session with its client's end and its host in one.
struct Client {
    shell: Shell,
    session: Session,
    now: Instant,
    closed: bool,
    /// Requests are run by hand.
    by_hand: bool,
    requests: Vec<String>,
}

impl Client {
    fn connect() -> Self {
        Self::with(SessionSettings::default())
    }

    fn with(settings: SessionSettings) -> Self {
        let shell = Shell::with_settings(settings);
        let handle = CliSession::terminal_session(
            SessionKind::Socket,
            6,
            shell.settings.clone(),
            shell.macros.clone(),
        );
        shell.sessions.add(&handle);
        let session = Session::new(handle, shell.registry.clone(), START);
        Self {
            shell,
            session,
            now: START,
            closed: false,
            by_hand: false,
            requests: Vec::new(),
        }
    }

    /// A client that has told its terminal type and has read all that came for it.
    fn of_type(name: &[u8]) -> Self {
        let mut client = Self::connect();
        client.read();
        client.send(name);
        client.read();
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.session
            .handle_input(self.now, SessionInput::Bytes(bytes));
    }

    /// What the session sends, its requests run.
    fn read(&mut self) -> Vec<u8> {
        self.pieces().concat()
    }

    fn pieces(&mut self) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        while let Some(output) = self.session.poll_output(self.now) {
            match output {
                SessionOutput::Transmit(bytes) => pieces.push(bytes),
                SessionOutput::Close => self.closed = true,
                SessionOutput::Execute(request) if self.by_hand => self.requests.push(request),
                SessionOutput::Execute(request) => {
                    let handle = self.session.handle().clone();
                    drop(finish(run_request(&self.shell.registry, &handle, &request)));
                    let text = handle.output().take();
                    // In pieces of any size.
                    let text: Vec<char> = text.chars().collect();
                    for piece in text.chunks(7) {
                        let piece: String = piece.iter().collect();
                        self.session
                            .handle_input(self.now, SessionInput::Text(&piece));
                    }
                    self.session.handle_input(self.now, SessionInput::Finished);
                }
            }
        }
        pieces
    }

    fn exchange(&mut self, bytes: &[u8]) -> String {
        self.send(bytes);
        String::from_utf8(self.read()).unwrap()
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
            self.session.handle_timeout(self.now);
        }
    }

    fn end_input(&mut self) {
        self.session
            .handle_input(self.now, SessionInput::EndOfInput);
    }
}

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
fn keys_are_echoed_and_enter_runs_the_line() {
    for enter in ["\r\n", "\n", "\r\0", "\r"] {
        let mut client = Client::of_type(DUMB);
        assert_eq!(client.exchange(b"sh"), "sh");
        assert_eq!(client.exchange(b"ow ver"), "ow ver");
        assert_eq!(client.exchange(enter.as_bytes()), "\r\nprobe v1\r\nvpp# ");
        assert_eq!(client.exchange(b"\r"), "\r\nvpp# ", "an empty line");
    }
}

#[test]
fn a_line_end_in_two_pieces_is_one() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(client.exchange(b"show nothing\r"), "show nothing\r\nvpp# ");
    assert_eq!(client.exchange(b"\n"), "");
    assert_eq!(client.exchange(b"\n"), "\r\nvpp# ");
}

#[test]
fn editing_redraws_with_backspaces() {
    let mut client = Client::of_type(DUMB);
    client.exchange(b"hello");
    assert_eq!(client.exchange(b"\x7f"), "\x08 \x08");
    client.exchange(b"o");
    let erased = format!("{0}     {0}", "\x08".repeat(5));
    assert_eq!(client.exchange(b"\x15"), erased);
    // Into the middle of a line.
    client.exchange(b"abd");
    assert_eq!(client.exchange(b"\x1b[D"), "\x08");
    assert_eq!(client.exchange(b"c"), "cd\x08");
    assert_eq!(client.exchange(b"\x01"), "\x08\x08\x08");
    assert_eq!(client.exchange(b"\x05"), "abcd");
    assert_eq!(client.exchange(b"\x1b[H"), "\x08\x08\x08\x08");
    assert_eq!(client.exchange(b"\x04"), "bcd \x08\x08\x08\x08");
    assert_eq!(client.exchange(b"\x06"), "b");
    assert_eq!(client.exchange(b"\x0b"), "  \x08\x08");
    client.exchange(b" two three");
    assert_eq!(client.exchange(b"\x1bb"), "\x08\x08\x08\x08\x08");
    assert_eq!(client.exchange(b"\x1bf"), "three");
    assert_eq!(
        client.exchange(b"\x17"),
        "\x08\x08\x08\x08\x08     \x08\x08\x08\x08\x08"
    );
    assert_eq!(client.exchange(b"\r"), "\r\nunknown input `b two'\r\nvpp# ");
}

#[test]
fn no_key_is_lost_behind_a_control_code() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(
        client.exchange(b"abc\x01X"),
        "abc\x08\x08\x08Xabc\x08\x08\x08"
    );
}

#[test]
fn bytes_that_print_nothing_are_dropped() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(client.exchange(b"a\xc3\xa9\x0fb\x1b[99~c"), "abc");
    let long = vec![b'x'; 5000];
    let echoed = client.exchange(&long);
    assert_eq!(echoed.matches('x').count(), 4096 - 3);
}

#[test]
fn a_tab_completes_what_is_certain() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(client.exchange(b"sh\t"), "sh\x08\x08show ");
    assert_eq!(client.exchange(b"vers\t"), "vers\x08\x08\x08\x08version ");
    assert_eq!(client.exchange(b"\r"), "\r\nprobe v1\r\nvpp# ");
    assert_eq!(client.exchange(b"zz\t"), "zz\x07");
    client.exchange(b"\x15");
    assert_eq!(client.exchange(b"e\t"), "e\r\necho  exec  exit  \r\nvpp# e");
    client.exchange(b"\x15");
    assert_eq!(
        client.exchange(b"set terminal \t"),
        "set terminal \r\nansi     history  pager    \r\nvpp# set terminal "
    );
    client.exchange(b"\x15");
    assert_eq!(
        client.exchange(b"show c\t"),
        "show c\r\ncli           cli-sessions  \r\nvpp# show cli"
    );
}

#[test]
fn a_tab_in_the_middle_of_a_line_keeps_what_is_behind() {
    let mut client = Client::of_type(DUMB);
    client.exchange(b"sh version");
    client.exchange(b"\x01\x06\x06");
    assert_eq!(
        client.exchange(b"\t"),
        format!("\x08\x08show version{}", "\x08".repeat(8))
    );
    assert_eq!(client.exchange(b"\r"), "\r\nprobe v1\r\nvpp# ");
}

#[test]
fn the_history_is_walked_with_the_arrows() {
    let mut client = Client::of_type(DUMB);
    for line in ["show version", "show version", "show nothing", ""] {
        client.exchange(format!("{line}\r").as_bytes());
    }
    let erase = |length: usize| "\x08 \x08".repeat(length);
    assert_eq!(client.exchange(b"\x1b[A"), "show nothing");
    assert_eq!(
        client.exchange(b"\x10"),
        format!("{}show version", erase(12))
    );
    assert_eq!(
        client.exchange(b"\x1bOA"),
        erase(12),
        "beyond the oldest stands an empty line"
    );
    assert_eq!(
        client.exchange(b"\x0e"),
        "show version",
        "from which it goes on at the oldest"
    );
    assert_eq!(
        client.exchange(b"\x1b[B"),
        format!("{}show nothing", erase(12))
    );
    assert_eq!(client.exchange(b"\x1b[B"), erase(12));
    assert_eq!(
        client.exchange(b"history\r"),
        "history\r\n1  show version\r\n2  show nothing\r\n3  history\r\nvpp# "
    );
}

#[test]
fn the_history_is_bounded() {
    let settings = SessionSettings {
        history_limit: 2,
        ..SessionSettings::default()
    };
    let mut client = Client::with(settings);
    client.read();
    client.send(DUMB);
    client.read();
    for line in ["a", "b"] {
        client.exchange(format!("{line}\r").as_bytes());
    }
    assert!(
        client
            .exchange(b"history\r")
            .contains("\n2  b\r\n3  history\r\n")
    );
    assert_eq!(
        client
            .exchange(b"set terminal history off\r")
            .lines()
            .count(),
        2
    );
    assert!(
        client
            .exchange(b"history\r")
            .contains("History not enabled.")
    );
}

#[test]
fn the_history_is_searched() {
    let mut client = Client::of_type(DUMB);
    for line in ["show version", "show nothing", "echo x"] {
        client.exchange(format!("{line}\r").as_bytes());
    }
    assert_eq!(client.exchange(b"\x12"), "");
    assert_eq!(client.exchange(b"s"), "show nothing");
    let erase = "\x08 \x08".repeat(12);
    assert_eq!(client.exchange(b"\x12"), format!("{erase}show version"));
    assert_eq!(client.exchange(b"\x13"), format!("{erase}show nothing"));
    assert_eq!(client.exchange(b"Q"), "\r\nNo match...\r\nvpp# ");
    assert_eq!(
        client.exchange(b"\x12vers\r").lines().nth(1),
        Some("probe v1")
    );
}

#[test]
fn the_screen_is_cleared() {
    let mut client = Client::of_type(XTERM);
    client.exchange(b"ab\x02");
    assert_eq!(client.exchange(b"\x0c"), "\x1b[2J\x1b[1;1Hvpp# ab\x08");
    let mut client = Client::of_type(DUMB);
    client.exchange(b"ab");
    assert_eq!(client.exchange(b"\x0c"), "\r\nvpp# ab");
}

#[test]
fn the_cursor_goes_over_the_left_edge_of_a_terminal() {
    let mut client = Client::of_type(XTERM);
    client.exchange(b"\xff\xfa\x1f\x00\x08\x00\x18\xff\xf0");
    client.exchange(b"abc");
    // Column 8 of 8: the terminal hides the cursor behind its right edge.
    assert_eq!(client.exchange(b"\x02"), " \r\x1b[A\x1b[7C");
    assert_eq!(client.exchange(b"\x02"), "\x08");
}

#[test]
fn the_end_of_file_key_quits_on_an_empty_line() {
    let mut client = Client::of_type(DUMB);
    client.exchange(b"a");
    assert_eq!(client.exchange(b"\x04"), "");
    client.exchange(b"\x7f");
    assert_eq!(client.exchange(b"\x04"), "quit\r\n");
    assert!(client.closed);
}

#[test]
fn quit_shows_no_further_prompt() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(client.exchange(b"quit\r"), "quit\r\n");
    assert!(client.closed);
}

#[test]
fn keys_typed_ahead_are_the_next_line() {
    let mut client = Client::of_type(DUMB);
    client.by_hand = true;
    client.send(b"first\rsecond\r");
    assert_eq!(client.read(), b"first\r\n");
    client
        .session
        .handle_input(client.now, SessionInput::Finished);
    assert_eq!(client.read(), b"vpp# second\r\n");
    assert_eq!(client.requests, ["first", "second"]);
}

#[test]
fn a_key_interrupts_a_command_that_waits_for_one() {
    let mut client = Client::of_type(DUMB);
    client.by_hand = true;
    client.send(b"ping\r");
    client.read();
    let handle = client.session.handle().clone();
    assert!(handle.poll_interrupt(std::task::Waker::noop()).is_pending());
    client.send(b"x");
    assert!(handle.poll_interrupt(std::task::Waker::noop()).is_ready());
    handle.forget_interrupt();
    client
        .session
        .handle_input(client.now, SessionInput::Finished);
    assert_eq!(client.read(), b"vpp# ", "the key is not typed");
}

#[test]
fn are_you_there_is_answered() {
    let mut client = Client::of_type(DUMB);
    assert_eq!(client.exchange(b"\xff\xf6"), "fd.io VPP\r\n");
}

#[test]
fn the_terminal_is_shown_as_vpp_shows_it() {
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(
        client.exchange(b"show terminal\n").replace("\r\n", "\n"),
        "Terminal name:   unix-cli-local:6\nTerminal node:   unix-cli-process-6\n\
         Terminal mode:   line-by-line\nTerminal width:  80\nTerminal height: 24\n\
         ANSI capable:    no\nInteractive:     no\nHistory enabled: no\nPager enabled:   no\n\
         CRLF mode:       CR+LF\n\0"
    );
    let mut client = Client::of_type(XTERM);
    client.exchange(b"\xff\xfa\x1f\x00\x64\x00\x32\xff\xf0");
    let shown = client.exchange(b"show terminal\r").replace("\r\n", "\n");
    let expected = "Terminal mode:   char-by-char\nTerminal width:  100\nTerminal height: 50\n\
        ANSI capable:    yes\nInteractive:     yes\nHistory enabled: yes\nHistory limit:   50\n\
        Pager enabled:   yes\nPager limit:     100000\nCRLF mode:       CR+LF\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn sessions_are_listed_with_their_flags() {
    let mut client = Client::of_type(VPPCTL);
    assert_eq!(
        client
            .exchange(b"show cli-sessions\n")
            .replace("\r\n", "\n"),
        "PNI  \x1b[0m FD   \x1b[0m Name            \x1b[0m Flags\x1b[0m\n\
         0    \x1b[0m 6    \x1b[0m unix-cli-local:6\x1b[0m iSLpa\x1b[0m\n\0"
    );
}

/// A person at a terminal of ten rows.
fn ten_rows(terminal: &[u8]) -> Client {
    let mut client = Client::of_type(terminal);
    client.exchange(b"\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0");
    client
}

/// Lines `from..to` of `show biglines`.
fn lines(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("line {n}\r\n")).collect()
}

#[test]
fn long_output_is_paged_as_captured() {
    let mut client = ten_rows(XTERM);
    let prompt = |range: &str| format!("\r\x1b[1m-- more -- ({range})\x1b[0m");
    let shown = client.exchange(b"show biglines 20\r");
    let expected = format!("{}{}{}", lines(0, 9), prompt("1-9/11"), prompt("1-9/20"));
    assert_eq!(shown, format!("show biglines 20\r\n{expected}"));
    let erase = "\r\x1b[2K";
    assert_eq!(
        client.exchange(b" "),
        format!("{erase}{}{}", lines(9, 18), prompt("10-18/20"))
    );
    assert_eq!(
        client.exchange(b"\r"),
        format!("{erase}{}{}", lines(18, 19), prompt("11-19/20"))
    );
    assert_eq!(client.exchange(b"x/"), "");
    assert_eq!(client.exchange(b"q"), format!("{erase}vpp# "));
    assert_eq!(
        client.exchange(b"show ver\r"),
        "show ver\r\nprobe v1\r\nvpp# "
    );
}

#[test]
fn space_and_enter_leave_at_the_end() {
    for key in [" ", "\r"] {
        let mut client = ten_rows(DUMB);
        client.exchange(b"show biglines 12\r");
        let erase = format!("\r{}\r", " ".repeat(79));
        let shown = client.exchange(b" ");
        assert_eq!(
            shown,
            format!("{erase}{}\r-- more -- (4-12/12)", lines(9, 12))
        );
        assert_eq!(client.exchange(key.as_bytes()), format!("{erase}vpp# "));
    }
}

#[test]
fn the_pager_goes_anywhere() {
    let mut client = ten_rows(XTERM);
    client.exchange(b"show biglines 30\r");
    let prompt = |range: &str| format!("\r\x1b[1m-- more -- ({range}/30)\x1b[0m");
    let erase = "\r\x1b[2K";
    assert_eq!(
        client.exchange(b"\x1b[F"),
        format!(
            "{erase}\r\x1b[1m-- skipping --\x1b[0m\r\n{}{}",
            lines(21, 30),
            prompt("22-30")
        )
    );
    assert_eq!(
        client.exchange(b"\x1b[5~"),
        format!("{erase}{}{}", lines(12, 21), prompt("13-21"))
    );
    assert_eq!(
        client.exchange(b"\x1b[A"),
        format!(
            "{erase}\x1b[1T\x1b[s\x1b[1;1H\x1b[2Kline 11\r\n\x1b[u{erase}{}",
            prompt("12-20")
        )
    );
    assert_eq!(
        client.exchange(b"\x1b[H"),
        format!("{erase}{}{}", lines(0, 9), prompt("1-9"))
    );
    assert_eq!(client.exchange(b"\x1b[A"), "");
    assert_eq!(
        client.exchange(b"\x0c"),
        format!("\x1b[2J\x1b[1;1H{}{}", lines(0, 9), prompt("1-9"))
    );
    // A wider screen of twenty rows.
    assert_eq!(
        client.exchange(b"\xff\xfa\x1f\x00\x50\x00\x14\xff\xf0"),
        format!("\x1b[2J\x1b[1;1H{}{}", lines(0, 19), prompt("1-19"))
    );
}

#[test]
fn output_that_fits_is_not_paged() {
    let mut client = ten_rows(XTERM);
    assert_eq!(
        client.exchange(b"show biglines 9\r"),
        format!("show biglines 9\r\n{}vpp# ", lines(0, 9))
    );
    client.exchange(b"set terminal pager off\r");
    assert!(
        client
            .exchange(b"show biglines 30\r")
            .ends_with("line 29\r\nvpp# ")
    );
}

#[test]
fn long_lines_take_several_rows() {
    let mut client = ten_rows(XTERM);
    let long = "x".repeat(160);
    let shown = client.exchange(format!("echo {long}\r").as_bytes());
    assert!(shown.ends_with(&format!("\r\n{long}\r\nvpp# ")));
    let longer = "y".repeat(80 * 10);
    let shown = client.exchange(format!("echo {longer}\r").as_bytes());
    assert!(
        shown.ends_with("\r\n\r\x1b[1m-- more -- (1-9/10)\x1b[0m"),
        "{shown}"
    );
    assert!(client.exchange(b" ").contains(&"y".repeat(80)));
}

#[test]
fn the_pager_gives_up_when_its_buffer_is_full() {
    let mut client = ten_rows(DUMB);
    let said = client.exchange(b"set terminal pager limit 15\r");
    assert!(said.contains("Pager limit set to 15 lines; note, this is global."));
    let shown = client.exchange(b"show biglines 30\r");
    let erase = format!("\r{}\r", " ".repeat(79));
    let expected = format!(
        "show biglines 30\r\n{}\r-- more -- (1-9/11){erase}{}\r-- pager buffer overflowed --\r\nvpp# ",
        lines(0, 9),
        lines(9, 30)
    );
    assert_eq!(shown, expected);
    client.exchange(b"set terminal pager limit 0\r");
    assert!(
        client
            .exchange(b"show biglines 30\r")
            .ends_with("line 29\r\nvpp# ")
    );
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
