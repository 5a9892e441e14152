//! Line editing, completion and history.

use super::*;

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
