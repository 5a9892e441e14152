//! Long output at a terminal of ten rows.

use super::*;

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
