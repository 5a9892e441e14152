//! `unix { interactive }`: the node's own terminal.

use barrow_tests::{Node, Person, Pty, Skip, run, skip};
use rustix::termios::LocalModes;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

fn binary() -> Option<PathBuf> {
    match Node::binary() {
        Ok(binary) => Some(binary),
        Err(Skip(why)) => {
            skip(why);
            None
        }
    }
}

/// A node with a console and nothing else that others see.
fn node(binary: &PathBuf, folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(binary);
    let path = folder.path().display();
    command.env("TERM", "xterm").stderr(Stdio::null());
    command.arg(format!(
        "unix {{ nodaemon interactive runtime-dir {path} }}"
    ));
    command
}

fn finished(child: &mut Child) -> bool {
    child.wait().expect("it is our child").success()
}

#[test]
fn a_person_types_at_the_nodes_own_terminal() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pty = Pty::new((100, 30));
    let before = pty.modes().local_modes;
    let mut child = pty.start(&mut node(&binary, &folder), false);
    let mut person = Person::at(pty);
    person.sees("vpp# ");
    assert!(person.command("echo hello").contains("\r\nhello\r\n"));
    // Editing and history.
    person.keys("\x1b[A");
    person.keys("\r");
    assert!(person.sees("\r\nvpp# ").contains("\r\nhello\r\n"));
    let terminal = person.command("show terminal");
    assert!(
        terminal.contains("Terminal name:   unix-cli-stdin"),
        "{terminal}"
    );
    assert!(terminal.contains("Terminal width:  100"), "{terminal}");
    assert!(terminal.contains("Terminal height: 30"), "{terminal}");
    assert!(terminal.contains("ANSI capable:    yes"), "{terminal}");
    person.keys("quit\r");
    assert!(finished(&mut child));
    let pty = person.into_inner();
    assert!(before.contains(LocalModes::ECHO | LocalModes::ICANON));
    assert_eq!(pty.modes().local_modes, before, "the terminal is as it was");
}

#[test]
fn the_console_follows_the_size_of_the_window() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pty = Pty::new((100, 30));
    let mut child = pty.start(&mut node(&binary, &folder), false);
    let mut person = Person::at(pty);
    person.sees("vpp# ");
    person.terminal().resize((90, 40));
    let pid = child.id().to_string();
    let _sent = run("kill", ["-WINCH", &pid]);
    while !person
        .command("show terminal")
        .contains("Terminal height: 40")
    {
        std::thread::yield_now();
    }
    let _sent = run("kill", ["-TERM", &pid]);
    assert!(finished(&mut child));
    let modes = person.into_inner().modes().local_modes;
    assert!(modes.contains(LocalModes::ECHO), "also after SIGTERM");
}

#[test]
fn a_pipe_is_read_to_its_end_and_ends_the_node() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = node(&binary, &folder);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("it was piped");
    input
        .write_all(b"echo one\ncreate loopback interface\necho two\n")
        .expect("it reads");
    drop(input);
    let mut output = String::new();
    let mut stdout = child.stdout.take().expect("it was piped");
    stdout.read_to_string(&mut output).expect("it is text");
    assert!(finished(&mut child));
    assert_eq!(
        output, "one\nloop0\ntwo\n",
        "plain: no prompt, no echo, no NUL"
    );
}

#[test]
fn without_anything_to_wait_for_there_is_no_console_and_the_node_runs() {
    let started = Node::builder().config("unix { interactive }").start();
    let node = match started {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    assert!(node.cli("echo still here").contains("still here"));
    assert!(node.log().contains("no console"), "{}", node.log());
}
