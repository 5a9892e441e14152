//! The descriptor goes over a socket, and every misbehaviour of the other side has its error.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

use barrow_stats::reader::{AttachError, Reader};
use barrow_stats::socket::{receive_descriptor, send_descriptor};
use barrow_stats::{Segment, SegmentConfig};
use rustix::net::{self, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::support::{Next, serve};

mod support;

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_client_gets_the_segment_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.sock");
    let segment = Segment::new(&SegmentConfig::default()).unwrap();
    let descriptor = segment.descriptor().try_clone_to_owned().unwrap();
    let server = serve(&path, move |client| {
        send_descriptor(&client, descriptor.as_fd()).unwrap();
        Next::Close
    });
    let reader = Reader::connect(&path, PATIENCE).unwrap();
    server.unwrap().join().unwrap();
    segment.beat();
    assert_eq!(reader.heartbeat(), Ok(1));
}

#[test]
fn the_empty_datagram_that_vpp_sends_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.sock");
    let segment = Segment::new(&SegmentConfig::default()).unwrap();
    let descriptor = segment.descriptor().try_clone_to_owned().unwrap();
    let server = serve(&path, move |client| {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        net::sendmsg(
            &client,
            &[IoSlice::new(&[])],
            &mut control,
            SendFlags::empty(),
        )
        .unwrap();
        Next::Close
    });
    Reader::connect(&path, PATIENCE).unwrap();
    server.unwrap().join().unwrap();
}

#[test]
fn a_server_without_an_answer_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.sock");
    let missing = receive_descriptor(&path, PATIENCE).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let server = serve(&path, |client| {
        drop(client);
        Next::Close
    });
    let closed = receive_descriptor(&path, PATIENCE).unwrap_err();
    assert_eq!(closed.kind(), io::ErrorKind::InvalidData);
    server.unwrap().join().unwrap();
}

#[test]
fn a_server_that_keeps_silent_is_left_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.sock");
    let mut kept = Vec::new();
    let server = serve(&path, move |client| {
        kept.push(client);
        if kept.len() == 2 {
            Next::Close
        } else {
            Next::Listen
        }
    });
    let silent = Reader::connect(&path, Duration::from_millis(20)).unwrap_err();
    assert!(matches!(&silent, AttachError::Io(e) if e.kind() == io::ErrorKind::TimedOut));
    let _ = receive_descriptor(&path, Duration::from_millis(20));
    server.unwrap().join().unwrap();
}
