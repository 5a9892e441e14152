//! The tools of the program, against the node.

use barrow_tests::{Finished, Node, Skip, run, skip};

fn node() -> Option<Node> {
    match Node::builder().start() {
        Ok(node) => Some(node),
        Err(Skip(why)) => {
            skip(why);
            None
        }
    }
}

/// Runs `barrow WORDS --socket S`, where the first two words may be a subcommand.
fn barrow(node: &Node, words: &[&str], rest: &[&str]) -> Finished {
    let binary = Node::binary().expect("it runs already");
    let socket = node.folder().join("api.sock");
    let socket = socket.to_string_lossy();
    let words = words.iter().copied().chain(["--socket", &socket]);
    run(
        &binary.to_string_lossy(),
        words.chain(rest.iter().copied()).collect::<Vec<_>>(),
    )
}

#[test]
fn a_call_prints_its_reply_and_a_list_one_object_a_line() {
    let Some(node) = node() else { return };
    let version = barrow(&node, &["api", "call"], &["show_version"]);
    assert!(version.success, "{}", version.stderr);
    assert!(
        version.stdout.contains("\"program\":\"vpe\""),
        "{}",
        version.stdout
    );
    let made = barrow(&node, &["api", "call"], &["create_loopback", "{}"]);
    assert!(made.stdout.contains("\"sw_if_index\":1"), "{}", made.stdout);
    let list = barrow(&node, &["api", "call"], &["sw_interface_dump"]);
    assert_eq!(list.stdout.lines().count(), 2, "{}", list.stdout);
    assert!(
        list.stdout
            .lines()
            .all(|line| line.starts_with('{') && line.ends_with('}'))
    );
    let builtin = barrow(&node, &["api", "call"], &["--builtin", "sw_interface_dump"]);
    assert_eq!(builtin.stdout, list.stdout);
}

#[test]
fn a_failed_call_says_why_and_ends_with_an_error() {
    let Some(node) = node() else { return };
    let refused = |words: &[&str]| {
        let ran = barrow(&node, &["api", "call"], words);
        assert!(!ran.success);
        ran.stderr
    };
    let number = refused(&["sw_interface_set_flags", r#"{"sw_if_index": 9}"#]);
    assert!(number.contains("INVALID_SW_IF_INDEX (-2)"), "{number}");
    let close = refused(&["sw_interface_dmp"]);
    assert!(close.contains("did you mean sw_interface_dump?"), "{close}");
    let misspelt = refused(&["sw_interface_dump", r#"{"index": 9}"#]);
    assert!(misspelt.contains("index"), "{misspelt}");
    let no_json = refused(&["sw_interface_dump", "sw_if_index=9"]);
    assert!(no_json.contains("no JSON"), "{no_json}");
    let binary = Node::binary().expect("it runs already");
    let nobody = run(
        &binary.to_string_lossy(),
        ["api", "call", "--socket", "/nonexistent", "show_version"],
    );
    assert!(nobody.stderr.contains("/nonexistent") && nobody.stderr.contains("--socket"));
}

#[test]
fn the_node_has_every_message_that_is_known_here() {
    let Some(node) = node() else { return };
    let report = barrow(&node, &["api", "diff"], &[]);
    assert!(
        report.stdout.contains("messages agree"),
        "{}",
        report.stdout
    );
    assert_eq!(report.stdout.lines().count(), 1, "{}", report.stdout);
}

#[test]
fn commands_are_given_and_their_errors_told() {
    let Some(node) = node() else { return };
    let version = barrow(&node, &["ctl"], &["show", "version"]);
    assert!(
        version.stdout.starts_with("vpp v26.06-barrow."),
        "{}",
        version.stdout
    );
    let wrong = barrow(&node, &["ctl"], &["no", "such", "command"]);
    assert!(!wrong.success);
    assert!(wrong.stderr.contains("unknown input"), "{}", wrong.stderr);
}

#[test]
fn a_definition_is_shown_with_what_answers_it() {
    let Ok(binary) = Node::binary() else {
        return skip("the binary was not built");
    };
    let shown = run(
        &binary.to_string_lossy(),
        ["api", "show", "want_interface_events"],
    );
    assert!(
        shown
            .stdout
            .contains("want_interface_events  476f5a08  interface")
    );
    assert!(shown.stdout.contains("u32 enable_disable"));
    assert!(shown.stdout.contains("events: sw_interface_event"));
}
