//! Starting, stopping and killing a node.

use barrow_tests::{Node, Skip, run, skip};
use std::os::unix::net::UnixStream;

fn node() -> Option<Node> {
    match Node::builder().start() {
        Ok(node) => Some(node),
        Err(Skip(why)) => {
            skip(why);
            None
        }
    }
}

#[test]
fn a_command_is_answered_as_vppctl_asks_it() {
    let Some(node) = node() else { return };
    let text = node.cli("show version");
    assert!(text.starts_with("vpp v26.06-barrow."), "{text}");
    assert!(node.cli("sh int").contains("local0"));
    assert!(node.cli("no such command").contains("unknown input"));
}

#[test]
fn sigterm_ends_the_node_with_status_0() {
    let Some(node) = node() else { return };
    let folder = node.folder().to_path_buf();
    assert!(node.terminate().success());
    assert!(UnixStream::connect(folder.join("api.sock")).is_err());
}

#[test]
fn a_killed_node_leaves_nothing_that_blocks_the_next() {
    let Some(mut node) = node() else { return };
    for _ in 0..3 {
        node = node.kill_and_restart(Node::builder());
        assert!(node.cli("show version").contains("26.06"));
    }
}

#[test]
fn a_second_node_on_the_same_sockets_refuses_and_says_why() {
    let Some(node) = node() else { return };
    let config = node.folder().join("startup.conf");
    let binary = Node::binary().expect("it runs already");
    let second = run(&binary.to_string_lossy(), ["-c", &config.to_string_lossy()]);
    assert!(!second.success);
    assert!(second.stderr.contains(".sock"), "{}", second.stderr);
    assert!(
        node.cli("show version").contains("26.06"),
        "the first one still serves"
    );
}

#[test]
fn a_node_takes_all_the_descriptors_it_is_allowed() {
    let Some(node) = node() else { return };
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", node.pid()));
    let limits = limits.expect("a process of ours");
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let numbers: Vec<&str> =
        open_files.map_or(Vec::new(), |line| line.split_whitespace().collect());
    assert_eq!(numbers[3], numbers[4], "soft and hard limit");
}

#[test]
fn a_bad_value_is_named_with_its_file_and_line() {
    let Ok(binary) = Node::binary() else {
        return skip("the binary was not built");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("bad.conf");
    std::fs::write(&config, "unix { nodaemon }\nstatseg { size lots }\n").expect("it is ours");
    let ran = run(
        &binary.to_string_lossy(),
        ["run", "-c", &config.to_string_lossy()],
    );
    assert!(!ran.success);
    assert!(
        ran.stderr.contains("bad.conf") && ran.stderr.contains(":2"),
        "{}",
        ran.stderr
    );
}
