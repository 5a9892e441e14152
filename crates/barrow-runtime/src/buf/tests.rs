//! What pools, caches and handles promise together.

use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
struct Meta {
    /// Deliberately a type for which zero bytes are not a valid value.
    mark: core::num::NonZeroU64,
    owner: u64,
    rest: [u64; 14],
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            mark: core::num::NonZeroU64::new(7).unwrap(),
            owner: 0,
            rest: [0; 14],
        }
    }
}

impl Header for Meta {}

fn pool(buffers: u32) -> Pool<Meta> {
    Pool::new(Config {
        buffers,
        data_size: 512,
        ..Config::default()
    })
    .unwrap()
}

fn take(cache: &mut Cache<Meta>, n: usize) -> Vec<Buf<Meta>> {
    let mut bufs = Vec::new();
    assert_eq!(cache.alloc(n, &mut bufs), n);
    bufs
}

#[test]
fn a_fresh_buffer_has_a_default_header_and_zero_room() {
    let mut cache = pool(10).cache();
    let buf = cache.alloc_one().unwrap();
    assert_eq!(*buf.header(), Meta::default());
    assert_eq!(buf.room(), [0; HEADROOM + 512]);
    cache.free_one(buf);
}

#[test]
fn header_and_room_keep_what_was_written() {
    let mut cache = pool(100).cache();
    let mut bufs = take(&mut cache, 100);
    for (i, buf) in bufs.iter_mut().enumerate() {
        let (header, room) = buf.slot_mut();
        header.owner = i as u64;
        room.fill(i as u8);
    }
    for (i, buf) in bufs.iter().enumerate() {
        assert_eq!(buf.header().owner, i as u64);
        assert!(buf.room().iter().all(|&byte| byte == i as u8));
    }
    cache.free(bufs);
}

#[test]
fn the_slot_freed_last_is_allocated_first() {
    let mut cache = pool(100).cache();
    let mut bufs = take(&mut cache, 3);
    let last = bufs.pop().unwrap();
    let index = last.index();
    cache.free(bufs);
    cache.free_one(last);
    let again = cache.alloc_one().unwrap();
    assert_eq!(again.index(), index);
    cache.free_one(again);
}

#[test]
fn an_empty_pool_gives_what_it_has_then_nothing() {
    let pool = pool(70);
    let mut cache = pool.cache();
    let mut bufs = Vec::new();
    assert_eq!(cache.alloc(100, &mut bufs), 70);
    assert_eq!(cache.alloc(1, &mut bufs), 0);
    assert!(cache.alloc_one().is_none());
    assert_eq!(
        pool.stats(),
        Stats {
            size: 70,
            free: 0,
            untouched: 0,
            cached: vec![0],
            owned: 70
        }
    );
    cache.free(bufs);
    assert_eq!(pool.stats().owned, 0);
}

#[test]
fn every_slot_is_given_out_once() {
    let pool = pool(1000);
    let mut cache = pool.cache();
    let bufs = take(&mut cache, 1000);
    let mut indexes: Vec<_> = bufs.iter().map(Buf::index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), 1000);
    cache.free(bufs);
    cache.flush();
    assert_eq!(
        pool.audit(),
        Audit {
            stats: Stats {
                size: 1000,
                free: 1000,
                untouched: 0,
                cached: vec![0],
                owned: 0
            },
            duplicates: 0,
            foreign: 0
        }
    );
}

#[test]
fn a_forgotten_handle_is_counted() {
    let pool = pool(10);
    let mut cache = pool.cache();
    let _ = cache.alloc_one().unwrap();
    assert_eq!(pool.stats().owned, 1);
}

#[test]
fn several_slots_are_reached_at_once() {
    let mut cache = pool(10).cache();
    let mut bufs = take(&mut cache, 5);
    let quad = bufs.first_chunk_mut::<4>().unwrap();
    for (i, (header, room)) in slots_mut(quad).into_iter().enumerate() {
        header.owner = i as u64;
        room[0] = i as u8;
    }
    assert_eq!(bufs[3].header().owner, 3);
    bufs.iter().for_each(|buf| {
        buf.prefetch_header();
        buf.prefetch_data();
        buf.prefetch_room(usize::MAX);
    });
    cache.free(bufs);
}

#[test]
fn a_chain_is_walked_and_freed_whole() {
    let pool = pool(10);
    let mut cache = pool.cache();
    let mut chain: Option<Buf<Meta>> = None;
    for i in 0..4 {
        let mut buf = cache.alloc_one().unwrap();
        buf.header_mut().owner = i;
        assert!(buf.set_next(chain.take()).is_none());
        chain = Some(buf);
    }
    let mut head = chain.unwrap();
    head.next_mut().unwrap().header_mut().owner = 20;
    let owners: Vec<_> = std::iter::successors(Some(&head), |buf| buf.next())
        .map(|buf| buf.header().owner)
        .collect();
    assert_eq!(owners, [3, 20, 1, 0]);
    assert_eq!(cache.free_chain(head), 4);
    assert_eq!(pool.stats().owned, 0);
}

#[test]
fn a_shared_buffer_is_freed_by_its_last_reference() {
    let pool = pool(10);
    let mut cache = pool.cache();
    let first = Shared::new(cache.alloc_one().unwrap());
    let second = first.clone();
    assert_eq!(second.references(), 2);
    let first = first.try_into_unique().unwrap_err();
    cache.release(second);
    assert_eq!(pool.stats().owned, 1);
    let unique = first.try_into_unique().unwrap();
    cache.release(Shared::new(unique));
    assert_eq!(pool.stats().owned, 0);
}

#[test]
fn buffers_freed_to_another_pool_go_home() {
    let (here, there) = (pool(10), pool(20));
    let (mut cache, mut other) = (here.cache(), there.cache());
    let mut bufs = take(&mut cache, 4);
    bufs.extend(take(&mut other, 3));
    bufs.swap(0, 5);
    other.free(bufs);
    assert_eq!((here.stats().owned, there.stats().owned), (0, 0));
    other.flush();
    assert_eq!(there.audit().foreign, 0);
    assert_eq!(here.audit().foreign, 0);
}

/// Tests that count orphans of the whole process exclude each other.
static ORPHANS: Mutex<()> = Mutex::new(());

#[test]
fn a_handle_outlives_its_pool_and_the_memory_goes_with_it() {
    let _alone = ORPHANS.lock();
    let before = orphans();
    let mut other = pool(10).cache();
    let gone = pool(10);
    let mut cache = gone.cache();
    let mut buf = cache.alloc_one().unwrap();
    drop((gone, cache));
    assert_eq!(orphans(), before + 1);
    buf.room_mut().fill(9);
    assert_eq!(buf.room()[100], 9);
    other.free_one(buf);
    assert_eq!(orphans(), before);
}

#[test]
fn memory_is_reused_by_later_pools() {
    // More than the region could hold at once, were nothing returned: 100 x 4 GiB of addresses.
    for _ in 0..100 {
        let pool = Pool::<Meta>::new(Config {
            buffers: 1 << 21,
            data_size: 2048,
            ..Config::default()
        });
        let Ok(pool) = pool else { return }; // limits on address space
        let mut cache = pool.cache();
        let bufs = take(&mut cache, 100);
        cache.free(bufs);
    }
}

#[test]
fn pools_of_different_sizes_live_side_by_side() {
    let pools: Vec<Pool<Meta>> = [64, 100, 2048, 9216, 65_536]
        .map(|data_size| {
            Pool::new(Config {
                buffers: 33,
                data_size,
                ..Config::default()
            })
            .unwrap()
        })
        .into();
    for pool in &pools {
        let mut cache = pool.cache();
        let mut bufs = take(&mut cache, 33);
        for buf in &mut bufs {
            assert_eq!(buf.room().len(), HEADROOM + pool.data_size());
            buf.room_mut().fill(0xff);
            assert!(buf.next().is_none());
        }
        assert!(bufs.iter().all(|buf| *buf.header() == Meta::default()));
        cache.free(bufs);
        assert_eq!(pool.stats().owned, 0);
    }
}

#[test]
fn impossible_pools_are_refused() {
    let make = |buffers, data_size| {
        Pool::<Meta>::new(Config {
            buffers,
            data_size,
            ..Config::default()
        })
        .map(|_| ())
    };
    assert!(matches!(make(0, 2048), Err(PoolError::Empty)));
    assert!(matches!(make(1, 63), Err(PoolError::DataSize(63))));
    assert!(matches!(make(1, 65_537), Err(PoolError::DataSize(65_537))));
    assert!(matches!(
        make(u32::MAX, 65_536),
        Err(PoolError::Memory { .. })
    ));
}

#[test]
fn threads_that_pass_buffers_round_keep_every_one() {
    let pool = pool(3000);
    thread::scope(|scope| {
        let (forward, inbox) = mpsc::sync_channel::<Vec<Buf<Meta>>>(4);
        let producer = &pool;
        for id in 1..=2 {
            let forward = forward.clone();
            scope.spawn(move || {
                let mut cache = producer.cache();
                for round in 0..500u64 {
                    let mut bufs = Vec::new();
                    cache.alloc(64 + round as usize % 192, &mut bufs);
                    for buf in &mut bufs {
                        buf.header_mut().owner = id << 32 | round;
                        buf.room_mut()[..8].copy_from_slice(&round.to_le_bytes());
                    }
                    forward.send(bufs).unwrap();
                }
            });
        }
        drop(forward);
        scope.spawn(|| {
            let mut cache = pool.cache();
            for bufs in inbox {
                for buf in &bufs {
                    let round = buf.header().owner & 0xffff_ffff;
                    assert_eq!(buf.room()[..8], round.to_le_bytes());
                }
                cache.free(bufs);
            }
        });
    });
    let audit = pool.audit();
    assert_eq!((audit.stats.owned, audit.stats.cached.len()), (0, 0));
    assert_eq!((audit.duplicates, audit.foreign), (0, 0));
}

#[test]
fn threads_never_hold_the_same_slot() {
    let pool = pool(600);
    thread::scope(|scope| {
        for id in 1..=3u64 {
            let pool = &pool;
            scope.spawn(move || {
                let mut cache = pool.cache();
                for round in 0..2000 {
                    let mut bufs = Vec::new();
                    cache.alloc(1 + round % 150, &mut bufs);
                    bufs.iter_mut().for_each(|buf| buf.header_mut().owner = id);
                    assert!(bufs.iter().all(|buf| buf.header().owner == id));
                    cache.free(bufs);
                    if round % 7 == 0 {
                        cache.flush();
                    }
                }
            });
        }
    });
    assert_eq!(pool.stats().owned, 0);
    assert_eq!(pool.audit().duplicates, 0);
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize, usize),
    Free(usize, usize),
    Flush(usize),
    Replace(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let cache = 0..3usize;
    prop_oneof![
        4 => (cache.clone(), 0..300usize).prop_map(|(c, n)| Step::Alloc(c, n)),
        4 => (cache.clone(), 0..300usize).prop_map(|(c, n)| Step::Free(c, n)),
        1 => cache.clone().prop_map(Step::Flush),
        1 => cache.prop_map(Step::Replace),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Free, cached and owned are the whole pool after every operation, and each held slot is held
    /// once.
    #[test]
    fn i5_conservation_holds_through_any_history(
        buffers in 1..900u32,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let pool = pool(buffers);
        let mut caches = [pool.cache(), pool.cache(), pool.cache()];
        let mut held: Vec<Buf<Meta>> = Vec::new();
        for step in steps {
            match step {
                Step::Alloc(cache, n) => {
                    let before = held.len();
                    let got = caches[cache].alloc(n, &mut held);
                    prop_assert_eq!(held.len(), before + got);
                    prop_assert!(got <= n);
                }
                Step::Free(cache, n) => {
                    let n = n.min(held.len());
                    caches[cache].free(held.drain(..n));
                }
                Step::Flush(cache) => caches[cache].flush(),
                Step::Replace(cache) => caches[cache] = pool.cache(),
            }
            let stats = pool.stats();
            prop_assert_eq!(stats.owned, held.len());
            let cached: usize = stats.cached.iter().sum();
            prop_assert_eq!(stats.free + cached + stats.owned, buffers as usize);
            let mut indexes: Vec<_> = held.iter().map(Buf::index).collect();
            indexes.sort_unstable();
            indexes.dedup();
            prop_assert_eq!(indexes.len(), held.len());
        }
        caches[0].free(held);
        drop(caches);
        let audit = pool.audit();
        prop_assert_eq!(audit.stats.free, buffers as usize);
        prop_assert_eq!((audit.duplicates, audit.foreign), (0, 0));
    }
}
