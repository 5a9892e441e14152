//! `barrow demo`, as root and as somebody without rights.

use barrow_tests::{Finished, Node, Skip, is_root, report, run};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Exit status for a missing permission.
const NOT_PERMITTED: i32 = 2;

/// The folders that demos have in `parent`.
fn folders(parent: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(parent).expect("the folder is ours");
    let names = entries.map(|entry| entry.expect("it is there").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("barrow-demo-"))
        .collect()
}

fn demo(parent: &Path, arguments: &[&str]) -> Result<Command, Skip> {
    let mut command = Command::new(Node::binary()?);
    command.arg("demo").args(arguments).env("TMPDIR", parent);
    Ok(command)
}

/// The links and namespaces that can be seen from here.
fn around() -> String {
    let links = run("ip", ["-o", "link", "show"]).expect_success();
    let links = links.lines().filter_map(|line| line.split(':').nth(1));
    let links: Vec<_> = links.collect();
    format!("{links:?}")
}

#[test]
fn the_demo_shows_all_it_should_and_leaves_nothing() {
    report(|| {
        if !is_root() {
            return Err(Skip("the demo needs root here".into()));
        }
        let parent = tempfile::tempdir().expect("a temporary folder");
        let before = around();
        let ran: Finished = demo(parent.path(), &["--check", "--seconds", "1"])?
            .output()
            .expect("the binary starts")
            .into();
        let text = ran.expect_success();
        for part in [
            "ICMP echo_request",
            "ip4-rewrite",
            "0 % loss",
            "Gbit/s",
            "packets/call",
        ] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
        assert_eq!(folders(parent.path()), [""; 0]);
        assert_eq!(around(), before);
        Ok(())
    });
}

#[test]
fn what_a_killed_demo_leaves_is_removed_by_the_next() {
    report(|| {
        if !is_root() {
            return Err(Skip("the demo needs root here".into()));
        }
        let parent = tempfile::tempdir().expect("a temporary folder");
        let before = around();
        let mut killed = demo(parent.path(), &["--keep", "--seconds", "1"])?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        let has_socket = || {
            let folders = folders(parent.path());
            folders
                .iter()
                .any(|folder| parent.path().join(folder).join("cli.sock").exists())
        };
        while !has_socket() {
            assert!(Instant::now() < deadline, "the demo makes no socket");
            std::thread::sleep(Duration::from_millis(10));
        }
        killed.kill().expect("it runs");
        killed.wait().expect("it is our child");
        let left = folders(parent.path());
        assert_eq!(left.len(), 1, "{left:?}");
        let ran: Finished = demo(parent.path(), &["--check", "--seconds", "1"])?
            .output()
            .expect("the binary starts")
            .into();
        let _text = ran.expect_success();
        assert_eq!(folders(parent.path()), [""; 0]);
        assert_eq!(around(), before);
        Ok(())
    });
}

/// A user without rights: the one who runs the tests, else one of the machine's.
fn unprivileged() -> Result<Option<&'static str>, Skip> {
    if !is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let has = |name: &&&str| {
        users
            .lines()
            .any(|line| line.starts_with(&format!("{name}:")))
    };
    let user = ["tester", "nobody"].iter().find(has);
    Ok(Some(
        user.ok_or_else(|| Skip("no user without rights".into()))?,
    ))
}

#[test]
fn without_rights_it_runs_in_a_user_namespace_or_names_what_is_missing() {
    report(|| {
        let user = unprivileged()?;
        // Where everybody can read it: the build folder may be nobody else's business.
        let folder = tempfile::tempdir_in("/tmp").expect("a temporary folder");
        let binary = folder.path().join("barrow");
        std::fs::copy(Node::binary()?, &binary).expect("the folder is ours");
        let _done =
            run("chmod", ["-R", "a+rwX", &folder.path().to_string_lossy()]).expect_success();
        let line = format!(
            "TMPDIR={} {} demo --check --seconds 1",
            folder.path().display(),
            binary.display()
        );
        let mut command = match user {
            Some(user) => {
                let mut command = Command::new("su");
                command.args(["-s", "/bin/sh", "-c", &line, user]);
                command
            }
            None => {
                let mut command = Command::new("sh");
                command.args(["-c", &line]);
                command
            }
        };
        let output = command
            .output()
            .map_err(|error| Skip(format!("su: {error}")))?;
        let status = output.status.code();
        let ran = Finished::from(output);
        if status == Some(NOT_PERMITTED) {
            let named = ["/dev/net/tun", "user namespace"];
            let is_named = named.iter().any(|what| ran.stderr.contains(what));
            assert!(is_named, "no missing permission in: {}", ran.stderr);
            return Ok(());
        }
        let text = ran.expect_success();
        assert!(text.contains("0 % loss"), "{text}");
        Ok(())
    });
}
