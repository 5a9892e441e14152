//! What packets promise.

use std::thread;

use super::*;

fn packets() -> Packets {
    let config = Config {
        small: 64,
        small_size: 256,
        large: 4,
        ..Config::default()
    };
    Packets::new(config).unwrap()
}

fn owned(packets: &Packets) -> [isize; 2] {
    let report = packets.report();
    assert!(report.iter().all(Report::is_conserved), "{report:?}");
    report.map(|report| report.owned)
}

#[test]
fn a_dropped_packet_is_free_again() {
    let packets = packets();
    let kept = packets.copy(b"hello").unwrap();
    assert_eq!((&*kept, owned(&packets)), (&b"hello"[..], [1, 0]));
    drop(kept);
    assert_eq!(owned(&packets), [0, 0]);
}

#[test]
fn long_packets_take_large_buffers_and_longer_ones_none() {
    let packets = packets();
    let large = packets.copy(&[7; 65_536]).unwrap();
    assert_eq!((large.len(), owned(&packets)), (65_536, [0, 1]));
    assert_eq!(packets.alloc(65_537).unwrap_err(), NoBuffer(65_537));
}

#[test]
fn an_exhausted_pool_is_an_error() {
    let packets = packets();
    let all: Vec<_> = (0..64).map(|_| packets.alloc(1).unwrap()).collect();
    assert_eq!(packets.alloc(1).unwrap_err(), NoBuffer(1));
    drop(all);
    assert!(packets.alloc(1).is_ok());
}

#[test]
fn views_grow_and_shrink_at_both_ends() {
    let packets = packets();
    let mut packet = packets.copy(b"body").unwrap();
    packet.push_front(2).unwrap().copy_from_slice(b"h:");
    packet.extend(b"/t").unwrap();
    assert_eq!(&*packet, b"h:body/t");
    packet.advance(2);
    packet.truncate(4);
    assert_eq!(&*packet, b"body");
    assert!(packet.push_front(packet.headroom() + 1).is_none());
    let room = packet.tailroom();
    let too_long = vec![0; room + 1];
    assert_eq!(
        packet.extend(&too_long),
        Err(TooLong {
            wanted: room + 1,
            room
        })
    );
    assert_eq!(&*packet, b"body", "nothing was copied");
    packet.advance(100);
    assert!(packet.is_empty());
}

#[test]
fn shared_bytes_are_read_only_until_one_reference_is_left() {
    let packets = packets();
    let mut first = packets.copy(b"to all").unwrap();
    let mut second = first.share();
    assert!(first.bytes_mut().is_none() && second.push_front(1).is_none());
    assert!(first.is_shared());
    second.advance(3);
    assert_eq!((&*first, &*second), (&b"to all"[..], &b"all"[..]));
    assert_eq!(owned(&packets), [1, 0], "one buffer");
    drop(first);
    second.bytes_mut().unwrap()[0] = b'A';
    assert_eq!(&*second, b"All");
    drop(second);
    assert_eq!(owned(&packets), [0, 0]);
}

#[test]
fn packets_may_end_on_any_thread() {
    let packets = packets();
    let many: Vec<_> = (0..40).map(|_| packets.copy(b"x").unwrap()).collect();
    thread::spawn(move || drop(many)).join().unwrap();
    assert_eq!(owned(&packets), [0, 0]);
    let other = packets.clone();
    let made_there = thread::spawn(move || other.copy(b"y").unwrap())
        .join()
        .unwrap();
    assert_eq!(owned(&packets), [1, 0]);
    drop(made_there);
    assert_eq!(owned(&packets), [0, 0]);
}

#[test]
fn a_packet_outlives_its_pools() {
    let packets = packets();
    let packet = packets.copy(b"late").unwrap();
    drop(packets);
    assert_eq!(&*packet, b"late");
}

#[test]
fn buffers_with_the_kernel_are_counted_there() {
    let packets = packets();
    let (buf, ..) = packets.copy(b"x").unwrap().into_buf().unwrap();
    assert_eq!(packets.report()[0].kernel, 1);
    assert_eq!(owned(&packets), [0, 0]);
    drop(Packet::from_buf(buf));
    assert_eq!(packets.report()[0].kernel, 0);
    assert_eq!(owned(&packets), [0, 0]);
}
