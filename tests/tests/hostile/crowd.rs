//! A thousand clients that die in the middle of a message.

use crate::{on, serves, wait_until};
use barrow_messages::memclnt::{ControlPing, SockclntCreate};
use barrow_messages::vlib::CliInband;
use barrow_tests::{ApiClient, Node, open_descriptors, private_memory};
use barrow_wire::{FixedString, Header, VarString, frame};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Clients at a time: more than a node's thread gets to see one by one, fewer than this process may hold.
const AT_A_TIME: usize = 100;

/// Rounds of a thousand clients. A leak grows in each of them; what the allocator holds for the most clients that
/// were ever there at a time does not.
const ROUNDS: usize = 4;

/// Memory that may have grown in the best round, in KiB: half a KiB for each client.
const SLACK: u64 = 500;

/// Lets `count` clients of a socket die after `sent` bytes of their choice.
fn die(socket: &Path, count: usize, sent: impl Fn(usize) -> Vec<u8>) {
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(AT_A_TIME) {
        let clients: Vec<UnixStream> = some
            .iter()
            .map(|number| {
                let mut client = UnixStream::connect(socket).expect("it accepts");
                // A node that has closed already takes nothing.
                client.write_all(&sent(*number)).ok();
                client
            })
            .collect();
        drop(clients);
    }
}

/// Nothing is left of a thousand clients that send what `sent` says and go away.
fn leave_nothing(node: &Node, socket: &Path, sent: impl Fn(usize) -> Vec<u8>) {
    serves(node);
    let descriptors = open_descriptors(node.pid());
    let all_closed = || open_descriptors(node.pid()) <= descriptors;
    let round = || {
        let before = private_memory(node.pid());
        die(socket, 1000, &sent);
        wait_until("all clients are closed", all_closed);
        private_memory(node.pid()).saturating_sub(before)
    };
    let grown: Vec<u64> = (0..ROUNDS).map(|_| round()).collect();
    assert!(
        grown.iter().any(|grown| *grown < SLACK),
        "1,000 clients left so many KiB, in each round: {grown:?}"
    );
}

fn hello() -> Vec<u8> {
    let header = Header {
        id: 15,
        client_index: 0,
        context: 1,
    };
    let name = FixedString::truncated("dies");
    let mut bytes = Vec::new();
    frame::encode(header, &SockclntCreate { name }, &mut bytes).expect("it is short");
    bytes
}

#[test]
fn a_thousand_api_clients_that_die_mid_message_leave_no_descriptor_and_no_memory() {
    on(Node::builder(), |node| {
        let teller = ApiClient::connect(&node.api_socket(), "teller");
        let mut bytes = hello();
        let cmd = VarString::from("show node");
        bytes.extend(teller.frame(1, &ControlPing {}));
        bytes.extend(teller.frame(2, &CliInband { cmd }));
        let length = bytes.len();
        leave_nothing(node, &node.api_socket(), |number| {
            bytes[..number % (length + 1)].to_vec()
        });
        assert!(!node.cli("show api clients").contains("dies"));
    });
}

#[test]
fn a_thousand_api_clients_that_die_in_a_long_message_leave_no_descriptor_and_no_memory() {
    on(Node::builder(), |node| {
        let mut bytes = vec![0; frame::HEADER_LEN + 100_000];
        bytes[8..12].copy_from_slice(&(1_u32 << 20).to_be_bytes());
        leave_nothing(node, &node.api_socket(), |number| {
            bytes[..16 + number % 100_000].to_vec()
        });
    });
}

#[test]
fn a_thousand_cli_sessions_that_die_mid_request_leave_no_descriptor_and_no_memory() {
    on(Node::builder(), |node| {
        let bytes = b"\xff\xfb\x18\xff\xfa\x18\x00vppctl\xff\xf0show node\nwait 600\nshow";
        leave_nothing(node, &node.cli_socket(), |number| {
            bytes[..number % (bytes.len() + 1)].to_vec()
        });
        assert!(!node.cli("show cli-sessions").contains("wait"));
    });
}
