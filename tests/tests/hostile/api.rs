//! Frames on the API socket that are not what they should be.

use crate::{counted, noise, on};
use barrow_messages::interface::SwInterfaceSetFlags;
use barrow_messages::memclnt::{ControlPing, ControlPingReply, SockclntCreate};
use barrow_messages::vlib::CliInband;
use barrow_tests::{ApiClient, Node};
use barrow_wire::{VarString, frame};
use std::io::Write;
use std::os::unix::net::UnixStream;

fn connect(node: &Node) -> ApiClient {
    ApiClient::connect(&node.api_socket(), "hostile")
}

/// A frame whose header claims `length` bytes, with `message` behind it.
fn frame_of(length: u32, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; frame::HEADER_LEN];
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

#[test]
fn a_truncated_message_is_dropped_counted_and_followed_by_answers() {
    on(Node::builder(), |node| {
        let mut client = connect(node);
        let whole = client.frame(1, &SwInterfaceSetFlags::default());
        let message = &whole[frame::HEADER_LEN..];
        for length in 2..message.len() {
            let mut cut = Vec::new();
            frame::append(&message[..length], &mut cut).expect("it is short");
            client.send_bytes(&cut);
        }
        // A text that claims more bytes than there are.
        let mut lie = client.frame(
            1,
            &CliInband {
                cmd: VarString::from("show version"),
            },
        );
        let at = lie.len() - "show version".len() - 4;
        lie[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        client.send_bytes(&lie);
        assert_eq!(client.request(&ControlPing {}).retval, 0);
        assert_eq!(counted(node, "truncated"), message.len() as u64 - 1);
    });
}

#[test]
fn a_message_id_that_does_not_exist_is_dropped_and_counted() {
    on(Node::builder(), |node| {
        let mut client = connect(node);
        let beyond = client.highest_id() + 1;
        for id in [0, beyond, 0x7fff, u16::MAX] {
            let message = [&id.to_be_bytes()[..], &[0; 62]].concat();
            client.send_bytes(&frame_of(64, &message));
        }
        assert_eq!(client.request(&ControlPing {}).retval, 0);
        assert_eq!(counted(node, "no handler"), 4);
        let log = node.cli("show log");
        assert!(
            log.contains(&format!("no handler for msg id {beyond}")),
            "{log}"
        );
    });
}

#[test]
fn every_id_of_the_table_takes_garbage_without_harm() {
    on(Node::builder(), |node| {
        let mut client = connect(node);
        for id in 0..=client.highest_id() {
            // Session messages end the session; commands could do anything.
            if id <= 28 || id == client.id_of::<CliInband>() {
                continue;
            }
            for length in [2_u32, 10, 40, 300] {
                let garbage = noise(
                    length as usize - 2,
                    u64::from(id) * 1000 + u64::from(length),
                );
                let mut message = [&id.to_be_bytes()[..], &garbage].concat();
                // Its own index, or every message would be dropped for that of another.
                if let Some(index) = message.get_mut(2..6) {
                    index.copy_from_slice(&client.index().to_be_bytes());
                }
                client.send_bytes(&frame_of(length, &message));
            }
        }
        client.send(0x600d, &ControlPing {});
        let ping_reply = client.id_of::<ControlPingReply>();
        // Some of it is understood, and answered, with details too.
        while barrow_wire::message_id(&client.receive()) != Some(ping_reply) {}
    });
}

#[test]
fn an_oversized_frame_ends_its_own_connection_only() {
    on(Node::builder(), |node| {
        let mut other = connect(node);
        for length in [0, 1, (16 << 20) + 1, u32::MAX] {
            let mut client = connect(node);
            client.send_bytes(&frame_of(length, b"whatever it is"));
            assert_eq!(client.read_to_end(), 0, "a frame of {length} bytes");
            assert_eq!(other.request(&ControlPing {}).retval, 0);
        }
        assert_eq!(counted(node, "broken frame"), 4);
    });
}

#[test]
fn garbage_ends_its_own_connection_only() {
    on(Node::builder(), |node| {
        let mut other = connect(node);
        for seed in 1..50 {
            let mut client = UnixStream::connect(node.api_socket()).expect("it accepts");
            let garbage = noise(4096, seed);
            // The node may close before all is written.
            client.write_all(&garbage).ok();
        }
        assert_eq!(other.request(&ControlPing {}).retval, 0);
    });
}

#[test]
fn frames_that_drip_byte_by_byte_are_answered_and_hold_up_nobody() {
    on(Node::builder(), |node| {
        let mut slow = connect(node);
        let mut other = connect(node);
        let frames: Vec<u8> = (0..20)
            .flat_map(|context| slow.frame(context, &ControlPing {}))
            .collect();
        for byte in frames {
            slow.send_bytes(&[byte]);
            assert_eq!(other.request(&ControlPing {}).retval, 0);
        }
        for context in 0..20 {
            assert_eq!(slow.expect::<ControlPingReply>().0.context, context);
        }
    });
}

#[test]
fn a_second_hello_and_the_index_of_another_client_do_no_harm() {
    on(Node::builder(), |node| {
        let (mut one, mut two) = (connect(node), connect(node));
        let foreign = one.frame(1, &ControlPing {});
        two.send_bytes(&foreign);
        two.send(2, &SockclntCreate::default());
        assert_ne!(barrow_wire::message_id(&two.receive()), None);
        assert_eq!(two.request(&ControlPing {}).retval, 0);
        assert_eq!(one.request(&ControlPing {}).retval, 0);
        assert_eq!(counted(node, "client index of another"), 1);
    });
}
