//! The statistics socket gives its descriptor and hears nothing.

use crate::{noise, on, wait_until};
use barrow_tests::{Node, open_descriptors};
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};
use std::os::fd::OwnedFd;

fn reader(node: &Node, kind: SocketType) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(node.stats_socket())?)?;
    Ok(socket)
}

#[test]
fn what_is_sent_to_the_statistics_socket_is_not_read() {
    on(Node::builder(), |node| {
        for seed in 1..50 {
            let socket = reader(node, SocketType::SEQPACKET).expect("it accepts");
            let garbage = noise(usize::try_from(seed).expect("it is small") * 1000, seed);
            // The node may have closed already.
            for byte in [&garbage[..], &garbage[..1], &[]] {
                send(&socket, byte, SendFlags::NOSIGNAL).ok();
            }
        }
        assert!(
            reader(node, SocketType::STREAM).is_err(),
            "it is a socket of packets"
        );
    });
}

#[test]
fn readers_that_never_take_their_descriptor_leave_nothing_open() {
    on(Node::builder(), |node| {
        crate::serves(node);
        let before = open_descriptors(node.pid());
        let waiting: Vec<_> = (0..200)
            .map(|_| reader(node, SocketType::SEQPACKET).expect("it accepts"))
            .collect();
        wait_until("the node has closed its ends", || {
            open_descriptors(node.pid()) <= before
        });
        drop(waiting);
    });
}
