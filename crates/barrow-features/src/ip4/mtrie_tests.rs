use super::*;
use crate::fib::mask4;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// The prefixes of a table, and the obvious way to look them up.
#[derive(Default)]
struct Model(BTreeMap<(u8, u32), LbIndex>);

impl Model {
    fn shorter(&self, address: u32, below: u8) -> Option<(LbIndex, u8)> {
        (0..below).rev().find_map(|len| {
            self.0
                .get(&(len, address & mask4(len)))
                .map(|&lb| (lb, len))
        })
    }

    fn lookup(&self, address: u32) -> LbIndex {
        self.shorter(address, 33)
            .map_or(LbIndex::DROP, |(lb, _)| lb)
    }
}

struct Fixture {
    plies: Plies,
    trie: Ip4Mtrie,
    model: Model,
}

impl Fixture {
    fn new() -> Self {
        let plies = Plies::new(Epochs::default());
        let trie = Ip4Mtrie::new(&plies);
        Self {
            plies,
            trie,
            model: Model::default(),
        }
    }

    fn insert(&mut self, address: u32, len: u8, lb: u32) {
        let address = address & mask4(len);
        self.trie
            .insert(&mut self.plies, address, len, LbIndex(lb))
            .unwrap();
        self.model.0.insert((len, address), LbIndex(lb));
    }

    fn remove(&mut self, address: u32, len: u8) {
        let address = address & mask4(len);
        if self.model.0.remove(&(len, address)).is_some() {
            let cover = self.model.shorter(address, len);
            self.trie.remove(&mut self.plies, address, len, cover);
        }
    }

    /// The edges of every prefix, and the addresses just outside.
    fn check(&self) {
        for &(len, address) in self.model.0.keys() {
            let last = address | !mask4(len);
            for probe in [address.wrapping_sub(1), address, last, last.wrapping_add(1)] {
                assert_eq!(
                    self.trie.lookup(probe),
                    self.model.lookup(probe),
                    "at {probe:#x}"
                );
            }
        }
    }
}

#[test]
fn an_empty_table_drops() {
    let fixture = Fixture::new();
    assert_eq!(fixture.trie.lookup(0x0a00_0001), LbIndex::DROP);
    assert_eq!(fixture.trie.longest_match(0), None);
}

#[test]
fn the_longest_prefix_wins_whatever_the_order() {
    let lengths = [0, 8, 15, 16, 17, 24, 25, 31, 32];
    for rotation in 0..lengths.len() {
        let mut fixture = Fixture::new();
        for index in 0..lengths.len() {
            let len = lengths[(index * 5 + rotation) % lengths.len()];
            fixture.insert(0x0a01_0201, len, u32::from(len) + 1);
            fixture.check();
        }
        assert_eq!(
            fixture.trie.longest_match(0x0a01_0201),
            Some((LbIndex(33), 32))
        );
        for index in 0..lengths.len() {
            let len = lengths[(index * 2 + rotation) % lengths.len()];
            fixture.remove(0x0a01_0201, len);
            fixture.check();
        }
        assert!(fixture.plies.is_empty());
        assert_eq!(fixture.trie.lookup(0x0a01_0201), LbIndex::DROP);
    }
}

#[test]
fn plies_are_given_back_and_reused() {
    let mut fixture = Fixture::new();
    for round in 0..1000_u32 {
        fixture.insert(round << 16, 32, 1);
        assert_eq!(fixture.plies.len(), 2);
        fixture.remove(round << 16, 32);
    }
    assert!(fixture.plies.own.len() <= 4);
}

#[test]
fn a_retired_ply_waits_for_the_workers() {
    let epochs = Epochs::default();
    let mut worker = epochs.worker().unwrap();
    worker.quiescent();
    let mut plies = Plies::new(epochs);
    let trie = Ip4Mtrie::new(&plies);
    trie.insert(&mut plies, 0, 24, LbIndex(1)).unwrap();
    trie.remove(&mut plies, 0, 24, None);
    trie.insert(&mut plies, 1 << 16, 24, LbIndex(1)).unwrap();
    assert_eq!(plies.own.len(), 2, "the first ply is still in custody");
    trie.remove(&mut plies, 1 << 16, 24, None);
    worker.quiescent();
    trie.insert(&mut plies, 2 << 16, 24, LbIndex(1)).unwrap();
    assert_eq!(plies.own.len(), 2, "the first ply is used again");
}

#[test]
fn clearing_a_table_gives_everything_back() {
    let mut fixture = Fixture::new();
    for address in 0..100_u32 {
        fixture.insert(
            address << 20 | address << 8,
            24 + (address % 9) as u8,
            address + 1,
        );
    }
    fixture.trie.clear(&mut fixture.plies);
    assert!(fixture.plies.is_empty());
    assert_eq!(fixture.trie.lookup(0x0010_0100), LbIndex::DROP);
}

#[test]
fn the_walk_shows_each_own_slot_once() {
    let mut fixture = Fixture::new();
    fixture.insert(0, 0, 1);
    fixture.insert(0x0a00_0000, 15, 2);
    fixture.insert(0x0a00_0100, 32, 3);
    let mut seen = Vec::new();
    fixture
        .trie
        .walk(&fixture.plies, &mut |visit| seen.push(visit));
    let leaf = |address, len, depth, lb| Visit {
        address,
        len,
        depth,
        found: Found::LoadBalance(LbIndex(lb)),
    };
    assert!(matches!(seen[0].found, Found::Ply { own: 1, .. }));
    assert!(matches!(seen[1].found, Found::Ply { own: 1, .. }));
    assert_eq!(seen[2], leaf(0x0a00_0100, 32, 32, 3));
    assert_eq!(seen[3], leaf(0x0a01_0000, 15, 16, 2));
    assert_eq!(seen.len(), 4);
}

/// Prefixes that overlap often: few bits vary.
fn prefix() -> impl Strategy<Value = (u32, u8)> {
    let bits = prop_oneof![
        Just(0_u32),
        Just(0x0a00_0000),
        Just(0x0aff_0000),
        Just(0x0a00_ff00),
        Just(0xffff_ff00),
    ];
    (bits, 0_u32..4, 0_u32..4, 0_u32..4, 0_u8..=32)
        .prop_map(|(bits, a, b, c, len)| (bits ^ a << 15 ^ b << 7 ^ c, len))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_of_changes_answers_as_the_model(
        changes in prop::collection::vec((prefix(), any::<bool>(), 1_u32..MAX_LOAD_BALANCES), 1..80),
        probes in prop::collection::vec(any::<u32>(), 20),
    ) {
        let mut fixture = Fixture::new();
        for ((address, len), add, lb) in changes {
            if add {
                fixture.insert(address, len, lb);
            } else {
                fixture.remove(address, len);
            }
            fixture.check();
        }
        let mut results = vec![LbIndex(0); probes.len()];
        fixture.trie.lookup_batch(&probes, &mut results);
        for (&probe, &result) in probes.iter().zip(&results) {
            prop_assert_eq!(result, fixture.model.lookup(probe));
            prop_assert_eq!(result, fixture.trie.lookup(probe));
        }
        let prefixes: Vec<_> = fixture.model.0.keys().copied().collect();
        for (len, address) in prefixes {
            fixture.remove(address, len);
        }
        prop_assert!(fixture.plies.is_empty());
    }
}

#[test]
fn readers_see_old_or_new_but_never_anything_else() {
    const STEADY: u32 = 0x0a00_0000;
    let epochs = Epochs::default();
    let mut plies = Plies::new(epochs.clone());
    let trie = Ip4Mtrie::new(&plies);
    trie.insert(&mut plies, 0, 0, LbIndex(1)).unwrap();
    trie.insert(&mut plies, STEADY, 8, LbIndex(2)).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 1..3_u32 {
            let (trie, stop) = (&trie, &stop);
            let mut worker = epochs.worker().unwrap();
            scope.spawn(move || {
                let mut state = seed;
                let mut results = [LbIndex::DROP; 40];
                while !stop.load(Ordering::Relaxed) {
                    worker.quiescent();
                    let addresses = std::array::from_fn::<u32, 40, _>(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        STEADY | state >> 8
                    });
                    trie.lookup_batch(&addresses, &mut results);
                    for (lb, address) in results.iter().zip(addresses) {
                        // inside 10/8: the /8, or a longer prefix whose lb names its third byte
                        let longer = LbIndex(0x100 + (address >> 16 & 0xff));
                        assert!(*lb == LbIndex(2) || *lb == longer, "{lb:?} at {address:#x}");
                    }
                }
                worker.offline();
            });
        }
        let mut state = 7_u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let byte = state >> 24;
            let address = STEADY | byte << 16 | state >> 8 & 0xffff;
            let len = 17 + (state >> 3 & 15) as u8;
            let address = address & mask4(len);
            trie.insert(&mut plies, address, len, LbIndex(0x100 + byte))
                .unwrap();
            trie.remove(&mut plies, address, len, Some((LbIndex(2), 8)));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(plies.is_empty());
}
