//! Who may use the sockets: file modes, and lists of users and groups.

use barrow_tests::{Finished, Node, Skip, has_program, is_root, skip};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user and group that own nothing (`nobody` of most systems).
const NOBODY: u32 = 65_534;

#[test]
fn sockets_are_for_owner_and_group_unless_told_otherwise() {
    let node = match Node::builder().start() {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    for socket in [node.api_socket(), node.cli_socket(), node.stats_socket()] {
        let mode = fs::metadata(&socket)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o660, "{}", socket.display());
    }
}

/// Runs Python as nobody.
fn nobody(script: &str, socket: &Path) -> Finished {
    let mut command = Command::new("python3");
    command
        .args(["-c", script])
        .arg(socket)
        .uid(NOBODY)
        .gid(NOBODY);
    command.current_dir("/").output().expect("it starts").into()
}

const ASK: &str = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(20)
if len(s.recv(36)) == 0:
    print("refused")
    sys.exit()
s.sendall(b"\xff\xfa\x18\0vppctl\xff\xf0")
for command in ["show version", "create loopback interface"]:
    s.sendall(command.encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\0"):
        answer += s.recv(4096)
    print(answer.decode())
"#;

const CONNECT: &str = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET if "stats" in sys.argv[1] else socket.SOCK_STREAM)
s.connect(sys.argv[1])
s.settimeout(20)
print("refused" if len(s.recv(1)) == 0 else "served")
"#;

#[test]
fn lists_refuse_some_and_let_others_only_look() {
    if !is_root() || !has_program("python3") {
        return skip("needs root, to be others, and python3");
    }
    let sections = format!(
        "unix {{ gid {NOBODY} cli-read-only-uid {NOBODY} }}\n\
         socksvr {{ allow-gid 4294967294 }} statseg {{ allow-uid 4294967294 }}"
    );
    let node = match Node::builder().config(&sections).start() {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    let folder = fs::Permissions::from_mode(0o711);
    fs::set_permissions(node.folder(), folder).expect("it is ours");
    let seen = nobody(ASK, &node.cli_socket()).expect_success();
    assert!(seen.contains("vpp v26.06-barrow."), "{seen}");
    let refused = "create loopback interface: permission denied: this session may only look";
    assert!(seen.contains(refused), "{seen}");
    for socket in [node.api_socket(), node.stats_socket()] {
        let seen = nobody(CONNECT, &socket).expect_success();
        assert_eq!(seen.trim(), "refused", "{}", socket.display());
    }
    assert!(
        node.cli("create loopback interface").contains("loop0"),
        "root is not kept out"
    );
}
