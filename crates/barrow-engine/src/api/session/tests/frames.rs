//! Framing, order, hello and goodbye.

use super::*;

#[test]
fn the_handshake_is_that_of_vpp() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut hello =
        bytes("0000000000000000 00000046 00000000 000f 0000007c 727573742d636c69656e74");
    hello.resize(16 + 70, 0);
    peer.arrive(&hello);
    peer.drain();
    let reply = peer.received.pop_front().unwrap();
    assert_eq!(
        reply[..18],
        bytes("0010 00000000 0000007c 00000000 80000001")
    );
    let (_, reply) = decode_message::<SockclntCreateReply>(&reply).unwrap();
    let ids: std::collections::BTreeMap<_, _> = reply
        .message_table
        .iter()
        .map(|e| (e.name.to_string_lossy().into_owned(), e.index))
        .collect();
    assert_eq!(ids.len(), reply.message_table.len());
    assert_eq!(ids["memclnt_create_9c5e1c2f"], 1);
    assert_eq!(ids["sockclnt_create_455fb9c4"], 15);
    assert_eq!(ids["control_ping_51077d14"], 23);
    assert_eq!(ids["control_ping_reply_f6b0b8ca"], 24);
    assert_eq!(ids["get_api_json_reply_ea715b59"], 28);
    assert!(ids["cli_inband_f8377302"] >= 29);
    assert_eq!(
        ids["cli_inband_reply_05879051"],
        ids["cli_inband_f8377302"] + 2
    );
    assert!(
        ids.contains_key("log_details_03d61cc0"),
        "what a dump is answered with"
    );
    assert!(
        ids.keys()
            .any(|name| name.starts_with("sw_interface_event_"))
    );
    assert!(
        !ids.keys()
            .any(|name| name.starts_with("sw_interface_dump_")),
        "has no handler"
    );
    assert!(
        !ids.keys().any(|name| name.starts_with("ip_route_")),
        "its module has no handler"
    );
    assert_eq!(server.clients.list()[0].name(), "rust-client");
}

#[test]
fn frames_may_come_in_any_pieces() {
    let server = Server::new();
    let mut peer = server.connect();
    let ping = peer.frame(5, &ControlPing {});
    let (header, body) = ping.split_at(16);
    peer.arrive(header);
    peer.drain();
    peer.arrive(body);
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 5);
    for byte in [&ping[..], &ping].concat() {
        peer.arrive(&[byte]);
        peer.drain();
    }
    assert_eq!(peer.received.len(), 2);
}

#[test]
fn answers_come_in_order_with_their_whole_context() {
    let server = Server::new();
    let mut peer = server.connect();
    let contexts: Vec<u32> = (0..200).map(|n: u32| n.wrapping_mul(0x9e37_79b9)).collect();
    let frames: Vec<u8> = contexts
        .iter()
        .flat_map(|c| peer.frame(*c, &ControlPing {}))
        .collect();
    peer.arrive(&frames);
    peer.drain();
    let answered: Vec<u32> = contexts
        .iter()
        .map(|_| peer.receive::<ControlPingReply>().0)
        .collect();
    assert_eq!(answered, contexts);
}

#[test]
fn goodbye_is_answered_with_1_and_ends_the_connection() {
    let server = Server::new();
    let mut peer = server.connect();
    let wrong = SockclntDelete { index: 0x8000_0009 };
    peer.send(1, &wrong);
    assert_eq!(
        peer.received.pop_front().unwrap(),
        bytes("0012 00000001 ffffffff")
    );
    assert_eq!(peer.session.is_finished(), None);
    let mut goodbye = bytes("0000000000000000 0000000e 00000000 0011 80000001 01020304 80000001");
    goodbye.extend(peer.frame(9, &ControlPing {}));
    peer.arrive(&goodbye);
    peer.settle();
    assert_eq!(
        peer.session.is_finished(),
        None,
        "the answer is not sent yet"
    );
    peer.drain();
    assert_eq!(
        peer.received.pop_front().unwrap(),
        bytes("0012 01020304 00000001")
    );
    assert!(peer.received.is_empty(), "nothing behind it is handled");
    assert_eq!(peer.session.is_finished(), Some(Closed::ByRequest));
}

#[test]
fn bytes_behind_a_message_are_ignored() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut message = peer.frame(3, &ControlPing {})[16..].to_vec();
    message.extend([9; 50]);
    let mut out = Vec::new();
    frame::append(&message, &mut out).unwrap();
    peer.arrive(&out);
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 3);
}

#[test]
fn requests_behind_an_unfinished_one_wait() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut stream = peer.frame(1, &ShowVpeSystemTime {});
    stream.extend(peer.frame(2, &ControlPing {}));
    peer.arrive(&stream);
    peer.drain();
    assert!(peer.received.is_empty());
    assert!(!peer.session.wants_input());
    server.answer.set(true);
    peer.drain();
    assert_eq!(peer.receive::<ShowVpeSystemTimeReply>().0, 1);
    assert_eq!(peer.receive::<ControlPingReply>().0, 2);
    let mut other = server.connect();
    other.pings();
}

#[test]
fn what_came_before_the_end_of_input_is_answered() {
    let server = Server::new();
    let mut peer = server.connect();
    let mut stream = peer.frame(1, &ControlPing {});
    stream.extend(&peer.frame(2, &ControlPing {})[..20]);
    peer.arrive(&stream);
    peer.session.end_of_input();
    peer.drain();
    assert_eq!(peer.receive::<ControlPingReply>().0, 1);
    assert_eq!(peer.session.is_finished(), Some(Closed::EndOfInput));
}
