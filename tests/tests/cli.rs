//! The CLI socket, byte for byte, with clients of its own and with `vppctl` where there is one.

use barrow_tests::{LineClient, Node, Person, Pty, Skip, has_program, skip, vppctl};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

/// A node with a command line that these tests know.
struct Cli {
    node: Node,
}

fn cli() -> Option<Cli> {
    match Node::builder().start() {
        Ok(node) => Some(Cli { node }),
        Err(Skip(why)) => {
            skip(why);
            None
        }
    }
}

impl Cli {
    fn path(&self) -> PathBuf {
        self.node.cli_socket()
    }

    fn person(&self, terminal: &str, size: (u16, u16)) -> Person<UnixStream> {
        let mut person = Person::connect(&self.path(), terminal, size);
        person.sees("vpp# ");
        person
    }
}

#[test]
fn the_greeting_comes_in_one_segment() {
    let Some(cli) = cli() else { return };
    let mut socket = UnixStream::connect(cli.path()).expect("it accepts");
    let mut greeting = [0; 100];
    assert_eq!(socket.read(&mut greeting).expect("it is open"), 36);
    let expected = b"\xff\xfc\x22\xff\xfe\x22\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01\xff\xfe\x01\
        \xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\xff\xfd\x1f\xff\xfa\x1f\x01\xff\xf0";
    assert_eq!(greeting[..36], expected[..]);
}

#[test]
fn one_shot_vppctl_prints_the_answer_and_leaves() {
    let Some(cli) = cli() else { return };
    let version = vppctl(&cli.path(), "show version");
    assert!(
        version.starts_with("vpp v26.06-barrow.") && version.ends_with("\r\n"),
        "{version}"
    );
    for (words, printed) in [
        ("", ""),
        ("comment nothing to say", ""),
        ("echo hello", "hello\r\n"),
        ("bogus", "unknown input `bogus'\r\n"),
        ("show bogus", "show: unknown input `bogus'\r\n"),
        ("show", "show: unknown input `'\r\n"),
        ("s", "unknown input `s'\r\n"),
        (
            "history",
            "history: invalid for non-interactive sessions\r\n",
        ),
        ("quit", ""),
        ("create loopback interface", "loop0\r\n"),
        ("sh int addr", "local0 (dn):\r\nloop0 (dn):\r\n"),
    ] {
        assert_eq!(vppctl(&cli.path(), words), printed, "{words}");
    }
    // More than fits into any number of reads of 100 bytes.
    let commands = vppctl(&cli.path(), "show cli");
    assert!(commands.lines().count() > 100, "{commands}");
}

#[test]
fn every_request_ends_in_exactly_one_nul() {
    let Some(cli) = cli() else { return };
    let mut client = LineClient::connect(&cli.path());
    for (request, answer) in [
        (&b"echo a\necho b\n"[..], "a\r\nb\r\n\0"),
        (b"echo a\n\0", "a\r\n\0"),
        (b"echo a\0", "a\r\n\0"),
        (b"echo a", "a\r\n\0"),
        (b"\n", "\0"),
        (
            b"bogus\nshow version\n",
            "unknown input `bogus\\nshow version'\r\n\0",
        ),
        (b"# comment\n", "unknown input `# comment'\r\n\0"),
        (b"echo $(nothing)\n", "UNSET\r\n\0"),
        (b"define x two words\necho $(x)\n", "UNSET\r\n\0"),
        (b"echo $(x)\n", "two words\r\n\0"),
    ] {
        client.send(request);
        assert_eq!(client.answer(), answer, "{}", request.escape_ascii());
    }
    client.send(b"echo last\nquit\n");
    assert_eq!(client.rest(), "last\r\n\0");
}

#[test]
fn a_half_closed_connection_is_answered_and_closed_without_another_nul() {
    let Some(cli) = cli() else { return };
    let mut client = LineClient::connect(&cli.path());
    client.send(b"echo a");
    assert_eq!(client.finish(), "a\r\n\0");
    assert_eq!(LineClient::connect(&cli.path()).finish(), "");
}

#[test]
fn a_person_edits_lines_and_goes_back_in_history() {
    let Some(cli) = cli() else { return };
    let mut person = cli.person("xterm", (80, 24));
    assert_eq!(person.command("echo one"), "echo one\r\none\r\nvpp# ");
    // Left, left, insert; home and end; erase a word; the start of the line goes.
    person.keys("echo ac");
    person.keys("\x1b[D");
    person.keys("b\r");
    assert!(person.sees("vpp# ").contains("\r\nabc\r\n"));
    person.keys("cho end");
    person.keys("\x01");
    person.keys("e");
    person.keys("\x05");
    person.keys("s\r");
    assert!(person.sees("vpp# ").contains("\r\nends\r\n"));
    person.keys("echo two words");
    person.keys("\x17");
    person.keys("\x7f");
    person.keys("\x7f");
    person.keys("\r");
    assert!(person.sees("vpp# ").ends_with("\r\ntw\r\nvpp# "));
    person.keys("lost");
    person.keys("\x15");
    person.keys("echo kept\r");
    assert!(person.sees("vpp# ").contains("\r\nkept\r\n"));
    // Up four times: the second command; down: the third.
    for _ in 0..4 {
        person.keys("\x1b[A");
    }
    person.keys("\x1b[B");
    person.keys("\r");
    assert!(person.sees("vpp# ").ends_with("\r\nends\r\nvpp# "));
    let history = person.command("history");
    assert!(
        history.contains("echo one") && history.contains("echo kept"),
        "{history}"
    );
    // Searching backwards.
    person.keys("\x12");
    person.keys("one");
    person.keys("\r");
    assert!(person.sees("\r\nvpp# ").ends_with("\r\none\r\nvpp# "));
    person.keys("\x04");
    assert!(person.rest().ends_with("quit\r\n"));
}

#[test]
fn words_are_completed_and_helped_with() {
    let Some(cli) = cli() else { return };
    let mut person = cli.person("dumb", (80, 200));
    person.keys("sh");
    person.keys("\t");
    assert!(person.sees("show ").ends_with("show "));
    person.keys("vers");
    person.keys("\t");
    person.sees("version ");
    person.keys("\r");
    assert!(person.sees("vpp# ").contains("vpp v26.06-barrow."));
    person.keys("show ver");
    person.keys("?");
    let help = person.command("");
    assert!(
        help.contains("  show version ") && help.contains("[verbose]"),
        "{help}"
    );
    assert!(person.command("help show api").contains("message-table"));
    assert!(
        person
            .command("set interface ?")
            .contains("set interface state")
    );
}

#[test]
fn long_output_is_paged_by_the_size_of_the_window() {
    let Some(cli) = cli() else { return };
    let mut person = cli.person("xterm", (80, 10));
    person.keys("show cli\r");
    let first = person.sees("-- more -- (1-9/");
    assert!(first.contains("commands\r\n"), "{first}");
    person.keys(" ");
    person.sees("-- more -- (10-18/");
    person.keys("\r");
    person.sees("-- more -- (11-19/");
    person.resize((80, 20));
    person.sees("-- more -- (");
    person.keys("q");
    person.sees("vpp# ");
    assert!(
        person
            .command("show terminal")
            .contains("Terminal height: 20")
    );
    person.command("set terminal pager off");
    let all = person.command("show cli");
    assert!(!all.contains("-- more --") && all.contains("show version"));
}

#[test]
fn the_banner_greets_those_who_want_it() {
    let Some(cli) = cli() else { return };
    let mut person = Person::connect(&cli.path(), "dumb", (80, 24));
    assert!(person.sees("vpp# ").lines().count() > 3);
    let quiet = Node::builder()
        .config("unix { nobanner cli-prompt node> }")
        .start();
    let Ok(quiet) = quiet else { return };
    let mut person = Person::connect(&quiet.cli_socket(), "dumb", (80, 24));
    assert_eq!(person.sees("node> "), "\rnode> ");
    person.keys("quit\r");
    assert_eq!(person.rest(), "quit\r\n");
}

#[test]
fn what_takes_time_ends_with_a_key() {
    let Some(cli) = cli() else { return };
    let mut person = cli.person("dumb", (80, 24));
    person.keys("wait 80000\r");
    person.sees("wait 80000\r\n");
    person.keys("x");
    assert_eq!(person.sees("vpp# "), "vpp# ");
}

#[test]
fn the_real_vppctl_prints_the_same() {
    let Some(cli) = cli() else { return };
    if !has_program("vppctl") {
        return skip("no vppctl in PATH");
    }
    let run = |words: &[&str]| {
        let mut command = Command::new("vppctl");
        command.arg("-s").arg(cli.path()).args(words);
        let output = command.output().expect("vppctl starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for words in ["show version", "bogus", "show cli", "echo hello"] {
        let own = vppctl(&cli.path(), words);
        assert_eq!(run(&words.split(' ').collect::<Vec<_>>()), own, "{words}");
    }
    let pty = Pty::new((80, 24));
    let mut command = Command::new("vppctl");
    command.arg("-s").arg(cli.path()).env("TERM", "xterm");
    let mut child = pty.start(&mut command, true);
    let mut person = Person::at(pty);
    person.sees("vpp# ");
    person.keys("echo hello\r");
    assert!(person.sees("vpp# ").contains("hello"));
    person.keys("quit\r");
    assert!(child.wait().expect("it is our child").success());
}
