//! Views and chains of packets.

use barrow_engine::{
    Buffer, BufferExt, HEADROOM, PacketCache, PacketFlags, PacketHeader, PullUpError, UNSET,
};
use barrow_runtime::buf::{Config, Pages, Pool};
use proptest::prelude::*;

fn pool() -> (Pool<PacketHeader>, PacketCache) {
    let config = Config {
        buffers: 256,
        data_size: 256,
        pages: Pages::Normal,
        populate: false,
    };
    let pool = Pool::new(config).expect("a small pool");
    let cache = PacketCache::new(&pool);
    (pool, cache)
}

fn packet(cache: &mut PacketCache, bytes: &[u8]) -> Buffer {
    let mut buffer = cache.alloc_one().expect("the pool has room");
    assert!(buffer.packet().extend(bytes, cache));
    buffer
}

#[test]
fn a_fresh_packet_is_empty_whatever_the_last_owner_left() {
    let (_pool, mut cache) = pool();
    let mut first = packet(&mut cache, &[7; 600]);
    let mut view = first.packet();
    view.flags.insert(PacketFlags::TRACED | PacketFlags::GSO);
    view.advance(50);
    (view.rx_sw_if_index, view.error, view.feature_position) = (3, 4, 5);
    cache.free_one(first);
    for _ in 0..10 {
        let mut again = cache.alloc_one().unwrap();
        let view = again.packet();
        assert_eq!((view.offset(), view.len(), view.total_len()), (0, 0, 0));
        assert_eq!(view.flags, PacketFlags::NONE);
        assert_eq!(
            (view.rx_sw_if_index, view.error, view.feature_position),
            (UNSET, 0, 0)
        );
        assert!(!view.is_chained());
        cache.free_one(again);
    }
}

#[test]
fn headers_are_pushed_in_front_and_taken_off_without_moving_data() {
    let (_pool, mut cache) = pool();
    let mut buffer = packet(&mut cache, b"payload");
    let mut packet = buffer.packet();
    assert!(packet.push_bytes(b"header "));
    assert_eq!(packet.data(), b"header payload");
    assert_eq!(packet.offset(), -7);
    packet.l3_header_offset = packet.offset();
    packet.advance(7);
    assert_eq!(packet.data(), b"payload");
    assert_eq!(
        packet.from_offset(packet.l3_header_offset).unwrap(),
        b"header payload"
    );
    packet.advance(-7);
    assert_eq!(packet.read::<3>(3), Some(*b"der"));
    assert!(
        packet.push(HEADROOM).is_none(),
        "there are {} left",
        packet.headroom()
    );
    assert!(packet.push(packet.headroom()).is_some());
    cache.free_one(buffer);
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "advance"))]
fn advancing_past_the_end_stops_debug_builds() {
    let (_pool, mut cache) = pool();
    let mut buffer = packet(&mut cache, b"ab");
    let mut packet = buffer.packet();
    packet.advance(3);
    assert_eq!(packet.len(), 0, "release builds go to the end");
}

#[test]
fn pulling_up_fails_without_changing_anything_when_it_cannot_be_done() {
    let (_pool, mut cache) = pool();
    let mut buffer = packet(&mut cache, &[1; 700]);
    let mut packet = buffer.packet();
    let room = 256;
    assert_eq!(
        packet.pull_up(701, &mut cache),
        Err(PullUpError {
            wanted: 701,
            room,
            total: 700
        })
    );
    assert_eq!(
        packet.linearize(&mut cache),
        Err(PullUpError {
            wanted: 700,
            room,
            total: 700
        })
    );
    assert_eq!(packet.total_len(), 700);
    cache.free_one(buffer);
}

#[test]
fn a_copy_has_the_bytes_and_metadata_and_is_independent() {
    let (pool, mut cache) = pool();
    let mut buffer = packet(&mut cache, &[9; 700]);
    let mut original = buffer.packet();
    original.rx_sw_if_index = 12;
    let mut copy = original.duplicate(&mut cache).unwrap();
    original.data_mut()[0] = 1;
    assert_eq!(copy.packet().to_vec(), vec![9; 700]);
    assert_eq!(copy.packet().rx_sw_if_index, 12);
    cache.free_one(buffer);
    cache.free_one(copy);
    drop(cache);
    assert_eq!(pool.stats().owned, 0);
}

#[test]
fn an_exhausted_pool_refuses_and_leaves_the_packet_as_it_was() {
    let (pool, mut cache) = pool();
    let mut buffer = packet(&mut cache, &[5; 100]);
    assert!(!buffer.packet().extend(&vec![6; 300 * 256], &mut cache));
    assert_eq!(buffer.packet().to_vec(), vec![5; 100]);
    assert!(buffer.packet().duplicate(&mut cache).is_some_and(|copy| {
        cache.free_one(copy);
        true
    }));
    cache.free_one(buffer);
    drop(cache);
    assert_eq!(pool.stats().owned, 0);
}

#[derive(Clone, Debug)]
enum Operation {
    Push(usize),
    Advance(i16),
    Extend(usize),
    Truncate(usize),
    PullUp(usize),
    Chain(usize),
    TakeRest,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (0usize..60).prop_map(Operation::Push),
        (-60i16..300).prop_map(Operation::Advance),
        (0usize..700).prop_map(Operation::Extend),
        (0usize..1500).prop_map(Operation::Truncate),
        (0usize..400).prop_map(Operation::PullUp),
        (0usize..500).prop_map(Operation::Chain),
        Just(Operation::TakeRest),
    ]
}

proptest! {
    /// A chain behaves as the bytes it holds, whatever is done to it, and gives every buffer back.
    #[test]
    fn a_packet_is_its_bytes(operations in proptest::collection::vec(operation(), 0..40)) {
        let (pool, mut cache) = pool();
        let mut buffer = cache.alloc_one().unwrap();
        let mut model: Vec<u8> = Vec::new();
        let mut fill = 0u8;
        let mut bytes = |n: usize| -> Vec<u8> {
            (0..n).map(|_| { fill = fill.wrapping_add(1); fill }).collect()
        };
        for operation in operations {
            let mut packet = buffer.packet();
            match operation {
                Operation::Push(n) => {
                    let new = bytes(n);
                    if packet.push_bytes(&new) {
                        model.splice(..0, new);
                    }
                }
                Operation::Advance(by) => {
                    // Backwards the old bytes reappear; the model knows only those it was told.
                    let by = by.clamp(0, packet.len() as i16);
                    packet.advance(by);
                    model.drain(..by as usize);
                }
                Operation::Extend(n) => {
                    let new = bytes(n);
                    if packet.extend(&new, &mut cache) {
                        model.extend(new);
                    }
                }
                Operation::Truncate(n) => {
                    packet.truncate(n, &mut cache);
                    model.truncate(n);
                }
                Operation::PullUp(n) => {
                    if packet.pull_up(n, &mut cache).is_ok() {
                        prop_assert_eq!(packet.at(0, n), Some(&model[..n]));
                    }
                }
                Operation::Chain(n) => {
                    let new = bytes(n);
                    if let Some(mut more) = cache.alloc_one() {
                        if more.packet().extend(&new, &mut cache) {
                            packet.chain(more);
                            model.extend(new);
                        } else {
                            cache.free_one(more);
                        }
                    }
                }
                Operation::TakeRest => {
                    if let Some(rest) = packet.take_rest() {
                        cache.free_one(rest);
                    }
                    model.truncate(packet.len());
                }
            }
            let packet = buffer.packet();
            prop_assert_eq!(packet.total_len(), model.len());
            prop_assert_eq!(&packet.to_vec(), &model);
            let middle = model.len() / 2;
            let mut out = vec![0; model.len() + 10];
            prop_assert_eq!(packet.copy_to(middle, &mut out), model.len() - middle);
            prop_assert_eq!(&out[..model.len() - middle], &model[middle..]);
        }
        cache.free_one(buffer);
        drop(cache);
        prop_assert_eq!(pool.stats().owned, 0);
    }
}
