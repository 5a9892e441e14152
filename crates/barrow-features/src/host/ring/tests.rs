//! Slots in memory of the test's own, and one real ring.

use super::memory::Memory;
use super::receive::{
    COPY, Geometry, KERNEL, LOSING, SLOT_HEADER_LEN, SlotHeader, Slots, USER, VLAN_TPID_VALID,
    VLAN_VALID,
};
use super::{RxRing, TxSocket};
use crate::virtio::{FrameSink, FrameSource, Frames, HEADER_LEN, Inbox, Room, VirtioNetHeader};
use barrow_engine::BufferExt;
use barrow_engine::testing::Testbed;
use barrow_runtime::io::netlink::{LinkChange, LinkKind, Netlink};
use barrow_runtime::sys::NetNs;
use proptest::prelude::*;
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use zerocopy::IntoBytes;

/// Made-up memory of a ring.
struct Made(RefCell<Vec<u8>>);

impl Memory for Made {
    fn acquire(&self, at: usize) -> Option<u32> {
        let mut word = [0; 4];
        self.copy(at, &mut word)?;
        Some(u32::from_ne_bytes(word))
    }

    fn release(&self, at: usize, word: u32) -> Option<()> {
        let mut bytes = self.0.borrow_mut();
        bytes
            .get_mut(at..at + 4)?
            .copy_from_slice(&word.to_ne_bytes());
        Some(())
    }

    fn copy(&self, at: usize, into: &mut [u8]) -> Option<()> {
        into.copy_from_slice(self.0.borrow().get(at..at + into.len())?);
        Some(())
    }
}

impl Made {
    fn write(&self, at: usize, bytes: &[u8]) {
        self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

const START: usize = 96;

/// Copies the next frame out.
fn receive(ring: &mut Slots<Made>, room: &mut [u8]) -> io::Result<(usize, VirtioNetHeader)> {
    ring.receive(|frame| {
        let len = frame.len().min(room.len());
        frame.copy(0, &mut room[..len]).expect("it is inside");
        (len, frame.offload)
    })
}

fn small() -> Geometry {
    Geometry::new(1500, 2048, 3).expect("a fine geometry")
}

fn ring() -> Slots<Made> {
    Slots::new(Made(RefCell::new(vec![0; small().len()])), small())
}

fn header_of(frame: &[u8]) -> SlotHeader {
    SlotHeader {
        status: USER,
        len: frame.len() as u32,
        captured: frame.len() as u32,
        mac: START as u16,
        ..SlotHeader::default()
    }
}

/// Puts a frame into a slot as the kernel does.
fn put(ring: &Slots<Made>, slot: u32, header: SlotHeader, offload: [u8; HEADER_LEN], frame: &[u8]) {
    let at = small().slot(slot);
    ring.memory().write(at + START - HEADER_LEN, &offload);
    ring.memory().write(at + START, frame);
    ring.memory().write(at, header.as_bytes());
}

#[test]
fn an_empty_ring_would_block() {
    let mut ring = ring();
    let error = receive(&mut ring, &mut [0; 2048]).expect_err("there is nothing");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn frames_are_read_in_order_all_around_the_ring_and_their_slots_given_back() {
    let mut ring = ring();
    for round in 0..3 * small().frames() {
        let slot = round % small().frames();
        let frame = [round as u8; 60];
        put(&ring, slot, header_of(&frame), [0; HEADER_LEN], &frame);
        let mut room = [0; 2048];
        let (len, _) = receive(&mut ring, &mut room).expect("a frame");
        assert_eq!(room[..len], frame);
        assert_eq!(ring.memory().acquire(small().slot(slot)), Some(KERNEL));
    }
}

#[test]
fn a_tag_that_the_kernel_took_out_is_put_back_and_the_checksum_moves_with_it() {
    let frame: Vec<u8> = (0..60).collect();
    let mut header = header_of(&frame);
    header.status |= VLAN_VALID | VLAN_TPID_VALID;
    (header.vlan_tci, header.vlan_tpid) = (0x2064, 0x88a8);
    // NEEDS_CSUM, a TCP segment of 54 bytes of headers, checksum from 34 on.
    let offload = [
        [1u8, 1].as_slice(),
        &54u16.to_ne_bytes(),
        &1448u16.to_ne_bytes(),
    ]
    .concat();
    let rest = [34u16.to_ne_bytes(), 16u16.to_ne_bytes()].concat();
    let offload: [u8; HEADER_LEN] = [offload, rest].concat().try_into().unwrap();
    let mut ring = ring();
    put(&ring, 0, header, offload, &frame);
    let mut room = [0; 2048];
    let (len, told) = receive(&mut ring, &mut room).unwrap();
    assert_eq!(room[..12], frame[..12]);
    assert_eq!(room[12..16], [0x88, 0xa8, 0x20, 0x64]);
    assert_eq!(room[16..len], frame[12..]);
    let told: [u16; 5] = zerocopy::transmute!(told);
    assert_eq!(told[1..], [58, 1448, 38, 16]);
}

#[test]
fn a_tag_of_unsaid_kind_is_one_of_a_customer() {
    let mut header = header_of(&[0; 60]);
    (header.status, header.vlan_tci) = (USER | VLAN_VALID, 100);
    let mut ring = ring();
    put(&ring, 0, header, [0; HEADER_LEN], &[0; 60]);
    let mut room = [0; 2048];
    assert_eq!(receive(&mut ring, &mut room).unwrap().0, 64);
    assert_eq!(room[12..16], [0x81, 0, 0, 100]);
}

#[test]
fn a_frame_that_was_cut_is_dropped_and_the_next_one_read() {
    let mut ring = ring();
    let mut cut = header_of(&[1; 100]);
    cut.len = 5000;
    put(&ring, 0, cut, [0; HEADER_LEN], &[1; 100]);
    put(&ring, 1, header_of(&[2; 100]), [0; HEADER_LEN], &[2; 100]);
    let mut room = [0; 2048];
    let error = receive(&mut ring, &mut room).expect_err("it is not whole");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(receive(&mut ring, &mut room).unwrap().0, 100);
    assert_eq!(room[0], 2);
}

#[test]
fn a_cut_frame_that_waits_in_the_socket_is_said_to_be_there() {
    let mut ring = ring();
    let mut cut = header_of(&[1; 100]);
    (cut.status, cut.len) = (USER | COPY, 5000);
    put(&ring, 0, cut, [0; HEADER_LEN], &[1; 100]);
    assert!(ring.receive(|frame| frame.is_in_socket).expect("a frame"));
}

#[test]
fn a_ring_that_loses_frames_says_so_once_a_slot_does() {
    let mut ring = ring();
    let mut header = header_of(&[1; 100]);
    put(&ring, 0, header, [0; HEADER_LEN], &[1; 100]);
    header.status |= LOSING;
    put(&ring, 1, header, [0; HEADER_LEN], &[1; 100]);
    for losing in [false, true] {
        receive(&mut ring, &mut [0; 2048]).expect("a frame");
        assert_eq!(ring.losing, losing);
    }
}

#[test]
fn a_slot_of_the_usual_ring_holds_a_packet_of_the_link() {
    for mtu in [68, 1500, 9000, 9100, 65_535, u32::MAX] {
        let usual = Geometry::usual(mtu);
        assert_eq!(Geometry::new(mtu, 0, 0), Some(usual));
        assert!(usual.frames() >= 256);
        // Longer ones come by the socket.
        assert!(usual.frame_size() >= mtu.min(16_000) + 18 + START as u32);
    }
}

#[test]
fn rings_that_cannot_be_are_refused() {
    for (size, per_block) in [
        (100, 1),
        (2050, 1),
        (2 << 20, 1),
        (2048, 1 << 20),
        (u32::MAX, 9),
    ] {
        assert_eq!(
            Geometry::new(1500, size, per_block),
            None,
            "{size} {per_block}"
        );
    }
}

proptest! {
    #[test]
    fn slots_of_a_ring_never_overlap_and_stay_inside(size in 128u32..4352, per_block in 0u32..64) {
        if let Some(geometry) = Geometry::new(1500, size * 16, per_block) {
            let mut end = 0;
            for frame in 0..geometry.frames() {
                prop_assert!(geometry.slot(frame) >= end);
                end = geometry.slot(frame) + geometry.frame_size() as usize;
            }
            prop_assert!(end <= geometry.len());
        }
    }

    #[test]
    fn whatever_a_slot_says_nothing_is_read_outside(
        header in prop::array::uniform32(any::<u8>()),
    ) {
        const { assert!(SLOT_HEADER_LEN == 32) };
        let mut ring = ring();
        ring.memory().write(0, &header);
        let mut room = vec![0; 4096];
        let _whatever = receive(&mut ring, &mut room);
    }
}

/// Both ends of a cable in a namespace of the test's own, or nothing after saying why.
fn cable() -> Option<(NetNs, u32, u32)> {
    let space = NetNs::anonymous()
        .inspect_err(|error| println!("skipped: no network namespace: {error}"))
        .ok()?;
    let mut netlink = Netlink::open_in(&space).unwrap();
    let kind = LinkKind::Veth {
        peer: "b",
        namespace: None,
    };
    let up = LinkChange::new().mtu(9000).up();
    netlink.create_link("a", kind, up).unwrap();
    let b = netlink.link("b").unwrap().unwrap().index;
    netlink
        .change_link(b, LinkChange::new().mtu(9000).up())
        .unwrap();
    let a = netlink.link("a").unwrap().unwrap().index;
    Some((space, a, b))
}

/// Sends frames of these lengths, each filled with its number, from `a` to rings on `b`, and gives what
/// arrives.
fn across(lengths: &[usize], mtu: u32, rings: u16) -> Option<Vec<Vec<u8>>> {
    let (space, a, b) = cable()?;
    let bed = Testbed::builder().build().unwrap();
    let mut cache = barrow_engine::PacketCache::new(bed.control().pool());
    let opened = space
        .run(|| RxRing::open_all(b, Geometry::usual(mtu), Frames::Ethernet, rings))
        .unwrap();
    let mut rings = opened
        .inspect_err(|error| println!("skipped: no packet socket: {error}"))
        .ok()?;
    let mut sender = space.run(|| TxSocket::open(a, true)).unwrap().unwrap();
    let mut buffers = Vec::new();
    for (n, len) in lengths.iter().enumerate() {
        let mut buffer = cache.alloc_one().expect("the pool is empty");
        let mut packet = buffer.packet();
        packet.restart(0);
        let link = [2, 0xaa, 0, 0, 0, 1, 2, 0xbb, 0, 0, 0, 2, 0x88, 0xb5];
        let frame = [&link[..], &vec![n as u8; len - link.len()]].concat();
        assert!(packet.extend(&frame, &mut cache));
        buffers.push(buffer);
    }
    let frames: Vec<_> = buffers
        .iter_mut()
        .map(|buffer| (VirtioNetHeader::default(), buffer.packet()))
        .collect();
    sender.send_all(&frames, &mut |error| panic!("not sent: {error}"));
    drop(frames);
    cache.free(&mut buffers);
    let (mut seen, mut room) = (Vec::new(), Room::new());
    for ring in &mut rings {
        loop {
            let received = ring.receive(&mut Inbox {
                room: &mut room,
                cache: &mut cache,
            });
            let Ok(received) = received else { break };
            let (mut buffer, _) = received.expect("there are buffers");
            let frame = buffer.packet().to_vec();
            cache.free_one(buffer);
            if frame[12..14] == [0x88, 0xb5] {
                seen.push(frame);
            }
        }
    }
    room.clear(&mut cache);
    Some(seen)
}

#[test]
fn frames_cross_a_cable_from_socket_to_rings() {
    let Some(seen) = across(&[60; 64], 1500, 2) else {
        return;
    };
    assert!(seen.iter().all(|frame| frame.len() == 60));
    let mut numbers: Vec<_> = seen.iter().map(|frame| frame[14]).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..64).collect::<Vec<u8>>());
}

#[test]
fn frames_longer_than_a_slot_come_whole_and_in_their_order() {
    let lengths = [60, 8000, 100, 2049, 9014, 1514, 5000];
    // Slots for packets of 1500 bytes.
    let Some(seen) = across(&lengths, 1500, 1) else {
        return;
    };
    assert_eq!(seen.len(), lengths.len());
    for ((n, len), frame) in lengths.iter().enumerate().zip(&seen) {
        assert_eq!(frame.len(), *len);
        assert!(frame[14..].iter().all(|byte| *byte == n as u8), "frame {n}");
    }
}
